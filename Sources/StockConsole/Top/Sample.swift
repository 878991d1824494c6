// What `top` knows of a server at one moment: everything from `STATS`, and as many SKUs and holds as a bounded number
// of pages shows. The server serves other clients between two pages, so a sample is not one instant; it is a moment of
// some milliseconds.

import StockConnection

/// One look at a server.
struct Sample {
    /// When `STATS` came, in nanoseconds of a clock that never steps.
    var time: Int64 = 0
    /// Numbers of `STATS` by key.
    var numbers: [String: Int64] = [:]
    /// What else `STATS` says, such as `fsync` and `log_state`.
    var words: [String: String] = [:]
    var skus: [String: SKU] = [:]
    /// There are more SKUs than were looked at.
    var hasMoreSKUs = false
    var holds: [Hold] = []
    var hasMoreHolds = false
    /// Turns of the server's loop that took too long, the newest first.
    var slowTurns: [SlowTurn] = []

    struct SKU: Equatable {
        var sold: Int64
        var held: Int64
        var available: Int64
        var status: String
    }

    struct Hold: Equatable {
        var id: String
        /// Unix milliseconds by the server's clock.
        var expires: Int64
        var lines: String
    }

    /// Times are microseconds.
    struct SlowTurn: Equatable {
        /// Unix milliseconds.
        var at: Int64
        var time: Int64
        /// What of it the server worked itself.
        var work: Int64
        var requests: Int64
        var expirySteps: Int64
        var waits: Int64
        var verbs: String
    }

    /// Takes in the lines of `STATS slow`.
    mutating func add(slowTurns lines: [ReplyLine]) {
        for line in lines {
            // `slow_17=1763690400000 us=2310 …`; the other two lines are counts.
            guard let equals = line.word.firstIndex(of: "="), line.word.hasPrefix("slow_"), let time = line.number("us"),
                let at = Int64(line.word[line.word.index(after: equals)...])
            else { continue }
            slowTurns.append(
                SlowTurn(
                    at: at, time: time, work: line.number("cpu_us") ?? 0, requests: line.number("requests") ?? 0,
                    expirySteps: line.number("expiry_steps") ?? 0, waits: line.number("waits") ?? 0,
                    verbs: line["verbs"].map { ReplyTable.printable($0) } ?? ""))
        }
    }

    /// Takes in the lines of `STATS`.
    mutating func add(statistics lines: [ReplyLine]) {
        for line in lines {
            guard let equals = line.word.firstIndex(of: "=") else { continue }
            // A list of files has spaces in no value: the whole line belongs to the key.
            let value = line.text.dropFirst(1 + line.word[..<equals].utf8.count + 1)
            let key = String(line.word[..<equals])
            if let number = Int64(value) { numbers[key] = number } else { words[key] = ReplyTable.printable(value) }
        }
    }

    mutating func add(sku line: ReplyLine) {
        guard line.word == "STOCK", let name = line.positional.first, let sold = line.number("sold") else { return }
        skus[ReplyTable.printable(name)] = SKU(
            sold: sold, held: line.number("held") ?? 0, available: line.number("available") ?? 0,
            status: line["status"].map { ReplyTable.printable($0) } ?? "")
    }

    mutating func add(hold line: ReplyLine) {
        guard line.word == "ORDER", let id = line.positional.first, let expires = line.number("expires") else { return }
        let lines = line.orderLines?.map { "\($0.sku) × \($0.quantity)" }.joined(separator: ", ") ?? ""
        holds.append(Hold(id: ReplyTable.printable(id), expires: expires, lines: ReplyTable.printable(lines)))
    }
}

/// Takes samples.
public struct Sampler {
    private let connection: Connection
    private let patience: Duration
    private let start = ContinuousClock.now

    /// Pages of 1,000 entries that a sample reads at most, of SKUs and of holds each.
    static let mostPages = 10

    public init(_ connection: Connection, patience: Duration) {
        self.connection = connection
        self.patience = patience
    }

    func sample() throws(ConsoleError) -> Sample {
        var sample = Sample()
        let statistics = try ask("STATS")
        sample.time = Int64((ContinuousClock.now - start) / .nanoseconds(1))
        sample.add(statistics: statistics.items)
        // A server that has none need not be asked, and one without a slow log does not count them.
        if sample.numbers["slow_turns"] ?? 0 > 0 { sample.add(slowTurns: try ask("STATS slow").items) }
        sample.hasMoreSKUs = try pages("SKUS") { sample.add(sku: $0) }
        sample.hasMoreHolds = try pages("HOLDS") { sample.add(hold: $0) }
        return sample
    }

    /// - Returns: whether there are more pages than were read.
    private func pages(_ verb: String, _ take: (ReplyLine) -> Void) throws(ConsoleError) -> Bool {
        var request = "\(verb) count=1000"
        for _ in 0..<Self.mostPages {
            let reply = try ask(request)
            for line in reply.items.dropLast() { take(line) }
            guard let last = reply.items.last, last.word == "NEXT", let token = last.positional.first else {
                return false
            }
            request = "\(verb) count=1000 after=\(token)"
        }
        return true
    }

    private func ask(_ request: String) throws(ConsoleError) -> Reply {
        let reply: Reply
        do throws(ConnectionError) {
            reply = try connection.request(request, by: .after(patience))
        } catch {
            throw .stopped(error)
        }
        guard !reply.isRefusal else { throw .loginRefused(connection.address, reply.head.text) }
        return reply
    }
}
