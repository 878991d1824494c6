// What the clock is about to do, read ahead. A hold that runs out, or an order that is forgotten, is a handful of waits for
// memory: its record, its SKU, its buyer's place in the index and that count. The next of them are known, so the places
// of all of them are looked at first, and the waits overlap. It is what Ledger+Expect.swift does for commands.

import StockModel

/// The next records that the clock is about to change, with their hashes.
struct RecordsAhead: ~Copyable {
    struct Entry {
        var reference: Arena.Reference
        /// Of the first line, or 0.
        var ordinal: UInt32 = 0
        /// Of the id.
        var hash: UInt64 = 0
        /// Of the buyer and the first line's SKU, or 0.
        var pairHash: UInt64 = 0
    }

    private let entries: UnsafeMutablePointer<Entry>
    private(set) var count = 0
    /// Where the looked-at memory goes, so that looking is not left out.
    var sink: UInt64 = 0

    static let capacity = 32

    init() {
        entries = .allocate(capacity: RecordsAhead.capacity)
    }

    deinit {
        entries.deallocate()
    }

    mutating func removeAll() { count = 0 }

    var isFull: Bool { count == RecordsAhead.capacity }

    mutating func append(_ reference: Arena.Reference) {
        invariant(!isFull, "no more is looked at than finds room")
        (entries + count).initialize(to: Entry(reference: reference))
        count &+= 1
    }

    @inline(__always)
    subscript(index: Int) -> Entry {
        get { entries[index] }
        nonmutating _modify { yield &entries[index] }
    }
}

extension Ledger {
    /// Looks at what releasing the next due holds will look at.
    mutating func lookAtDueHolds(atMost limit: Int) {
        ahead.removeAll()
        holds.forEachDue(atMost: min(limit, RecordsAhead.capacity)) { ahead.append($0) }
        lookAtRecords()
    }

    /// Looks at what forgetting the next ended records will look at, up to a sequence.
    mutating func lookAtEndedRecords(through: UInt64) {
        ahead.removeAll()
        var reference = records.oldestEnded
        while reference != 0 && !ahead.isFull && records[reference].header.pointee.sequence <= through {
            ahead.append(reference)
            reference = records[reference].header.pointee.next
        }
        lookAtRecords()
        var sum: UInt64 = 0
        for index in 0..<ahead.count { sum &+= records.slot(of: ahead[index].hash) }
        ahead.sink = sum
    }

    /// Loads of one pass do not depend on each other, and hardly anything stands between them: the processor has as many of
    /// them under way at once as it can. (With the hashes in the same loop as the loads it had one or two.)
    private mutating func lookAtRecords() {
        var sum: UInt64 = 0
        for index in 0..<ahead.count { sum &+= records.glance(at: ahead[index].reference) }
        for index in 0..<ahead.count {
            let record = records[ahead[index].reference]
            ahead[index].hash = hashKey.hash(record.id)
            guard record.lineCount > 0 else { continue }
            let ordinal = record.lines[0].ordinal
            ahead[index].ordinal = ordinal
            if let buyer = record.buyer { ahead[index].pairHash = buyers.hash(buyer, ordinal) }
        }
        for index in 0..<ahead.count where ahead[index].ordinal != 0 { sum &+= stocks.glance(at: ahead[index].ordinal) }
        for index in 0..<ahead.count where ahead[index].pairHash != 0 { sum &+= buyers.slot(of: ahead[index].pairHash) }
        for index in 0..<ahead.count where ahead[index].pairHash != 0 { sum &+= buyers.glance(at: ahead[index].pairHash) }
        ahead.sink = sum
    }
}

extension StockTable {
    /// The lines of memory that the counters, the digests and the flags of a SKU lie in: a part of each.
    @inline(__always)
    func glance(at ordinal: UInt32) -> UInt64 {
        let stock = self[ordinal]
        return UInt64(bitPattern: stock.pointee.onhand) &+ stock.pointee.buyersDigest
            &+ (stock.pointee.isTouched ? 1 : 0)
    }

    /// The memory of its name.
    @inline(__always)
    func glance(atNameOf ordinal: UInt32) -> UInt64 { UInt64(key(ordinal)[0]) }
}
