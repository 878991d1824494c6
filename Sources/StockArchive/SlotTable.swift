// From a hash to the slot of a row that the fold has in memory: the index of an array. Open addressing; it only grows
// until the fold is over.

import StockModel

/// Slots found by a 64-bit hash. The hash is keyed (`HashKey`), so nobody can choose names that collide.
struct SlotTable: ~Copyable {
    private struct Entry {
        var hash: UInt64
        /// The slot and one; 0: free.
        var slot: UInt32
    }

    private static let smallest = 1 << 10
    private var entries = [Entry](repeating: Entry(hash: 0, slot: 0), count: SlotTable.smallest)
    private var count = 0

    /// The slot with this hash that `matches`, or `nil`.
    func find(_ hash: UInt64, _ matches: (Int) -> Bool) -> Int? {
        var position = Int(truncatingIfNeeded: hash) & (entries.count - 1)
        while entries[position].slot != 0 {
            if entries[position].hash == hash, matches(Int(entries[position].slot) - 1) {
                return Int(entries[position].slot) - 1
            }
            position = (position + 1) & (entries.count - 1)
        }
        return nil
    }

    /// Adds a slot. The caller has made sure that no slot that is there would match, or wants that one shadowed: the
    /// caller's `matches` tells them apart.
    mutating func insert(_ hash: UInt64, _ slot: Int) {
        if count * 2 >= entries.count { grow() }
        place(Entry(hash: hash, slot: UInt32(truncatingIfNeeded: slot + 1)))
        count += 1
    }

    mutating func removeAll() {
        guard count > 0 else { return }
        if entries.count > SlotTable.smallest { entries.removeLast(entries.count - SlotTable.smallest) }
        for position in entries.indices { entries[position].slot = 0 }
        count = 0
    }

    private mutating func place(_ entry: Entry) {
        var position = Int(truncatingIfNeeded: entry.hash) & (entries.count - 1)
        while entries[position].slot != 0 { position = (position + 1) & (entries.count - 1) }
        entries[position] = entry
    }

    private mutating func grow() {
        let old = entries
        entries = [Entry](repeating: Entry(hash: 0, slot: 0), count: old.count * 2)
        for entry in old where entry.slot != 0 { place(entry) }
    }
}
