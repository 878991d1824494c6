// VERIFY, as far as memory goes: every law recomputed in slices, while the ledger goes on deciding. See LawWalk.

import StockModel

/// Where a verification of the laws stands.
public enum Verification: Equatable, Sendable {
    case more
    case lawful
    /// The first law that is broken, in words.
    case broken(String)
}

extension Ledger {
    /// Begins to recompute every law; one that was under way is given up.
    public mutating func startVerification() {
        stopVerification()
        walk.start()
        records.startWalk(mark: walk.number)
    }

    public mutating func stopVerification() {
        guard walk.isOn else { return }
        walk.stop()
        records.stopWalk()
    }

    /// Goes on for about `limit` records or SKUs. The ledger may decide whatever it likes between two calls.
    ///
    /// Complexity: O(`limit`) and the lines of what is visited.
    public mutating func continueVerification(limit: Int) -> Verification {
        guard walk.isOn else { return .lawful }
        var left = limit
        while left > 0, walk.slot < holds.slotCount {
            let reference = holds.order(at: walk.slot)
            walk.slot &+= 1
            if reference != 0 { left -= visit(reference) }
            left -= 1
        }
        while left > 0, let reference = records.nextToWalk() { left -= visit(reference) }
        guard left > 0 else { return .more }

        while left > 0, walk.ordinal <= stocks.newest {
            if let broken = brokenLaw(ofSKU: walk.ordinal) {
                stopVerification()
                return .broken(broken)
            }
            walk.ordinal &+= 1
            left -= 1
        }
        guard left > 0 else { return .more }
        for shard in 0..<Shard.count where walk.digests[shard] != recordDigests[shard] {
            stopVerification()
            return .broken("the digest of shard \(shard) is not that of its orders")
        }
        stopVerification()
        return .lawful
    }

    /// Takes a record and the returns of an order into the sums; says how much work that was.
    private mutating func visit(_ reference: Arena.Reference) -> Int {
        var work = take(reference)
        guard records[reference].isOrder else { return work }
        var next = records[reference].header.pointee.newestReturn
        while next != 0 {
            work += take(next)
            next = records[next].header.pointee.next
        }
        return work
    }

    private mutating func take(_ reference: Arena.Reference) -> Int {
        let record = records[reference]
        guard record.header.pointee.walk != walk.number else { return 1 }
        record.header.pointee.walk = walk.number
        walk.add(record, record.digest, shard: Shard.of(hashKey.hash(record.id)))
        return 1 + record.lineCount / 4
    }

    private mutating func brokenLaw(ofSKU ordinal: UInt32) -> String? {
        let stock = stocks[ordinal].pointee
        let sums = walk.sums(of: ordinal)
        let name = stocks.key(ordinal).text
        if stock.held < 0 || stock.sold < 0 || stock.settled < 0 { return "sku=\(name) a count is below zero" }
        if stock.loaded != stock.onhand &+ stock.sold {
            return "sku=\(name) loaded=\(stock.loaded) onhand=\(stock.onhand) sold=\(stock.sold)"
        }
        if stock.held != sums.held { return "sku=\(name) held=\(stock.held) its-open-orders=\(sums.held)" }
        if !stock.isDropped, stock.sold != stock.settled &+ sums.sold {
            return "sku=\(name) sold=\(stock.sold) settled=\(stock.settled) its-orders=\(sums.sold)"
        }
        if !stock.isTouched, stock.countedDigest != digest(ofSKU: ordinal) {
            return "sku=\(name) its digest is not that of its counters"
        }
        return nil
    }

    /// The digest of each shard, and what a database of this moment must have.
    public mutating func shardDigests() -> [UInt64] {
        countTouched()
        return (0..<Shard.count).map { recordDigests[$0] &+ stockDigests[$0] }
    }
}
