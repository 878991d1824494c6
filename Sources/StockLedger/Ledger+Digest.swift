// Keeping the digest up while things change: of a record it follows at once, before and after each change; of a SKU
// later, since a hot one changes many times in between; and a buyer's count is a part of its SKU's.

import StockModel

extension Ledger {
    /// A record is about to change, or to go.
    @inline(__always)
    mutating func exclude(_ record: Record, _ hash: UInt64) {
        let digest = record.digest
        recordDigests[Shard.of(hash)] &-= digest
        if record.header.pointee.walk == walk.number { walk.remove(record, digest, shard: Shard.of(hash)) }
    }

    /// A record is new, or has changed.
    @inline(__always)
    mutating func include(_ record: Record, _ hash: UInt64) {
        let digest = record.digest
        recordDigests[Shard.of(hash)] &+= digest
        if record.header.pointee.walk == walk.number { walk.add(record, digest, shard: Shard.of(hash)) }
    }

    /// Changes a record that differs from before in its head alone.
    @inline(__always)
    mutating func setHead(of record: Record, _ hash: UInt64, _ head: RecordHead) {
        let shard = Shard.of(hash)
        let digests = record.digests(with: head)
        recordDigests[shard] &+= digests.after &- digests.before
        let isWalked = record.header.pointee.walk == walk.number
        if isWalked { walk.remove(record, digests.before, shard: shard) }
        record.header.pointee.state = head.state
        record.header.pointee.sequence = head.sequence
        record.header.pointee.moment = head.moment
        if isWalked { walk.add(record, digests.after, shard: shard) }
    }

    mutating func countUnits(_ units: Int64, of ordinal: UInt32, for buyer: Token?) {
        guard let buyer else { return }
        count(units, of: ordinal, for: buyer, buyers.hash(buyer, ordinal))
    }

    mutating func count(_ units: Int64, of ordinal: UInt32, for buyer: Token, _ hash: UInt64) {
        let change = buyers.add(units, to: buyer, ordinal, hash)
        let stock = stocks[ordinal]
        stock.pointee.buyersDigest &+= change
        stockDigests[Int(stock.pointee.shard)] &+= change
    }

    /// Notes that a SKU's part of the digest is out of date. A hot SKU is hashed once for many sales.
    mutating func touch(_ ordinal: UInt32) {
        guard !stocks[ordinal].pointee.isTouched else { return }
        if touchedCount == Ledger.touchedCapacity {
            guard !isReplaying else {
                stocks[ordinal].pointee.isTouched = true
                hasTouchedMore = true
                return
            }
            makeRoomForTouched()
        }
        stocks[ordinal].pointee.isTouched = true
        touched[(touchedFirst &+ touchedCount) & (Ledger.touchedCapacity &- 1)] = ordinal
        touchedCount &+= 1
    }

    /// Counts some SKUs of a full list. Mostly those that came last, as their counters are still near; every fourth time
    /// those that wait longest, so that SKUs nobody buys any more make room for those that are bought all the time.
    private mutating func makeRoomForTouched() {
        let batch = Ledger.touchedBatch
        timesFull &+= 1
        if timesFull & 3 == 0 {
            countTouched(0..<batch)
            touchedFirst = (touchedFirst &+ batch) & (Ledger.touchedCapacity &- 1)
        } else {
            countTouched(touchedCount &- batch..<touchedCount)
        }
        touchedCount &-= batch
    }

    /// Brings the digest up to date.
    mutating func countTouched() {
        countTouched(0..<touchedCount)
        touchedCount = 0
        guard hasTouchedMore else { return }
        hasTouchedMore = false
        // In the order in which they lie in memory.
        var ordinal: UInt32 = 1
        while ordinal <= stocks.newest {
            if stocks[ordinal].pointee.isTouched { count(touched: ordinal) }
            ordinal &+= 1
        }
    }

    /// Counts a part of the list.
    private mutating func countTouched(_ places: Range<Int>) {
        var first = places.lowerBound
        while first < places.upperBound {
            let end = min(first &+ Ledger.touchedBatch, places.upperBound)
            // Names are needed only here, and counters may be far by now. All of them first, so that the waits for memory
            // overlap.
            for place in first..<end { stocks.prefetch(touchedSKU(place)) }
            for place in first..<end { stocks.prefetchKey(touchedSKU(place)) }
            for place in first..<end { count(touched: touchedSKU(place)) }
            first = end
        }
    }

    private func touchedSKU(_ index: Int) -> UInt32 { touched[(touchedFirst &+ index) & (Ledger.touchedCapacity &- 1)] }

    private func count(touched ordinal: UInt32) {
        let stock = stocks[ordinal]
        let digest = digest(ofSKU: ordinal)
        stockDigests[Int(stock.pointee.shard)] &+= digest &- stock.pointee.countedDigest
        stock.pointee.countedDigest = digest
        stock.pointee.isTouched = false
    }

    /// What a SKU adds to its shard's digest, its buyers' counts aside.
    func digest(ofSKU ordinal: UInt32) -> UInt64 {
        var hasher = ItemHasher(.sku)
        hasher.combineSKU(row(ofSKU: ordinal))
        return hasher.finish()
    }

    /// A SKU with all that a restart needs of it.
    @inline(__always)
    func row(ofSKU ordinal: UInt32) -> SKURow {
        let stock = stocks[ordinal]
        return SKURow(
            ordinal: ordinal, key: stocks.key(ordinal), onhand: stock.pointee.onhand, held: stock.pointee.held,
            sold: stock.pointee.sold, settled: stock.pointee.settled, loaded: stock.pointee.loaded,
            settings: stock.pointee.settings, isDropped: stock.pointee.isDropped)
    }
}
