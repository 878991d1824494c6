// How many units of a SKU each buyer holds or has bought: what `limit=` is compared with.

import StockModel

/// Units held and sold per buyer and SKU; pairs with a count of zero are not kept.
struct BuyerCounts: ~Copyable {
    /// count i64, ordinal u32, length u8, then the buyer's bytes: 13 bytes and the id.
    private var arena = Arena(granuleShift: 3)
    private var index = ShardedIndex()
    private let hashKey: HashKey
    /// How far `sweep` has come; `nil` when nothing is left of dropped SKUs.
    private var sweeping: Sweep?

    init(hashKey: HashKey) {
        self.hashKey = hashKey
    }

    var count: Int { index.count }

    @inline(__always)
    var bytes: Int { arena.bytes &+ index.bytes }

    @inline(__always)
    var hasRoom: Bool { arena.hasRoom }

    mutating func takeUnready() -> UnsafeMutableRawBufferPointer? { arena.takeUnready() ?? index.takeUnready() }

    func units(of buyer: Token, _ ordinal: UInt32) -> Int64 {
        let reference = find(buyer, ordinal, hashKey.hash(buyer, and: UInt64(ordinal)))
        return reference == 0 ? 0 : arena.pointer(reference).load(as: Int64.self)
    }

    /// Adds units, negative ones when they are given back.
    ///
    /// - Returns: by how much the sum of the digests of this SKU's pairs changed, wrapping.
    mutating func add(_ units: Int64, to buyer: Token, _ ordinal: UInt32) -> UInt64 {
        guard units != 0 else { return 0 }
        let hash = hashKey.hash(buyer, and: UInt64(ordinal))
        let found = find(buyer, ordinal, hash)
        if found == 0 {
            let reference = arena.allocate(13 &+ buyer.count)
            let record = arena.pointer(reference)
            record.storeBytes(of: units, as: Int64.self)
            record.storeBytes(of: ordinal, toByteOffset: 8, as: UInt32.self)
            record.storeBytes(of: UInt8(truncatingIfNeeded: buyer.count), toByteOffset: 12, as: UInt8.self)
            (record + 13).copyMemory(from: buyer.base, byteCount: buyer.count)
            index.insert(hash, reference)
            return BuyerCounts.digest(buyer, ordinal, units)
        }
        let record = arena.pointer(found)
        let before = record.load(as: Int64.self)
        let after = before &+ units
        let removed = BuyerCounts.digest(buyer, ordinal, before)
        if after == 0 {
            index.remove(hash, found)
            arena.free(found, size: 13 &+ buyer.count)
            return 0 &- removed
        }
        record.storeBytes(of: after, as: Int64.self)
        return BuyerCounts.digest(buyer, ordinal, after) &- removed
    }

    /// What one pair adds to the digest.
    static func digest(_ buyer: Token, _ ordinal: UInt32, _ units: Int64) -> UInt64 {
        BuyerRow(buyer: buyer, ordinal: ordinal, units: units).digest
    }

    private func find(_ buyer: Token, _ ordinal: UInt32, _ hash: UInt64) -> Arena.Reference {
        index.find(hash) { reference in
            let pair = self.pair(reference)
            return pair.ordinal == ordinal && pair.buyer == buyer
        }
    }

    private func pair(_ reference: Arena.Reference) -> (buyer: Token, ordinal: UInt32, units: Int64) {
        let record = arena.pointer(reference)
        return (
            Token(base: record + 13, count: Int(record.load(fromByteOffset: 12, as: UInt8.self))),
            record.load(fromByteOffset: 8, as: UInt32.self), record.load(as: Int64.self)
        )
    }

    /// Calls `body` for every pair.
    func forEach(_ body: (_ buyer: Token, _ ordinal: UInt32, _ units: Int64) -> Void) {
        for shard in 0..<Shard.count {
            for position in 0..<index.positions(ofShard: shard) {
                let reference = index.reference(shard: shard, position: position)
                guard reference != 0 else { continue }
                let pair = pair(reference)
                body(pair.buyer, pair.ordinal, pair.units)
            }
        }
    }

    // MARK: Dropped SKUs

    /// A sweep goes through each shard from the last position to the first: the positions of a table that is being left
    /// come before those of the new one, so an entry that moves is met there, and what a removal pulls back is pulled
    /// to where the sweep has yet to go.
    private struct Sweep {
        var shard = 0
        /// Of the shard, when it was last looked at; 0: it was not yet.
        var positions = 0
        /// The next position is the one before this, and the last one of this pass is `lowest`.
        var left = 0
        var lowest = 0
        var isSecondPass = false

        mutating func begin(_ positions: Int) {
            self.positions = positions
            left = positions
            lowest = 0
            isSecondPass = false
        }

        /// A removal pulls entries from the beginning of a table round to its end when a run of them reaches over it.
        /// No run is as long as 1,024: so much of the end is looked at a second time, or all of two tables.
        mutating func beginSecondPass() {
            left = positions
            lowest = positions & (positions - 1) == 0 ? max(0, positions - 1_024) : 0
            isSecondPass = true
        }
    }

    /// A SKU was dropped: its pairs no longer count, and their memory is taken back by and by.
    mutating func startSweep() { sweeping = Sweep() }

    var isSweeping: Bool { sweeping != nil }

    /// Looks at no more than `limit` places and removes pairs of dropped SKUs; returns how many it looked at. Less than
    /// `limit`: the sweep is over.
    mutating func sweep(limit: Int, isDropped: (UInt32) -> Bool) -> Int {
        guard var sweep = sweeping else { return 0 }
        var looked = 0
        while looked < limit {
            let positions = index.positions(ofShard: sweep.shard)
            // A table that has begun to grow is gone through again; one that has grown has lost its last positions.
            if positions > sweep.positions { sweep.begin(positions) }
            sweep.positions = positions
            sweep.left = min(sweep.left, positions)
            while sweep.left > sweep.lowest, looked < limit {
                looked += 1
                // Removal may pull another entry into this place: it is looked at again.
                if !removePair(inShard: sweep.shard, at: sweep.left - 1, if: isDropped) { sweep.left -= 1 }
            }
            guard sweep.left <= sweep.lowest else { break }
            if !sweep.isSecondPass {
                sweep.beginSecondPass()
            } else if sweep.shard + 1 < Shard.count {
                sweep = Sweep(shard: sweep.shard + 1)
            } else {
                sweeping = nil
                return looked
            }
        }
        sweeping = sweep
        return looked
    }

    private mutating func removePair(inShard shard: Int, at position: Int, if isDropped: (UInt32) -> Bool) -> Bool {
        let reference = index.reference(shard: shard, position: position)
        guard reference != 0 else { return false }
        let pair = pair(reference)
        guard isDropped(pair.ordinal) else { return false }
        index.remove(hashKey.hash(pair.buyer, and: UInt64(pair.ordinal)), reference)
        arena.free(reference, size: 13 + pair.buyer.count)
        return true
    }
}
