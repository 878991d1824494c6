import StockModel

// Skeleton of the public face; the state machine behind it is being written.

/// Whether changes are taken now. The server sets it for each turn.
public enum Admission: Sendable {
    case open
    /// The disk is behind.
    case busy
    /// The log cannot be written.
    case readOnly
}

/// The limits of one ledger.
public struct LedgerOptions: Sendable {
    /// How long ids are remembered after their order ended, in milliseconds.
    public var retention: Int64 = 24 * 3_600_000
    /// Bytes of all tables; beyond it new promises get `-FULL memory`.
    public var maximumMemory = Int.max
    public var maximumSKUs = 100_000_000
    public var maximumOrders = 1_000_000_000

    public init() {}
}

/// An event of the log that does not fit the state it is applied to: the log or the program is damaged.
public struct ReplayError: Error, CustomStringConvertible {
    public let sequence: UInt64
    public let problem: String
    public var description: String { "event \(sequence): \(problem)" }
}

/// Where a page of `SKUS` or `HOLDS` continues.
public enum PageStep<Item> {
    case item(Item)
    /// The budget of this page is used up: continue from `token`.
    case more
    case end
}

/// The page of `SKUS` that is being read.
public struct StockCursor {
    var position: Int
    var budget: Int
    var prefix: Token?
}

/// The page of `HOLDS` that is being read.
public struct HoldCursor {
    var position: Int
    var budget: Int
    var sku: Token?
    var buyer: Token?
}

/// The state machine: counters, orders, buyers and timers of one store. It is handed its time, does no input or
/// output, and the same calls give the same state, whenever they run.
public struct Ledger: ~Copyable {
    /// The newest event.
    public private(set) var sequence: UInt64 = 0

    public init(hashKey: HashKey, options: LedgerOptions = LedgerOptions()) {}

    /// Decides one command. Accepted: the state has changed and exactly one event is in `events` (before it, the
    /// release of a due order that the command touched). Refused: nothing but such a release happened.
    public mutating func execute(
        _ command: Command, at now: Timestamp, admission: Admission, events: inout EventBuffer
    ) -> Outcome { fatalError() }

    /// Releases at most `limit` holds that are due; returns how many steps of the limit were used (less than
    /// `limit`: nothing is left to do at `now`).
    public mutating func expire(at now: Timestamp, limit: Int, events: inout EventBuffer) -> Int { 0 }

    /// When `expire` has something to do next, or a moment before it; `nil` when no hold is open.
    public var nextExpiry: Timestamp? { nil }

    /// Forgets at most about `limit` ended orders and operations whose retention is over; returns as `expire` does.
    public mutating func forget(at now: Timestamp, limit: Int, events: inout EventBuffer) -> Int { 0 }

    /// When `forget` has something to do next; `nil` when nothing has ended.
    public var nextForgetting: Timestamp? { nil }

    /// Applies one event of the log.
    public mutating func apply(_ event: Event, sequence: UInt64, at time: Timestamp) throws(ReplayError) {}

    // Pages. A token is a decimal number for the client; `nil` cursor: that token was never given.
    public func stockCursor(prefix: Token?, after token: UInt64?) -> StockCursor? { nil }
    public mutating func next(_ cursor: inout StockCursor, at now: Timestamp) -> PageStep<StockView> { .end }
    public func token(of cursor: StockCursor) -> UInt64 { 0 }
    public mutating func holdCursor(sku: Token?, buyer: Token?, after token: UInt64?) -> HoldCursor? { nil }
    public mutating func next(_ cursor: inout HoldCursor, at now: Timestamp) -> PageStep<OrderView> { .end }
    public func token(of cursor: HoldCursor) -> UInt64 { 0 }

    // Figures for STATS.
    public var skuCount: Int { 0 }
    /// Orders that are remembered, whatever their state.
    public var orderCount: Int { 0 }
    public var holdCount: Int { 0 }
    /// Ids of adjustments, counts, transfers, returns and empty cancels.
    public var operationCount: Int { 0 }
    /// Bytes of all tables.
    public var memoryInUse: Int { 0 }
    /// The sum of the hashes of all items: equal for equal states.
    public mutating func digest() -> UInt64 { 0 }
    /// The latest moment that any event or command has shown the ledger.
    public var clock: Timestamp { Timestamp(milliseconds: 0) }

    /// Recomputes every law from scratch; `nil`, or the first that is broken. Slow: for tests and diagnosis.
    public mutating func brokenLaw() -> String? { nil }
}
