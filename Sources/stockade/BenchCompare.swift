// `stockade bench compare`: this server and Redis side by side on this machine, so that nobody has to believe
// anybody's numbers.

import ArgumentParser
import Glibc
import StockBench
import StockServer

struct BenchCompare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Measure Stockade and Redis side by side, and report.",
        discussion: """
            Starts 'redis-server' (from PATH, AOF everysec) and this executable's own 'serve' again and again, on \
            loopback, on free ports and in empty directories that are removed afterwards. Takes about fifteen minutes, \
            with --quick about two and a half. Nothing else should run on the machine meanwhile.

            EXIT STATUS
              0   measured; whether targets were met is in the report
              1   a case failed, or replies were wrong
              69  there is no redis-server
              73  the report cannot be written
              130 interrupted
            """)

    @OptionGroup var flags: BenchReportFlags
    @OptionGroup var rounds: BenchRoundFlags

    func run() throws {
        var comparison = Comparison(quick: flags.quick, parent: flags.scratchDirectory)
        comparison.only = rounds.only
        if let count = rounds.rounds { comparison.rounds = count }
        let files = try BenchFiles(flags.output)
        // Before anything is started: from here on a signal ends the comparison, and that ends its children.
        let interrupt = Interrupt()
        let isTerminal = isatty(STDERR_FILENO) == 1
        do {
            let programs = try ServerPrograms()
            let machine = MachineFacts(stockadeVersion: "\(Server.version)", programs: programs)
            let outcome = try comparison.run(programs: programs, interrupt: interrupt) { step in
                show(step, isTerminal: isTerminal)
            }
            let report = ComparisonReport(
                comparison, outcome, machine: machine,
                command: "stockade " + CommandLine.arguments.dropFirst().joined(separator: " "))
            try files.publish(markdown: report.markdown, json: report.json)
            if outcome.isFlawed { throw ExitCode(1) }
        } catch let error as BenchError {
            if isTerminal { writeAll(STDERR_FILENO, "\r\u{1B}[K") }
            throw fail("\(error)", ExitCode(error))
        }
    }

    /// On a terminal the case that runs stands in a line of its own; in a pipe only results do.
    private func show(_ step: ComparisonStep, isTerminal: Bool) {
        let start = "round \(step.round)/\(step.rounds)  \(step.name)"
        if let text = step.text {
            writeAll(STDERR_FILENO, (isTerminal ? "\r\u{1B}[K" : "") + "\(start)  \(text)\n")
        } else if isTerminal {
            writeAll(STDERR_FILENO, "\(start) …")
        }
    }
}
