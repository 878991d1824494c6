// The index of one kind of record: 256 tables, and the memory that they lie in.

import StockModel

/// The shards of one kind of record. A hash's top byte names its shard, its low half places it there.
struct ShardedIndex: ~Copyable {
    private let shards: UnsafeMutablePointer<HashIndex>
    private var memory = TableMemory()
    /// Records in all shards.
    private(set) var count = 0
    /// Bytes of all tables.
    private(set) var bytes = 0

    init() {
        shards = .allocate(capacity: Shard.count)
        for index in 0..<Shard.count {
            (shards + index).initialize(to: HashIndex(in: &memory, shard: index))
            bytes += shards[index].bytes
        }
    }

    deinit {
        shards.deallocate()
    }

    /// The reference whose record `matches`; 0 when there is none.
    @inline(__always)
    func find(_ hash: UInt64, where matches: (UInt32) -> Bool) -> UInt32 {
        shards[Shard.of(hash)].find(UInt32(truncatingIfNeeded: hash), where: matches)
    }

    /// Fetches what a search for this hash looks at first.
    @inline(__always)
    func prefetch(_ hash: UInt64) { shards[Shard.of(hash)].prefetch(UInt32(truncatingIfNeeded: hash)) }

    /// The reference that a search for this hash finds first, or 0: only to fetch its record ahead of time.
    @inline(__always)
    func candidate(_ hash: UInt64) -> UInt32 { shards[Shard.of(hash)].candidate(UInt32(truncatingIfNeeded: hash)) }

    /// Adds a record that is not there.
    mutating func insert(_ hash: UInt64, _ reference: UInt32) {
        let shard = shards + Shard.of(hash)
        let before = shard.pointee.bytes
        if shard.pointee.insert(UInt32(truncatingIfNeeded: hash), reference, &memory) {
            bytes &+= shard.pointee.bytes &- before
        }
        count &+= 1
    }

    /// Removes a record that is there.
    mutating func remove(_ hash: UInt64, _ reference: UInt32) {
        shards[Shard.of(hash)].remove(UInt32(truncatingIfNeeded: hash), reference)
        count &-= 1
    }

    /// Memory that the tables will grow into soon and that is not ready for it.
    mutating func takeUnready() -> UnsafeMutableRawBufferPointer? { memory.takeUnready(entries: count) }

    /// Positions of one shard, for walks that sum up and for sweeps.
    func positions(ofShard shard: Int) -> Int { shards[shard].positions }

    func reference(shard: Int, position: Int) -> UInt32 { shards[shard].reference(at: position) }
}

/// The memory of the tables of all shards. Hashes spread evenly, so all shards grow at about the same time: tables of one
/// capacity lie side by side in one mapping, which takes memory as they are filled and gives it back as they are left.
struct TableMemory: ~Copyable {
    private struct Level {
        let mapping: MappedMemory
        /// Tables that were left, for each piece that is given back as a whole.
        let left: UnsafeMutablePointer<UInt16>
    }

    /// By the logarithm of the capacity; a level that was left is never needed again, as tables do not shrink.
    private let levels: UnsafeMutablePointer<Level?>
    /// The newest level, and how far its memory was made ready.
    private var newest = 0
    private var readyOffset = 0

    private static let levelCount = 32

    init() {
        levels = .allocate(capacity: TableMemory.levelCount)
        levels.initialize(repeating: nil, count: TableMemory.levelCount)
    }

    deinit {
        for level in 0..<TableMemory.levelCount {
            levels[level]?.mapping.unmap()
            levels[level]?.left.deallocate()
        }
        levels.deallocate()
    }

    /// A table of empty slots, at a cache line.
    ///
    /// - Parameter capacity: a power of two, at least a cache line's.
    mutating func take(_ capacity: UInt32, shard: Int) -> UnsafeMutablePointer<UInt64> {
        let level = capacity.trailingZeroBitCount
        let mapping = levels[level]?.mapping ?? addLevel(level)
        return (mapping.base + shard * Int(capacity) * 8).bindMemory(to: UInt64.self, capacity: Int(capacity))
    }

    @discardableResult
    private mutating func addLevel(_ level: Int) -> MappedMemory {
        let left = UnsafeMutablePointer<UInt16>.allocate(capacity: Shard.count)
        left.initialize(repeating: 0, count: Shard.count)
        let bytes = Shard.count * 8 << level
        let mapping = MappedMemory(count: bytes, isHuge: bytes >= TableMemory.smallestHuge)
        levels[level] = Level(mapping: mapping, left: left)
        newest = level
        readyOffset = 0
        return mapping
    }

    /// A table that was left. Its huge page goes back once all tables in it were left: splitting one would cost more.
    mutating func giveBack(_ capacity: UInt32, shard: Int) {
        let number = capacity.trailingZeroBitCount
        guard let level = levels[number] else { return invariant(false, "only what was taken is given back") }
        let bytes = Int(capacity) * 8
        let tables = min(Shard.count, max(1, MappedMemory.hugePage / bytes))
        let piece = shard / tables
        level.left[piece] += 1
        if Int(level.left[piece]) == tables { level.mapping.release(piece * tables * bytes, tables * bytes) }
    }

    /// The next part of the newest level that is not ready; before the tables are full, that is the level that they will
    /// move to.
    mutating func takeUnready(entries: Int) -> UnsafeMutableRawBufferPointer? {
        // A table grows when it is full to three quarters.
        let slots = Shard.count << newest
        if slots >= TableMemory.fewestSlots, entries >= slots / 20 * 13, newest + 1 < TableMemory.levelCount {
            addLevel(newest + 1)
        }
        guard slots >= TableMemory.fewestSlots, let mapping = levels[newest]?.mapping, readyOffset < mapping.count else { return nil }
        let unready = mapping.restOfPage(at: readyOffset)
        readyOffset += unready.count
        return unready
    }

    /// Smaller levels are not worth a thread's while: 2 MiB.
    private static let fewestSlots = MappedMemory.hugePage / 8
    /// Bytes of the smallest level in huge pages: the thread surely has it ready in time.
    private static let smallestHuge = 16 << 20
}
