// From the hash of a key to the record that has it. 256 shards, each an open-addressing table of its own that grows
// by moving a few entries with every insertion: no request ever pays for a rehash.

import CMemory
import StockModel

/// One shard's table: 64-bit slots of a 32-bit tag (the hash's low half) and a 32-bit reference.
///
/// Linear probing from the beginning of a cache line, so that a search nearly always ends in the one line that it begins
/// with, however full the table is. Removal shifts back what follows, so there are no tombstones but in a table that is
/// being left. The tag alone places an entry, so that growing never touches the records.
struct HashIndex {
    private var slots: UnsafeMutablePointer<UInt64>
    private var mask: UInt32
    private var count: UInt32 = 0

    /// The smaller table that is being left, its slots before `migrated` empty or moved.
    private var old: UnsafeMutablePointer<UInt64>?
    private var oldMask: UInt32 = 0
    private var migrated: UInt32 = 0
    private let shard: UInt32

    /// A cache line.
    private static let lineSlots: UInt32 = 8
    static let firstCapacity = lineSlots
    /// In the old table: the entry that was here is in the new one, or gone. No record has this reference.
    private static let moved = UInt64.max
    /// Slots of the old table looked at per insertion. The new table has room for half as many entries again as
    /// the old one had slots, so two would do; eight are over sooner.
    private static let slotsPerInsertion = lineSlots

    /// - Parameters:
    ///   - memory: of the tables of all shards, also later.
    ///   - shard: which of them this is.
    init(in memory: inout TableMemory, shard: Int) {
        self.shard = UInt32(truncatingIfNeeded: shard)
        slots = memory.take(HashIndex.firstCapacity, shard: shard)
        mask = HashIndex.firstCapacity &- 1
    }

    /// Bytes of the tables.
    var bytes: Int {
        (Int(mask) &+ 1 &+ (old == nil ? 0 : Int(oldMask) &+ 1)) &* 8
    }

    @inline(__always)
    private static func tag(_ slot: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: slot >> 32) }

    @inline(__always)
    private static func reference(_ slot: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: slot) }

    /// Where the search for a tag begins in a table.
    @inline(__always)
    private static func home(_ tag: UInt32, _ mask: UInt32) -> UInt32 { tag & mask & ~(lineSlots &- 1) }

    /// The reference whose record `matches`; 0 when there is none.
    @inline(__always)
    func find(_ tag: UInt32, where matches: (UInt32) -> Bool) -> UInt32 {
        var place = HashIndex.home(tag, mask)
        while true {
            let slot = slots[Int(place)]
            if slot == 0 { break }
            if HashIndex.tag(slot) == tag && matches(HashIndex.reference(slot)) { return HashIndex.reference(slot) }
            place = (place &+ 1) & mask
        }
        guard let old else { return 0 }
        place = HashIndex.home(tag, oldMask)
        while true {
            let slot = old[Int(place)]
            if slot == 0 { return 0 }
            if HashIndex.tag(slot) == tag && slot != HashIndex.moved && matches(HashIndex.reference(slot)) {
                return HashIndex.reference(slot)
            }
            place = (place &+ 1) & oldMask
        }
    }

    /// Fetches the lines that a search for this tag, and then its insertion, begin with.
    @inline(__always)
    func prefetch(_ tag: UInt32) {
        cmemory_prefetch(slots + Int(HashIndex.home(tag, mask)))
        guard let old else { return }
        cmemory_prefetch(old + Int(HashIndex.home(tag, oldMask)))
        // What will be moved next, and the two places where it can go.
        let moving = migrated & oldMask
        cmemory_prefetch(old + Int(moving))
        cmemory_prefetch(slots + Int(moving))
        cmemory_prefetch(slots + Int((moving &+ oldMask &+ 1) & mask))
    }

    /// The first reference with this tag in the line where it belongs, or 0.
    @inline(__always)
    func candidate(_ tag: UInt32) -> UInt32 {
        let line = slots + Int(HashIndex.home(tag, mask))
        for place in 0..<Int(HashIndex.lineSlots) where HashIndex.tag(line[place]) == tag {
            return HashIndex.reference(line[place])
        }
        return 0
    }

    /// Adds a record that is not in the table.
    ///
    /// - Returns: whether `bytes` has changed.
    @inline(__always)
    mutating func insert(_ tag: UInt32, _ reference: UInt32, _ memory: inout TableMemory) -> Bool {
        let resizes = prepareInsertion(&memory)
        place(UInt64(tag) << 32 | UInt64(reference))
        return resizes
    }

    @inline(__always)
    private mutating func prepareInsertion(_ memory: inout TableMemory) -> Bool {
        let isFull = (UInt64(count) &+ 1) &* 4 > (UInt64(mask) &+ 1) &* 3
        if old == nil && !isFull { return false }
        if old != nil { migrate(HashIndex.slotsPerInsertion, &memory) }
        if isFull { grow(&memory) }
        return isFull || old == nil
    }

    private mutating func place(_ entry: UInt64) {
        var place = HashIndex.home(HashIndex.tag(entry), mask)
        while slots[Int(place)] != 0 { place = (place &+ 1) & mask }
        slots[Int(place)] = entry
        count &+= 1
    }

    private mutating func grow(_ memory: inout TableMemory) {
        while old != nil { migrate(1_024, &memory) }
        let capacity = mask &+ 1
        invariant(capacity < 1 << 31, "the arena runs out before one shard has 2^31 entries")
        old = slots
        oldMask = mask
        migrated = 0
        slots = memory.take(capacity * 2, shard: Int(shard))
        mask = capacity * 2 &- 1
        count = 0
    }

    private mutating func migrate(_ limit: UInt32, _ memory: inout TableMemory) {
        guard let old else { return }
        var left = limit
        while left > 0 && migrated <= oldMask {
            let slot = old[Int(migrated)]
            if slot != 0 && slot != HashIndex.moved {
                old[Int(migrated)] = HashIndex.moved
                place(slot)
            }
            migrated &+= 1
            left &-= 1
        }
        if migrated > oldMask {
            memory.giveBack(oldMask &+ 1, shard: Int(shard))
            self.old = nil
        }
    }

    /// Removes the entry for `reference`, which is in the table.
    mutating func remove(_ tag: UInt32, _ reference: UInt32) {
        let entry = UInt64(tag) << 32 | UInt64(reference)
        var place = HashIndex.home(tag, mask)
        while slots[Int(place)] != 0 {
            if slots[Int(place)] == entry {
                closeGap(at: place)
                count &-= 1
                return
            }
            place = (place &+ 1) & mask
        }
        guard let old else { return invariant(false, "only what is in a table is removed from it") }
        place = HashIndex.home(tag, oldMask)
        while old[Int(place)] != entry {
            invariant(old[Int(place)] != 0, "only what is in a table is removed from it")
            place = (place &+ 1) & oldMask
        }
        old[Int(place)] = HashIndex.moved
    }

    /// Moves entries of the same run back, so that each is still found from its home slot (Knuth, TAOCP 6.4, R).
    private mutating func closeGap(at gap: UInt32) {
        var gap = gap
        var place = (gap &+ 1) & mask
        while slots[Int(place)] != 0 {
            let home = HashIndex.home(HashIndex.tag(slots[Int(place)]), mask)
            // The entry may move when its home is not strictly between the gap and its place.
            if (place &- home) & mask >= (place &- gap) & mask {
                slots[Int(gap)] = slots[Int(place)]
                gap = place
            }
            place = (place &+ 1) & mask
        }
        slots[Int(gap)] = 0
    }

    /// Slots to walk over with `reference(at:)`.
    var positions: Int { Int(mask) &+ 1 &+ (old == nil ? 0 : Int(oldMask) &+ 1) }

    /// The reference at a position, 0 when it is empty. Valid until the next insertion or removal.
    func reference(at position: Int) -> UInt32 {
        if position <= Int(mask) { return HashIndex.reference(slots[position]) }
        guard let old, position - Int(mask) - 1 <= Int(oldMask) else { return 0 }
        let slot = old[position - Int(mask) - 1]
        return slot == HashIndex.moved ? 0 : HashIndex.reference(slot)
    }
}
