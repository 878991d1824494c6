// What the clock is about to do, read ahead. A hold that runs out, or an order that is forgotten, is a handful of waits for
// memory: its record, its SKU, its buyer's place in the index and that count. The next of them are known, so the places
// of all of them are fetched first, and the waits overlap. It is what Ledger+Expect.swift does for commands.

import StockModel

/// The next records that the clock is about to change, with their hashes.
struct RecordsAhead: ~Copyable {
    struct Entry {
        var reference: Arena.Reference
        /// Of the id.
        var hash: UInt64 = 0
        /// Of the buyer and the first line's SKU, or 0.
        var pairHash: UInt64 = 0
    }

    private let entries: UnsafeMutablePointer<Entry>
    private(set) var count = 0

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
    /// Fetches what releasing the next due holds will look at.
    mutating func lookAtDueHolds(atMost limit: Int) {
        ahead.removeAll()
        holds.forEachDue(atMost: min(limit, RecordsAhead.capacity)) { ahead.append($0) }
        fetchRecordsAhead()
    }

    /// Fetches what forgetting the next ended records will look at, up to a sequence.
    mutating func lookAtEndedRecords(through: UInt64) {
        ahead.removeAll()
        var reference = records.oldestEnded
        while reference != 0 && !ahead.isFull && records[reference].header.pointee.sequence <= through {
            ahead.append(reference)
            reference = records[reference].header.pointee.next
        }
        fetchRecordsAhead()
        for index in 0..<ahead.count { records.prefetchSlot(of: ahead[index].hash) }
    }

    /// Each pass fetches what the one before it has found.
    private mutating func fetchRecordsAhead() {
        for index in 0..<ahead.count { records.prefetch(ahead[index].reference) }
        for index in 0..<ahead.count {
            let record = records[ahead[index].reference]
            ahead[index].hash = hashKey.hash(record.id)
            guard record.lineCount > 0 else { continue }
            let ordinal = record.lines[0].ordinal
            stocks.prefetch(ordinal)
            guard let buyer = record.buyer else { continue }
            ahead[index].pairHash = buyers.hash(buyer, ordinal)
            buyers.prefetchSlot(of: ahead[index].pairHash)
        }
        for index in 0..<ahead.count where ahead[index].pairHash != 0 { buyers.prefetchPair(of: ahead[index].pairHash) }
    }
}
