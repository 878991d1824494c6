// What a run does, as its user says it: the work, how many clients, how deep, how fast and for how long. Every
// option has a default that ends by itself within seconds.

import StockConnection

/// What the clients ask for.
public enum Workload: String, CaseIterable, Sendable {
    /// `DEDUCT` of one unit with a fresh id, over `skus` SKUs (1,000 unless said).
    case deduct
    /// `RESERVE`, and once those of a whole pipeline are answered, `CONFIRM` of each.
    case reserveConfirm = "reserve-confirm"
    /// `DEDUCT` of one unit of each of `lines` SKUs.
    case order
    /// `deduct` on a single SKU.
    case hot
    /// `deduct` over 1,000,000 SKUs unless said otherwise, uniform or by Zipf's law.
    case spread
    /// `DEDUCT` again and again with ids that have been sold before.
    case replay
    /// A fixed cycle of ten: three orders sold, two held (one is confirmed, one cancelled), two reads, one retry.
    case mixed
    /// `PING`: what the loop, the sockets and this load generator cost without any stock.
    case ping
    /// Redis only: a plain `DECRBY`, without dedup, check or record.
    case decrby

    /// SKUs when the user does not say.
    var standardSKUs: Int {
        switch self {
        case .hot: 1
        case .spread: 1_000_000
        case .ping: 0
        case .deduct, .reserveConfirm, .order, .replay, .mixed, .decrby: 1_000
        }
    }
}

/// Whom the load generator talks to.
public enum Dialect: String, Sendable {
    /// Stockade, by lines.
    case stockade
    /// Redis, by arrays and scripts: what a shop builds today.
    case redis
}

/// When a run is over.
public enum RunLength: Equatable, Sendable {
    case nanoseconds(Int64)
    /// So many requests after the warm-up.
    case requests(Int)
}

/// One run of the load generator. Times are nanoseconds.
public struct LoadOptions: Sendable {
    public var address: Address
    public var dialect = Dialect.stockade
    public var workload = Workload.deduct
    /// Connections that send.
    public var clients = 50
    /// Connections that are open and say nothing.
    public var idle = 0
    /// Requests that a connection sends before it waits for their replies.
    public var pipeline = 1
    public var length = RunLength.nanoseconds(10_000_000_000)
    public var warmup: Int64 = 1_000_000_000
    /// Requests a second of all clients together, due whether or not earlier ones are answered (an open loop);
    /// nil: a connection sends as soon as its replies are in (a closed loop).
    public var rate: Double?
    /// How many SKUs; nil: what the workload says.
    public var skus: Int?
    /// The exponent of Zipf's law by which SKUs are chosen; nil: all alike.
    public var zipf: Double?
    /// Lines of an order (`order` only).
    public var lines = 8
    /// Chooses the SKUs; the same seed gives the same requests.
    public var seed: UInt64 = 1
    /// Stands in every id and SKU, so that a run can be repeated on a live server.
    public var runID = RunID.random()
    public var password: String?

    public init(address: Address) { self.address = address }

    /// SKUs that the run works on.
    public var skuCount: Int { workload == .ping ? 0 : skus ?? workload.standardSKUs }

    /// The most memory that all request buffers together may have.
    static let mostBufferBytes = 1 << 30

    /// - Throws: `.usage` for the first option that cannot be.
    public func check() throws(BenchError) {
        guard (1...20_000).contains(clients) else { throw .usage("--clients takes 1 to 20000") }
        guard (0...20_000).contains(idle) else { throw .usage("--idle takes 0 to 20000") }
        guard (1...10_000).contains(pipeline) else { throw .usage("--pipeline takes 1 to 10000") }
        guard (1...1_024).contains(lines) else { throw .usage("--lines takes 1 to 1024") }
        guard (0...3_600_000_000_000).contains(warmup) else { throw .usage("--warmup takes 0s to 1h") }
        switch length {
        case .nanoseconds(let time):
            guard (1_000_000...86_400_000_000_000).contains(time) else { throw .usage("--duration takes 1ms to 1d") }
        case .requests(let count):
            guard (1...1_000_000_000_000).contains(count) else { throw .usage("--requests takes 1 to 10^12") }
        }
        if let skus { guard (1...20_000_000).contains(skus) else { throw .usage("--skus takes 1 to 20000000") } }
        if let zipf { guard zipf > 0, zipf <= 10 else { throw .usage("--zipf takes a number above 0, 10 at most") } }
        if let rate { guard rate >= 1, rate <= 1e8 else { throw .usage("--rate takes 1 to 100000000") } }
        if workload == .order, skuCount < lines {
            throw .usage("an order of \(lines) lines needs as many SKUs: --skus \(lines) or more")
        }
        if workload == .decrby, dialect != .redis { throw .usage("decrby is a workload for --redis") }
    }
}

/// Six letters and digits that tell one run from another.
public struct RunID: Sendable, CustomStringConvertible {
    public let description: String

    public init(_ text: String) { description = text }

    public static func random() -> RunID {
        let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz")
        return RunID(String((0..<6).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }))
    }
}

/// A length of time as it is written on a command line: `500ms`, `10s`, `2m`; a bare number is seconds.
public struct BenchDuration: Equatable, Sendable, CustomStringConvertible {
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// nil for anything else, and for what is more than a day.
    public init?(_ text: String) {
        let digits = text.prefix { ("0"..."9").contains($0) }
        let units: [Substring: Int64] = ["ms": 1_000_000, "s": 1_000_000_000, "": 1_000_000_000, "m": 60_000_000_000]
        guard let number = Int64(digits), number <= 86_400_000, let unit = units[text.dropFirst(digits.count)] else {
            return nil
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow, value <= 86_400_000_000_000 else { return nil }
        nanoseconds = value
    }

    public var description: String {
        nanoseconds.isMultiple(of: 1_000_000_000) ? "\(nanoseconds / 1_000_000_000)s" : "\(nanoseconds / 1_000_000)ms"
    }
}
