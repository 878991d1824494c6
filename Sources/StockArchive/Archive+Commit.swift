// The rows of a fold, written: each record, SKU and buyer once, in the order of their keys where that saves pages.

import StockModel

extension Archive {
    /// Everything that the open fold changed, in its transaction.
    mutating func write() throws(ArchiveError) {
        forgetting = nil
        statements.reset()
        try entries.flush()
        try deleteForgotten()
        try writeNewRecords()
        try writeChangedRecords()
        try writeNames()
        try writeUnits()
        try writeSKUs()
        try database.write(running)
    }

    private func deleteForgotten() throws(ArchiveError) {
        for range in fold.forgotten {
            statements.deleteRecords.bind(range.lowerBound, at: 1)
            statements.deleteRecords.bind(range.upperBound, at: 2)
            try statements.deleteRecords.run()
            statements.deleteLines.bind(Schema.place(range.lowerBound, 0), at: 1)
            statements.deleteLines.bind(Schema.place(range.upperBound, 1_023), at: 2)
            try statements.deleteLines.run()
        }
        for (id, number) in fold.unknown {
            statements.deleteName.bind(id, at: 1)
            statements.deleteName.bind(number, at: 2)
            try statements.deleteName.run()
        }
    }

    // MARK: Records

    private mutating func writeNewRecords() throws(ArchiveError) {
        let slots = fold.records.indices.filter { fold.records[$0].isNew && !fold.records[$0].isForgotten }
        var lines: [(place: UInt64, index: Int)] = []
        for slot in slots {
            let record = fold.records[slot]
            running.shardDigests[Shard.of(record.hash)] &+= fold.withRow(slot) { $0.digest }
            for line in 0..<record.lineCount {
                lines.append((Schema.place(record.number, line), record.firstLine + line))
            }
        }
        try statements.insertRecord.insert(slots.count) { statement, index, before in
            let record = fold.records[slots[index]]
            statement.bind(record.number, at: before + 1)
            statement.bind(record.id, at: before + 2)
            statement.bind(Int64(record.state.rawValue), at: before + 3)
            statement.bind(Int64(record.flags.rawValue), at: before + 4)
            statement.bind(record.sequence, at: before + 5)
            statement.bind(record.at, at: before + 6)
            statement.bind(record.moment, at: before + 7)
            statement.bind(Int64(record.ttl), at: before + 8)
            statement.bind(record.buyer, at: before + 9)
            statement.bind(record.born, at: before + 10)
            statement.bind(record.returnOf, at: before + 11)
        }
        try statements.insertLine.insert(lines.count) { statement, index, before in
            let line = fold.lines[lines[index].index]
            statement.bind(lines[index].place, at: before + 1)
            statement.bind(Int64(line.ordinal), at: before + 2)
            statement.bind(line.asked, at: before + 3)
            statement.bind(line.sold, at: before + 4)
            statement.bind(line.returned, at: before + 5)
        }
    }

    private mutating func writeChangedRecords() throws(ArchiveError) {
        let slots = fold.records.indices.filter { !fold.records[$0].isNew && !fold.records[$0].isForgotten }
        for slot in slots.sorted(by: { fold.records[$0].number < fold.records[$1].number }) {
            let record = fold.records[slot]
            running.shardDigests[Shard.of(record.hash)] &+= fold.withRow(slot) { $0.digest }
            statements.updateRecord.bind(Int64(record.state.rawValue), at: 1)
            statements.updateRecord.bind(record.sequence, at: 2)
            statements.updateRecord.bind(record.moment, at: 3)
            statements.updateRecord.bind(record.number, at: 4)
            try statements.updateRecord.run()
            for index in 0..<record.lineCount {
                let line = fold.lines[record.firstLine + index]
                guard line.sold != 0 else { continue }
                statements.updateLine.bind(line.sold, at: 1)
                statements.updateLine.bind(line.returned, at: 2)
                statements.updateLine.bind(Schema.place(record.number, index), at: 3)
                try statements.updateLine.run()
            }
        }
    }

    /// Ids come in no order; sorted, the pages of `known_id` are gone through once. Also of those that were forgotten
    /// in this very fold: the history has them.
    private func writeNames() throws(ArchiveError) {
        var names: [(prefix: UInt64, slot: Int)] = []
        for slot in fold.records.indices where fold.records[slot].isNew {
            names.append((fold.records[slot].id.prefix, slot))
        }
        names.sort { a, b in
            if a.prefix != b.prefix { return a.prefix < b.prefix }
            let (one, other) = (fold.records[a.slot], fold.records[b.slot])
            if one.id == other.id { return one.number < other.number }
            return one.id.precedes(other.id)
        }
        try statements.insertName.insert(names.count) { statement, index, before in
            let record = fold.records[names[index].slot]
            statement.bind(record.id, at: before + 1)
            statement.bind(record.number, at: before + 2)
        }
    }

    // MARK: Buyers

    private mutating func writeUnits() throws(ArchiveError) {
        var changed: [(ordinal: UInt32, prefix: UInt64, index: Int)] = []
        for (index, change) in fold.units.enumerated() where change.units != 0 {
            if skus[change.ordinal].row.isDropped { continue }
            changed.append((change.ordinal, change.buyer.prefix, index))
        }
        changed.sort { a, b in
            if a.ordinal != b.ordinal { return a.ordinal < b.ordinal }
            if a.prefix != b.prefix { return a.prefix < b.prefix }
            return fold.units[a.index].buyer.precedes(fold.units[b.index].buyer)
        }
        var new: [Int] = []
        for (ordinal, _, index) in changed {
            let change = fold.units[index]
            let before = try skus[ordinal].isNew ? 0 : units(of: change.buyer, ordinal)
            let after = before &+ change.units
            guard after >= 0 else {
                throw database.damaged("the buyer \(change.buyer.text) would have \(after) units")
            }
            let shard = skus[ordinal].shard
            if before != 0 {
                let row = BuyerRow(buyer: change.buyer, ordinal: ordinal, units: before)
                running.shardDigests[shard] &-= row.digest
            }
            if after != 0 {
                let row = BuyerRow(buyer: change.buyer, ordinal: ordinal, units: after)
                running.shardDigests[shard] &+= row.digest
            }
            if before == 0 {
                new.append(index)
            } else if after == 0 {
                statements.deleteUnits.bind(Int64(ordinal), at: 1)
                statements.deleteUnits.bind(change.buyer, at: 2)
                try statements.deleteUnits.run()
            } else {
                statements.updateUnits.bind(after, at: 1)
                statements.updateUnits.bind(Int64(ordinal), at: 2)
                statements.updateUnits.bind(change.buyer, at: 3)
                try statements.updateUnits.run()
            }
        }
        try statements.insertUnits.insert(new.count) { statement, index, before in
            let change = fold.units[new[index]]
            statement.bind(Int64(change.ordinal), at: before + 1)
            statement.bind(change.buyer, at: before + 2)
            statement.bind(change.units, at: before + 3)
        }
    }

    /// 0 when there is no row.
    private func units(of buyer: Token, _ ordinal: UInt32) throws(ArchiveError) -> Int64 {
        statements.units.bind(Int64(ordinal), at: 1)
        statements.units.bind(buyer, at: 2)
        guard try statements.units.step() else { return 0 }
        defer { statements.units.reset() }
        return statements.units.integer(0)
    }

    // MARK: SKUs

    private mutating func writeSKUs() throws(ArchiveError) {
        let touched = skus.touched.sorted()
        for ordinal in touched {
            let row = skus[ordinal].row
            let digest = row.digest
            running.shardDigests[skus[ordinal].shard] &+= digest &- skus[ordinal].digest
            skus[ordinal].digest = digest
            if skus[ordinal].isDropping && !skus[ordinal].isNew { try deleteBuyers(ofSKU: ordinal) }
            guard !skus[ordinal].isNew else { continue }
            if skus[ordinal].isConfigured {
                statements.updateSKU.bindCounters(row, after: 0)
                statements.updateSKU.bindSettings(row, after: 5)
                statements.updateSKU.bind(Int64(ordinal), at: 12)
                try statements.updateSKU.run()
            } else {
                statements.updateCounters.bindCounters(row, after: 0)
                statements.updateCounters.bind(Int64(ordinal), at: 6)
                try statements.updateCounters.run()
            }
        }
        let new = touched.filter { skus[$0].isNew }
        try statements.insertSKU.insert(new.count) { statement, index, before in
            let row = skus[new[index]].row
            statement.bind(Int64(row.ordinal), at: before + 1)
            statement.bind(row.key, at: before + 2)
            statement.bindCounters(row, after: before + 2)
            statement.bindSettings(row, after: before + 7)
        }
    }

    private mutating func deleteBuyers(ofSKU ordinal: UInt32) throws(ArchiveError) {
        statements.buyersOfSKU.bind(Int64(ordinal), at: 1)
        while try statements.buyersOfSKU.step() {
            guard let buyer = try statements.buyersOfSKU.token(0) else {
                throw database.damaged("a buyer's count has no buyer")
            }
            let row = BuyerRow(buyer: buyer, ordinal: ordinal, units: statements.buyersOfSKU.integer(1))
            running.shardDigests[skus[ordinal].shard] &-= row.digest
        }
        statements.deleteBuyersOfSKU.bind(Int64(ordinal), at: 1)
        try statements.deleteBuyersOfSKU.run()
    }
}

extension Statement {
    /// The five columns of `sku` after the name, in their order.
    fileprivate func bindCounters(_ row: SKURow, after before: Int32) {
        bind(row.onhand, at: before + 1)
        bind(row.held, at: before + 2)
        bind(row.sold, at: before + 3)
        bind(row.settled, at: before + 4)
        bind(row.loaded, at: before + 5)
    }

    /// The six columns after these.
    fileprivate func bindSettings(_ row: SKURow, after before: Int32) {
        bind(row.settings.floor, at: before + 1)
        bind(row.settings.limit, at: before + 2)
        bind(row.settings.opens, at: before + 3)
        bind(row.settings.closes, at: before + 4)
        bind(row.settings.paused ? 1 : 0 as Int64, at: before + 5)
        bind(row.isDropped ? 1 : 0 as Int64, at: before + 6)
    }
}
