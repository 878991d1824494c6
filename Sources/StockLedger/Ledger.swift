// The state machine. It is handed commands and the time, decides them in the documented order of checks, changes its
// tables and emits one event for each change. It has no clock, does no input or output and draws no random numbers:
// the same calls give the same state whenever they run.
//
// The parts: Ledger+Stock (counters), Ledger+Promise (DEDUCT, RESERVE), Ledger+Settle (what happens to an order
// later), Ledger+Clock (expiry and forgetting), Ledger+LookAhead (their memory, read ahead), Ledger+Replay (the log
// applied again), Ledger+Changes (what all of these do to the tables, once the checks are over), Ledger+Digest (keeping up
// the digest), Ledger+Pages (looking), Ledger+Laws and Ledger+Verify (proving it right).

import StockModel

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
    /// Remembered ids.
    public var maximumOrders = 1_000_000_000

    public init() {}
}

/// The counters, orders, buyers and timers of one store.
public struct Ledger: ~Copyable {
    /// The newest event.
    public internal(set) var sequence: UInt64 = 0
    /// The latest moment that any command or event has shown the ledger; it never goes back.
    public internal(set) var clock = Timestamp(milliseconds: 0)

    let hashKey: HashKey
    let options: LedgerOptions

    var stocks: StockTable
    var records = RecordTable()
    var buyers: BuyerCounts
    var holds = TimingWheel()
    var expected = ExpectedKeys()
    /// Records that the clock is about to change.
    var ahead = RecordsAhead()

    /// Records that are orders; the others are operations.
    public internal(set) var orderCount = 0
    /// The newest end among the forgotten: an unknown id born by then may have been one of them.
    var forgottenBy = Timestamp(milliseconds: -1)
    /// Ids that have been forgotten.
    public internal(set) var forgottenCount: UInt64 = 0
    var lastForgetting = Timestamp(milliseconds: 0)

    /// Per shard, the sums of the hashes of remembered ids, and of SKUs with their buyers' counts.
    let recordDigests: UnsafeMutablePointer<UInt64>
    let stockDigests: UnsafeMutablePointer<UInt64>
    var walk = LawWalk()
    /// SKUs whose part of the digest is to be counted again: a ring, from the one that waits longest.
    let touched: UnsafeMutablePointer<UInt32>
    var touchedFirst = 0
    var touchedCount = 0
    /// Counts how often room was made in it.
    var timesFull: UInt8 = 0
    /// A power of two. When it is full, some are counted, a few at a time: nobody pays for all of them.
    static let touchedCapacity = 4_096
    static let touchedBatch = 32
    /// In a replay the list may be too short: then all SKUs are gone through in the end.
    var isReplaying = false
    var hasTouchedMore = false

    /// The SKUs and lines of the command that is being decided.
    let resolved: UnsafeMutablePointer<UInt32>
    /// The lines of the event that is being emitted.
    let eventLines: UnsafeMutablePointer<EventLine>
    /// The lines of an order that is being shown.
    let shownLines: UnsafeMutablePointer<OrderLine>

    public init(hashKey: HashKey, options: LedgerOptions = LedgerOptions()) {
        self.hashKey = hashKey
        self.options = options
        stocks = StockTable(hashKey: hashKey)
        buyers = BuyerCounts(hashKey: hashKey)
        recordDigests = .allocate(capacity: Shard.count)
        recordDigests.initialize(repeating: 0, count: Shard.count)
        stockDigests = .allocate(capacity: Shard.count)
        stockDigests.initialize(repeating: 0, count: Shard.count)
        touched = .allocate(capacity: Ledger.touchedCapacity)
        resolved = .allocate(capacity: Limits.pairs)
        resolved.initialize(repeating: 0, count: Limits.pairs)
        eventLines = .allocate(capacity: Limits.pairs)
        shownLines = .allocate(capacity: Limits.pairs)
    }

    deinit {
        recordDigests.deallocate()
        stockDigests.deallocate()
        touched.deallocate()
        resolved.deallocate()
        eventLines.deallocate()
        shownLines.deallocate()
    }

    /// Decides one command. Accepted: the state has changed and exactly one event is in `events` (before it, the
    /// release of a due order that the command touched). Refused, a look, or a replay: nothing but such a release
    /// happened.
    ///
    /// - Parameters:
    ///   - command: within `Limits`, its lines distinct, as the parser gives it.
    ///   - now: one moment for a whole turn. A moment before `clock` counts as `clock`.
    ///   - admission: whether changes are taken at all.
    ///   - events: where to append.
    public mutating func execute(
        _ command: Command, at now: Timestamp, admission: Admission, events: inout EventBuffer
    ) -> Outcome {
        if now > clock { clock = now }
        switch command {
        case .deduct(let order):
            return deduct(order, at: now, admission: admission, events: &events)
        case .reserve(let order, let ttl):
            return promise(order, ttl: ttl, admission, &events)
        case .confirm(let id, let lines, let late):
            return confirm(id, lines, late: late, admission, &events)
        case .cancel(let id, let born, let reason):
            return cancel(id, born: born, reason: reason, admission, &events)
        case .extend(let id, let ttl):
            return extend(id, ttl: ttl, admission, &events)
        case .giveBack(let key, let order, let lines):
            return giveBack(key, order: order, lines, admission, &events)
        case .lookup(let id):
            return lookup(id, admission, &events)
        case .get(let sku):
            return get(sku)
        case .create(let sku, let onhand, let settings):
            return create(sku, onhand: onhand, settings, admission, &events)
        case .adjust(let id, let sku, let delta, let reason, let force):
            return adjust(id, sku, delta: delta, reason: reason, force: force, admission, &events)
        case .count(let sku, let onhand, let condition, let force):
            return count(sku, onhand: onhand, condition, force: force, admission, &events)
        case .configure(let sku, let settings):
            return configure(sku, settings, admission, &events)
        case .transfer(let id, let from, let to, let quantity):
            return transfer(id, from: from, to: to, quantity: quantity, admission, &events)
        case .drop(let sku):
            return drop(sku, admission, &events)
        }
    }

    // MARK: Figures

    public var skuCount: Int { stocks.count }
    public var holdCount: Int { holds.count }
    /// Ids of adjustments, counts, transfers and returns.
    public var operationCount: Int { records.count - orderCount }
    /// Buyers with units of a SKU, a pair each.
    public var buyerCount: Int { buyers.count }

    /// Bytes of all tables.
    @inline(__always)
    public var memoryInUse: Int { stocks.bytes &+ records.bytes &+ buyers.bytes &+ holds.bytes }

    /// Bytes of the tables, each with its indexes: SKUs, remembered ids, buyers' counts, open holds.
    public var memoryByTable: (skus: Int, orders: Int, buyers: Int, holds: Int) {
        (stocks.bytes, records.bytes, buyers.bytes, holds.bytes)
    }

    /// Of the remembered ids' bytes, those of the index.
    public var orderIndexMemory: Int { records.indexBytes }

    /// Memory that the tables will write to soon and that should be made ready for it, a huge page at most; `nil`: there is
    /// none. It may be touched at any time, by any thread, as long as the ledger lives; nothing happens if it is not.
    public mutating func takeUnready() -> UnsafeMutableRawBufferPointer? {
        records.takeUnready() ?? buyers.takeUnready()
    }

    /// The sum of the hashes of all items, and of what the ledger remembers of those it forgot: equal for equal states.
    public mutating func digest() -> UInt64 {
        countTouched()
        var sum: UInt64 = 0
        for shard in 0..<Shard.count { sum &+= recordDigests[shard] &+ stockDigests[shard] }
        var hasher = ItemHasher(.ledger)
        hasher.combineLedger(
            newestOrdinal: stocks.newest, forgottenBy: forgottenBy, forgottenCount: forgottenCount)
        return sum &+ hasher.finish()
    }

    // MARK: What every decision needs

    /// Whether changes are refused at this moment, for a change that draws on no new memory to speak of.
    @inline(__always)
    func refusal(_ admission: Admission) -> Refusal? {
        switch admission {
        case .open: nil
        case .busy: .busy
        case .readOnly: .readOnly
        }
    }

    /// The same for a change that remembers a new id.
    @inline(__always)
    func refusalOfNewID(_ admission: Admission) -> Refusal? {
        if let refusal = refusal(admission) { return refusal }
        if records.count >= options.maximumOrders { return .full(.orders) }
        if memoryInUse > options.maximumMemory || !records.hasRoom || !buyers.hasRoom { return .full(.memory) }
        return nil
    }

    /// The record of an id, or 0. A hold that has run out is released first, whatever the command is.
    mutating func known(
        _ id: Token, _ hash: UInt64, _ admission: Admission, _ events: inout EventBuffer
    ) -> Arena.Reference {
        let reference = records.find(id, hash)
        if reference != 0 {
            let header = records[reference].header
            if header.pointee.state == .held && header.pointee.moment <= clock.milliseconds && admission != .readOnly {
                release(reference, hash, .expired)
                events.appendExpired(id: records[reference].id, lines: releasedLines(reference))
            }
        }
        return reference
    }

    /// The answer to a command whose id is taken by something else.
    func conflict(_ id: Token, _ reference: Arena.Reference) -> Outcome {
        let header = records[reference].header
        return .refused(.conflict(id: id, state: header.pointee.state, sequence: header.pointee.sequence))
    }

    func lines(_ count: Int) -> EventLines { EventLines(start: eventLines, count: count) }

    /// One event line: what `ordinal` looks like now, after `quantity` moved.
    func line(_ ordinal: UInt32, _ quantity: Int64) -> EventLine {
        EventLine(ordinal: ordinal, quantity: quantity, after: stocks[ordinal].pointee.after)
    }
}
