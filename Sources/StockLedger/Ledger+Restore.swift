// The state loaded from rows, as the archive keeps them, instead of from the log's first event. Rows come from a
// file: each is checked before it is taken in, and the digest of all of them is compared at the end.

import StockModel

/// A row that does not fit the state that is being loaded: the database is damaged.
public struct RestoreError: Error, Equatable, CustomStringConvertible {
    public let problem: String

    public var description: String { problem }
}

/// What a store remembers beside its rows.
public struct LedgerRow: Equatable, Sendable {
    /// The newest event that the rows contain.
    public var sequence: UInt64
    /// Its time.
    public var clock: Timestamp
    public var forgottenBy: Timestamp
    public var forgottenCount: UInt64
    /// `Ledger.digest` of the whole.
    public var digest: UInt64

    public init(
        sequence: UInt64, clock: Timestamp, forgottenBy: Timestamp, forgottenCount: UInt64, digest: UInt64
    ) {
        self.sequence = sequence
        self.clock = clock
        self.forgottenBy = forgottenBy
        self.forgottenCount = forgottenCount
        self.digest = digest
    }
}

/// Builds a ledger from rows: first all SKUs by ordinal, then all records by sequence, then the buyers' counts.
public struct LedgerRestorer: ~Copyable {
    private var ledger: Ledger
    /// Returns, until all orders are there.
    private var waiting: [(record: UInt32, order: [UInt8])] = []
    /// Of the rows that come next.
    private var hashes = [UInt64](repeating: 0, count: LedgerRestorer.lookAhead)

    /// Records whose places in the index are looked at together, so that memory fetches them side by side.
    private static let lookAhead = 64

    public init(hashKey: HashKey, options: LedgerOptions = LedgerOptions()) {
        ledger = Ledger(hashKey: hashKey, options: options)
        ledger.beginReplay()
    }

    /// Takes in the SKU with the next ordinal, dropped ones included.
    public mutating func add(_ row: SKURow) throws(RestoreError) {
        guard row.ordinal == ledger.stocks.newest &+ 1, ledger.stocks.hasRoom else {
            throw RestoreError(problem: "SKU ordinal \(row.ordinal) does not follow \(ledger.stocks.newest)")
        }
        guard row.isDropped || ledger.stocks.find(row.key) == 0 else {
            throw RestoreError(problem: "the SKU \(row.key.text) stands twice")
        }
        let counters = [row.onhand, row.held, row.sold, row.settled, row.loaded, row.settings.floor]
        guard counters.allSatisfy({ $0 >= -Limits.counter && $0 <= Limits.counter }) else {
            throw RestoreError(problem: "a counter of \(row.key.text) is out of range")
        }
        let ordinal = ledger.stocks.create(row.key, isDropped: row.isDropped)
        let stock = ledger.stocks[ordinal]
        stock.pointee.onhand = row.onhand
        stock.pointee.held = row.held
        stock.pointee.sold = row.sold
        stock.pointee.settled = row.settled
        stock.pointee.loaded = row.loaded
        stock.pointee.floor = row.settings.floor
        stock.pointee.limit = row.settings.limit
        stock.pointee.opens = row.settings.opens
        stock.pointee.closes = row.settings.closes
        stock.pointee.isPaused = row.settings.paused
        ledger.touch(ordinal)
    }

    /// Takes in a remembered id. Those that have ended, but returns, come in the order of their sequences.
    public mutating func add(_ row: RecordRow) throws(RestoreError) {
        try add(row, ledger.hashKey.hash(row.id))
    }

    /// The same for many.
    public mutating func add(_ rows: UnsafeBufferPointer<RecordRow>) throws(RestoreError) {
        var next = 0
        while next < rows.count {
            let count = min(LedgerRestorer.lookAhead, rows.count - next)
            for index in 0..<count {
                hashes[index] = ledger.hashKey.hash(rows[next + index].id)
                ledger.records.prefetchSlot(of: hashes[index])
            }
            for index in 0..<count { try add(rows[next + index], hashes[index]) }
            next += count
        }
    }

    private mutating func add(_ row: RecordRow, _ hash: UInt64) throws(RestoreError) {
        guard ledger.records.find(row.id, hash) == 0 else {
            throw RestoreError(problem: "the id \(row.id.text) stands twice")
        }
        let isEmpty = row.flags.contains(.isEmpty)
        let wanted = row.state == .transferred ? 2...2 : isEmpty ? 0...0 : 1...Limits.pairs
        guard wanted.contains(row.lines.count), ledger.records.hasRoom,
            row.moment >= 0, row.moment <= 2 * Limits.timestamp, row.at >= -2 * Limits.timestamp,
            row.at <= 2 * Limits.timestamp, row.ttl <= UInt32(Limits.longestHold),
            (row.state == .return) == (row.returnOf != nil), !isEmpty || row.state == .cancelled,
            row.id.count <= Limits.tokenLength, (row.buyer?.count ?? 0) <= Limits.tokenLength
        else { throw RestoreError(problem: "the record of \(row.id.text) is not one that a ledger writes") }
        let quantities = 0...Limits.quantity
        for line in row.lines {
            guard ledger.stocks.isKnown(line.ordinal), quantities.contains(line.asked), quantities.contains(line.sold),
                quantities.contains(line.returned), line.returned <= line.sold
            else { throw RestoreError(problem: "a line of \(row.id.text) is not one that a ledger writes") }
        }
        let reference = ledger.records.insert(row.id, hash, buyer: row.buyer, lines: row.lines.count)
        let record = ledger.records[reference]
        for (index, line) in row.lines.enumerated() {
            var loaded = LineRecord(ordinal: line.ordinal, asked: line.asked)
            loaded.sold = line.sold
            loaded.returned = line.returned
            (record.lines + index).initialize(to: loaded)
        }
        record.header.pointee.state = row.state
        record.header.pointee.flags = row.flags
        record.header.pointee.sequence = row.sequence
        record.header.pointee.at = row.at
        record.header.pointee.ttl = row.ttl
        record.header.pointee.moment = row.moment
        if row.state == .held {
            let due = Timestamp(milliseconds: row.moment)
            record.header.pointee.link = ledger.holds.insert(reference, due: due, now: Timestamp(milliseconds: row.at))
        } else if row.state != .return {
            guard row.sequence >= ledger.records.newestEndedSequence else {
                throw RestoreError(problem: "the record of \(row.id.text) is out of order")
            }
            ledger.records.appendEnded(reference)
        }
        // The reference of a return's order is not hashed, so it may come later.
        if let order = row.returnOf { waiting.append((reference, Array(order.bytes))) }
        if row.isOrder { ledger.orderCount += 1 }
        ledger.include(record, hash)
    }

    /// Takes in what a buyer has of a SKU that was not dropped.
    public mutating func add(_ row: BuyerRow) throws(RestoreError) {
        guard ledger.stocks.isKnown(row.ordinal), !ledger.stocks[row.ordinal].pointee.isDropped, row.units > 0,
            row.units <= Limits.counter, row.buyer.count <= Limits.tokenLength,
            ledger.buyers.units(of: row.buyer, row.ordinal) == 0
        else { throw RestoreError(problem: "the count of the buyer \(row.buyer.text) is not one that a ledger writes") }
        ledger.countUnits(row.units, of: row.ordinal, for: row.buyer)
    }

    /// The loaded ledger, ready for the events after `row.sequence`.
    public consuming func finish(_ row: LedgerRow) throws(RestoreError) -> Ledger {
        for (reference, order) in waiting {
            let found = order.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return UInt32(0) }
                let id = Token(base: base, count: bytes.count)
                return ledger.records.find(id, ledger.hashKey.hash(id))
            }
            guard found != 0, ledger.records[found].isOrder else {
                throw RestoreError(problem: "the return \(ledger.records[reference].id.text) has no order")
            }
            ledger.records.attach(reference, to: found)
        }
        ledger.sequence = row.sequence
        ledger.clock = row.clock
        ledger.forgottenBy = row.forgottenBy
        ledger.forgottenCount = row.forgottenCount
        ledger.endReplay()
        let digest = ledger.digest()
        guard digest == row.digest else {
            throw RestoreError(problem: "the rows have the digest \(digest), not the \(row.digest) of their sequence")
        }
        return ledger
    }
}
