// `stockade bench tail`: how long do clients wait when the server has something else to do too?

import ArgumentParser
import Glibc
import StockBench
import StockServer

struct BenchTail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Measure how long clients wait at half of the load, in the moments that might make them.",
        discussion: """
            Starts this executable's own 'serve' again and again, on loopback, on free ports and in empty directories \
            that are removed afterwards, and measures in an open loop at half of the rate that this machine can take:

              machine     PING instead of sales: how long the machine itself lets one wait
              calm        nothing else goes on
              snapshots   a snapshot is always under way
              segments    segments of the log are so small that they change all the time
              growth      all shards of the index of orders grow
              expiry      a million holds of 1,000 SKUs run out at one moment
              scattered   a million holds, each of another SKU and buyer, do
              verify      VERIFY is always under way
              recovery    and, without a load: the log read, folded, the rows read, memory used again

            It takes about eighteen minutes and 4 GiB of memory, with --quick about two minutes. Nothing else should run on \
            the machine meanwhile: what the kernel gives to others is in the latencies, not in a turn's own work.

            EXIT STATUS
              0   measured; whether targets were met is in the report
              1   something could not be measured, or replies were wrong
              64  a flag cannot be used
              73  the report cannot be written
              130 interrupted
            """)

    @OptionGroup var flags: BenchReportFlags
    @OptionGroup var rounds: BenchRoundFlags

    func run() throws {
        var options = TailOptions(quick: flags.quick, parent: flags.scratchDirectory)
        options.only = rounds.only
        if let count = rounds.rounds { options.rounds = count }
        let files = try BenchFiles(flags.output)
        let interrupt = Interrupt()
        do {
            let programs = try ServerPrograms(needsRedis: false)
            let machine = MachineFacts(stockadeVersion: "\(Server.version)", programs: programs)
            let outcome = try TailRun(options, programs: programs).run(interrupt: interrupt) {
                writeAll(STDERR_FILENO, $0 + "\n")
            }
            let report = TailReport(
                outcome, machine: machine, command: "stockade " + CommandLine.arguments.dropFirst().joined(separator: " "))
            try files.publish("tail", markdown: report.markdown, json: report.json)
            if outcome.isFlawed { throw ExitCode(1) }
        } catch let error as BenchError {
            throw fail("\(error)", ExitCode(error))
        }
    }
}
