// `stockade rehearse`: a shop's own orders, played against a server before the day of the sale. The page goes to
// stdout, progress and complaints to stderr.

import ArgumentParser
import Glibc
import StockBench
import StockConnection
import StockInput
import StockRehearsal

struct Rehearse: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play your own order history against a server, and prove the result.",
        discussion: """
            Each order of the file is reserved and confirmed. The file has the columns order,time,buyer,sku,quantity, \
            named in its first line; a negative quantity gives goods back: to the same buyer's earlier orders of that \
            SKU, newest first, and what none of them had goes into the stock. A stock file has the columns sku,quantity; \
            without it as much comes in as the orders need.

            The names of SKUs get a prefix, so a rehearsal does not touch any SKU of yours, and it can be repeated on a \
            live server. Its SKUs and orders stay there. At the end, when the abandoned holds have run out, the server's \
            counters of every SKU are compared with an account that was kept from the replies alone.

            EXAMPLES
              stockade rehearse --orders orders.csv
              stockade rehearse --orders orders.csv --clients 50 --abandon 20% --retry 5%
              stockade rehearse --orders orders.csv --stock stock.csv --speed 60x

            EXIT STATUS
              0   proven: nothing was oversold, nothing was lost
              1   not proven
              64  a flag cannot be used
              65  the file has lines that cannot be used
              66  there is no such file
              69  the server cannot be reached, went away, or does not take the orders
              130 interrupted; what was played until then is on the page
            """)

    @Option(help: ArgumentHelp("The orders, as CSV.", valueName: "path"))
    var orders: String

    @Option(help: ArgumentHelp("What there is when the sale opens, as CSV. (default: what the orders need)", valueName: "path"))
    var stock: String?

    @Flag(help: "Leave out lines of the files that cannot be used, instead of ending.")
    var skipBadLines = false

    @Option(help: "Name or address of the server.")
    var host = "127.0.0.1"

    @Option(help: "TCP port.")
    var port = Address.standardPort

    @Option(help: ArgumentHelp("Connect to a Unix socket instead.", valueName: "path"))
    var unix: String?

    @Option(help: ArgumentHelp("Log in with the one line in this file.", valueName: "path"))
    var passwordFile: String?

    @Option(help: ArgumentHelp("Connections.", valueName: "n"))
    var clients = 8

    @Option(help: ArgumentHelp("How fast the file's time goes by: 1x, 60x, max.", valueName: "speed"))
    var speed = Speed.max

    @Option(help: ArgumentHelp("Share of the orders that are never confirmed.", valueName: "percent"))
    var abandon = Share.none

    @Option(help: ArgumentHelp("Share of the requests that are sent once more.", valueName: "percent"))
    var retry = Share.none

    @Option(help: ArgumentHelp("Decides which: the same seed, the same choice.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Stands before every SKU. (default: rehearsal-RUN/)", valueName: "text"))
    var prefix: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        let options = try self.options()
        let interrupt = Interrupt()
        let progress = RehearseProgress()
        let result: RehearsalResult
        do throws(RehearsalError) {
            let rehearsal = try Rehearsal(try readOrders(), stock: try readStock(), options: options)
            result = try rehearsal.run(interrupt: interrupt.descriptor) { progress.tell($0) }
        } catch {
            progress.end()
            throw fail("\(error)", ExitCode(error))
        }
        progress.end()
        let report = RehearsalReport(options: options, result: result)
        writeAll(STDOUT_FILENO, json ? report.json : report.text(isColoured: hasColours(STDOUT_FILENO)))
        if !result.isProven { throw ExitCode(1) }
        if result.wasInterrupted { throw ExitCode(130) }
    }

    private func options() throws -> RehearsalOptions {
        var options = RehearsalOptions(address: unix.map { .unix(path: $0) } ?? .tcp(host: host, port: port))
        (options.clients, options.speed, options.abandon, options.retry) = (clients, speed, abandon, retry)
        (options.seed, options.prefix) = (seed, prefix)
        if let passwordFile {
            do {
                options.password = String(decoding: try PasswordFile(path: passwordFile).password, as: UTF8.self)
            } catch {
                throw fail("\(error)", .usage)
            }
        }
        return options
    }

    // MARK: Files

    private func readOrders() throws(RehearsalError) -> OrderFile {
        let file = try OrderFile(try source(orders))
        try complain(about: file.badLines, of: orders)
        return file
    }

    private func readStock() throws(RehearsalError) -> StockFile? {
        guard let stock else { return nil }
        let file = try StockFile(try source(stock))
        try complain(about: file.badLines, of: stock)
        return file
    }

    private static let mostComplaints = 20

    private func complain(about lines: [BadLine], of path: String) throws(RehearsalError) {
        guard !lines.isEmpty else { return }
        for line in lines.prefix(Self.mostComplaints) { writeAll(STDERR_FILENO, "stockade: \(path), \(line)\n") }
        if lines.count > Self.mostComplaints {
            writeAll(STDERR_FILENO, "stockade: \(path): and \(lines.count - Self.mostComplaints) more\n")
        }
        guard skipBadLines else {
            throw .badFile("\(lines.count) lines of \(path) cannot be used; --skip-bad-lines goes on without them")
        }
    }

    private func source(_ path: String) throws(RehearsalError) -> ByteSource {
        do { return try ByteSource(path: path) } catch { throw RehearsalError(error) }
    }
}

extension Speed: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public var defaultValueDescription: String { description }
}

extension Share: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public var defaultValueDescription: String { description }
}

extension ExitCode {
    fileprivate init(_ error: RehearsalError) {
        switch error {
        case .usage: self = .usage
        case .badFile: self = .badData
        case .noFile: self = .noInput
        case .connection, .server: self = .unavailable
        }
    }

    /// A file has lines that cannot be used.
    fileprivate static let badData = ExitCode(65)
}
