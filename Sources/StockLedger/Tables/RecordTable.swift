// All remembered ids, found by id, and the queue of those that have ended, in the order in which they ended.

import CMemory
import StockModel

/// Orders and operations in one namespace.
struct RecordTable: ~Copyable {
    private var arena = Arena(granuleShift: 3)
    private var index = ShardedIndex()
    /// Ended records, oldest first. Their newest sequences and their moments both grow along the queue.
    private(set) var oldestEnded: Arena.Reference = 0
    private var newestEnded: Arena.Reference = 0
    /// The ended record that a walk comes to next.
    private var walker: Arena.Reference = 0
    /// New records carry it: a walk need not visit them.
    private var mark: UInt16 = 0

    /// Remembered ids.
    var count: Int { index.count }

    @inline(__always)
    var bytes: Int { arena.bytes &+ index.bytes }

    /// Of `bytes`, those of the index.
    var indexBytes: Int { index.bytes }

    @inline(__always)
    var hasRoom: Bool { arena.hasRoom }

    mutating func takeUnready() -> UnsafeMutableRawBufferPointer? { arena.takeUnready() ?? index.takeUnready() }

    @inline(__always)
    subscript(reference: Arena.Reference) -> Record { Record(base: arena.pointer(reference)) }

    /// The record of an id, or 0.
    @inline(__always)
    func find(_ id: Token, _ hash: UInt64) -> Arena.Reference {
        index.find(hash) { reference in
            let record = self[reference]
            return Int(record.header.pointee.idLength) == id.count
                && equalBytes(record.id.base, id.base, count: id.count)
        }
    }

    /// Fetches the memory that `find` begins with.
    @inline(__always)
    func prefetchSlot(of hash: UInt64) { index.prefetch(hash) }

    /// Fetches the record that `find` most likely ends with, once its slot is there.
    @inline(__always)
    func prefetchRecord(of hash: UInt64) {
        let reference = index.candidate(hash)
        guard reference != 0 else { return }
        let base = arena.pointer(reference)
        cmemory_prefetch(base)
        cmemory_prefetch(base + 64)
    }

    /// Adds a record for an id that is not remembered. The caller fills in header and lines.
    mutating func insert(_ id: Token, _ hash: UInt64, buyer: Token?, lines: Int) -> Arena.Reference {
        let buyerLength = buyer?.count ?? 0
        let reference = arena.allocate(Record.size(lines: lines, id: id.count, buyer: buyerLength))
        let record = self[reference]
        var header = RecordHeader()
        header.lineCount = UInt16(truncatingIfNeeded: lines)
        header.idLength = UInt8(truncatingIfNeeded: id.count)
        header.buyerLength = UInt8(truncatingIfNeeded: buyerLength)
        header.walk = mark
        record.header.initialize(to: header)
        let place = UnsafeMutableRawPointer(mutating: record.id.base)
        place.copyMemory(from: id.base, byteCount: id.count)
        if let buyer { (place + id.count).copyMemory(from: buyer.base, byteCount: buyer.count) }
        index.insert(hash, reference)
        return reference
    }

    /// Forgets a record that is not in the queue of ended ones.
    mutating func remove(_ reference: Arena.Reference, _ hash: UInt64) {
        index.remove(hash, reference)
        arena.free(reference, size: self[reference].size)
    }

    // MARK: The queue of ended records

    /// The sequence of the newest of them, or 0.
    var newestEndedSequence: UInt64 { newestEnded == 0 ? 0 : self[newestEnded].header.pointee.sequence }

    /// Puts a record at the end of the queue: it has just ended.
    mutating func appendEnded(_ reference: Arena.Reference) {
        let header = self[reference].header
        header.pointee.link = newestEnded
        header.pointee.next = 0
        if newestEnded == 0 {
            oldestEnded = reference
        } else {
            self[newestEnded].header.pointee.next = reference
        }
        newestEnded = reference
        // A walk that had come to the end goes on with what it has not visited.
        if walker == 0 && mark != 0 && header.pointee.walk != mark { walker = reference }
    }

    mutating func removeEnded(_ reference: Arena.Reference) {
        let (previous, next) = (self[reference].header.pointee.link, self[reference].header.pointee.next)
        if previous == 0 { oldestEnded = next } else { self[previous].header.pointee.next = next }
        if next == 0 { newestEnded = previous } else { self[next].header.pointee.link = previous }
        if walker == reference { walker = next }
    }

    /// Adds a return to those of its order.
    func attach(_ returned: Arena.Reference, to order: Arena.Reference) {
        self[returned].header.pointee.ttl = order
        self[returned].header.pointee.next = self[order].header.pointee.newestReturn
        self[order].header.pointee.newestReturn = returned
    }

    // MARK: Walking

    /// Begins a walk over the ended records. What is appended behind the walker is visited too; what is new carries
    /// `mark` and was counted when it came.
    mutating func startWalk(mark: UInt16) {
        self.mark = mark
        walker = oldestEnded
    }

    mutating func stopWalk() {
        mark = 0
        walker = 0
    }

    /// The next ended record of the walk.
    mutating func nextToWalk() -> Arena.Reference? {
        guard walker != 0 else { return nil }
        let reference = walker
        walker = self[reference].header.pointee.next
        return reference
    }

    func positions(ofShard shard: Int) -> Int { index.positions(ofShard: shard) }

    func reference(shard: Int, position: Int) -> Arena.Reference {
        index.reference(shard: shard, position: position)
    }
}
