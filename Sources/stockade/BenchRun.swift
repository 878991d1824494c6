// `stockade bench run`: one run against a server that is there. Results go to stdout, progress to stderr.

import ArgumentParser
import Glibc
import StockBench
import StockConnection

struct BenchRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Put one server under load.",
        discussion: """
            WORKLOADS
              deduct            DEDUCT of one unit with a fresh id
              reserve-confirm   RESERVE of a pipeline of orders, then CONFIRM of each
              order             DEDUCT of one unit of each of --lines SKUs
              hot               deduct on a single SKU
              spread            deduct over --skus SKUs (1,000,000), uniform or by --zipf
              replay            DEDUCT with ids that were sold before
              mixed             orders sold, held, confirmed, cancelled, retried and read
              ping              PING
              decrby            DECRBY, for --redis: no dedup, no check, no record

            A run makes its own SKUs, whose names carry a random word, so it can be repeated on a live server; they \
            stay there, with the orders. Replies are checked, and those that are wrong are shown. In a closed loop a \
            connection sends a whole pipeline and waits for all its replies; latency counts from the sending. With \
            --rate requests are due at even distances; latency counts from when a request was due.

            EXIT STATUS
              0   measured
              1   measured, but some replies were wrong or missing
              64  a flag cannot be used
              69  the server cannot be reached, or went away
              130 interrupted
            """)

    @Argument(help: ArgumentHelp("What the clients ask for.", valueName: "workload"))
    var workload = Workload.deduct

    @OptionGroup(title: "Server") var server: BenchServerFlags
    @OptionGroup(title: "Load") var load: BenchLoadFlags

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        let options = try self.options()
        let interrupt = Interrupt()
        let progress = BenchProgress()
        let result: LoadResult
        do {
            result = try runLoad(options, interrupt: interrupt.descriptor, observer: progress.observer)
        } catch {
            progress.end()
            throw fail("\(error)", ExitCode(error))
        }
        progress.end()
        let report = LoadReport(options: options, result: result)
        writeAll(STDOUT_FILENO, json ? report.json : report.text)
        if result.wasInterrupted { throw ExitCode(130) }
        if !result.isSound { throw ExitCode(1) }
    }

    private func options() throws -> LoadOptions {
        var options = LoadOptions(address: server.address)
        options.dialect = server.redis ? .redis : .stockade
        options.workload = workload
        options.clients = load.clients
        options.idle = load.idle
        options.pipeline = load.pipeline
        if let requests = load.requests { options.length = .requests(requests) }
        if let duration = load.duration { options.length = .nanoseconds(duration.nanoseconds) }
        options.warmup = load.warmup.nanoseconds
        options.rate = load.rate
        options.skus = load.skus
        options.zipf = load.zipf
        options.lines = load.lines
        options.seed = load.seed
        if let path = server.passwordFile {
            do {
                options.password = String(decoding: try PasswordFile(path: path).password, as: UTF8.self)
            } catch {
                throw fail("\(error)", .usage)
            }
        }
        return options
    }
}

struct BenchServerFlags: ParsableArguments {
    @Option(help: "Name or address of the server.")
    var host = "127.0.0.1"

    @Option(help: "TCP port. (default: 7865, with --redis 6379)")
    var port: UInt16?

    @Option(help: ArgumentHelp("Connect to a Unix socket instead.", valueName: "path"))
    var unix: String?

    @Option(help: ArgumentHelp("Log in with the one line in this file.", valueName: "path"))
    var passwordFile: String?

    @Flag(help: "The server is a Redis: sell with Lua scripts, as shops do.")
    var redis = false

    var address: Address {
        if let unix { return .unix(path: unix) }
        return .tcp(host: host, port: port ?? (redis ? 6379 : Address.standardPort))
    }
}

struct BenchLoadFlags: ParsableArguments {
    @Option(help: ArgumentHelp("Connections that send.", valueName: "n"))
    var clients = 50

    @Option(help: ArgumentHelp("Further connections that are open and say nothing.", valueName: "n"))
    var idle = 0

    @Option(help: ArgumentHelp("Requests in flight on each connection.", valueName: "n"))
    var pipeline = 1

    @Option(help: ArgumentHelp("How long to measure. (default: 10s)", valueName: "duration"))
    var duration: BenchDuration?

    @Option(help: ArgumentHelp("Measure so many requests instead.", valueName: "n"))
    var requests: Int?

    @Option(help: ArgumentHelp("Load before measuring begins.", valueName: "duration"))
    var warmup = BenchDuration(nanoseconds: 1_000_000_000)

    @Option(help: ArgumentHelp("Requests a second of all clients together: an open loop.", valueName: "n"))
    var rate: Double?

    @Option(help: ArgumentHelp("SKUs. (default: what the workload says)", valueName: "n"))
    var skus: Int?

    @Option(help: ArgumentHelp("Choose SKUs by Zipf's law with this exponent, such as 0.99.", valueName: "s"))
    var zipf: Double?

    @Option(help: ArgumentHelp("Lines of an order.", valueName: "n"))
    var lines = 8

    @Option(help: ArgumentHelp("Chooses the SKUs: the same seed, the same choice.", valueName: "n"))
    var seed: UInt64 = 1

    func validate() throws {
        if duration != nil, requests != nil {
            throw ValidationError("--duration and --requests cannot both say when the run ends")
        }
    }
}

extension BenchDuration: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public var defaultValueDescription: String { description }
}

extension Workload: ExpressibleByArgument {}

extension ExitCode {
    init(_ error: BenchError) {
        switch error {
        case .usage: self = .usage
        case .connection, .missing, .server: self = .unavailable
        case .system: self = ExitCode(71)
        case .interrupted: self = ExitCode(130)
        }
    }
}
