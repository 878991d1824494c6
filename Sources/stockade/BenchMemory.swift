// `stockade bench memory`: what does each SKU, order, buyer and connection cost in memory?

import ArgumentParser
import Glibc
import StockBench
import StockServer

struct BenchMemory: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory",
        abstract: "Measure what each SKU, order, buyer and connection costs in memory.",
        discussion: """
            Starts this executable's own 'serve' on loopback in an empty directory that is removed afterwards, fills it with \
            10,000 idle connections, 1,000,000 SKUs, 10,000,000 orders and 1,000,000 buyers, one after the other, and divides \
            what its tables and its process grew by. It takes about a minute and 2 GiB of memory, with --quick some seconds.
            """)

    @OptionGroup var flags: BenchReportFlags

    @Option(help: ArgumentHelp("Orders. (default: 10000000, with --quick 1000000)", valueName: "n"))
    var orders: Int?

    func validate() throws {
        if let orders, !(1...1_000_000_000).contains(orders) { throw ValidationError("--orders takes 1 to 10^9") }
    }

    func run() throws {
        var options = MemoryOptions(quick: flags.quick, parent: flags.scratchDirectory)
        if let orders { options.orders = orders }
        let files = try BenchFiles(flags.output)
        let interrupt = Interrupt()
        do {
            let programs = try ServerPrograms(needsRedis: false)
            let report = try MemoryRun(options, programs: programs).run(
                machine: MachineFacts(stockadeVersion: "\(Server.version)", programs: programs),
                command: "stockade " + CommandLine.arguments.dropFirst().joined(separator: " "), interrupt: interrupt
            ) { writeAll(STDERR_FILENO, $0 + "\n") }
            try files.publish("memory", markdown: report.markdown, json: report.json)
        } catch let error as BenchError {
            throw fail("\(error)", ExitCode(error))
        }
    }
}
