// The laws, recomputed from scratch: from every order, every SKU, every buyer. Slow and simple; the tests ask after
// each step.

import StockModel

extension Ledger {
    /// The first law that is broken, in words; `nil` when all hold.
    ///
    /// Complexity: O(SKUs + orders + buyers), with memory of its own.
    public mutating func brokenLaw() -> String? {
        var held: [UInt32: Int64] = [:]
        var sold: [UInt32: Int64] = [:]
        var units: [String: Int64] = [:]
        var digests = [UInt64](repeating: 0, count: Shard.count)
        var orders = 0
        var open = 0

        for shard in 0..<Shard.count {
            for position in 0..<records.positions(ofShard: shard) {
                let reference = records.reference(shard: shard, position: position)
                guard reference != 0 else { continue }
                let record = records[reference]
                digests[shard] &+= record.digest
                guard record.isOrder else { continue }
                orders += 1
                if record.isHeld { open += 1 }
                for index in 0..<record.lineCount {
                    let line = record.lines[index]
                    let isDropped = stocks[line.ordinal].pointee.isDropped
                    if record.isHeld { held[line.ordinal, default: 0] += line.asked }
                    sold[line.ordinal, default: 0] += line.kept
                    if let buyer = record.buyer, !isDropped {
                        units["\(line.ordinal) \(buyer.text)", default: 0] += record.isHeld ? line.asked : line.kept
                    }
                }
            }
        }
        guard orders == orderCount else { return "\(orders) orders are remembered, \(orderCount) are counted" }
        guard open == holds.count else { return "\(open) orders are held, \(holds.count) are in the wheel" }

        for ordinal in 1..<(stocks.newest + 1) {
            let stock = stocks[ordinal].pointee
            let name = stocks.key(ordinal).text
            digests[Int(stock.shard)] &+= digest(ofSKU: ordinal)
            guard stock.held >= 0, stock.sold >= 0, stock.settled >= 0 else { return "\(name): a count below zero" }
            guard stock.loaded == stock.onhand + stock.sold else {
                return "\(name): loaded \(stock.loaded), onhand \(stock.onhand) + sold \(stock.sold)"
            }
            guard stock.held == held[ordinal, default: 0] else {
                return "\(name): held \(stock.held), its open orders hold \(held[ordinal, default: 0])"
            }
            guard !stock.isDropped else { continue }
            guard stock.sold == stock.settled + sold[ordinal, default: 0] else {
                return "\(name): sold \(stock.sold), settled \(stock.settled) + \(sold[ordinal, default: 0])"
            }
        }

        var broken: String?
        buyers.forEach { buyer, ordinal, count in
            guard !stocks[ordinal].pointee.isDropped else { return }
            digests[Int(stocks[ordinal].pointee.shard)] &+= BuyerCounts.digest(buyer, ordinal, count)
            let remembered = units.removeValue(forKey: "\(ordinal) \(buyer.text)") ?? 0
            if count < remembered || count <= 0 { broken = "\(buyer.text): \(count) units counted, \(remembered) known" }
        }
        if let broken { return broken }
        for (pair, count) in units where count != 0 { return "buyer \(pair): \(count) units are not counted" }

        countTouched()
        for shard in 0..<Shard.count where digests[shard] != recordDigests[shard] &+ stockDigests[shard] {
            return "the digest of shard \(shard) is not that of its items"
        }
        return nil
    }
}
