// What events do to orders and to the other ids that are remembered. A record that the fold has not met yet is read
// from its row; from then on it is in memory until the commit.

import StockModel

extension Archive {
    // MARK: Records

    /// The record of an id, from this fold or from the database.
    mutating func record(_ id: Token, in state: IDState, _ step: Step) throws(ArchiveError) -> Int {
        let hash = identity.hashKey.hash(id)
        var found = fold.slot(of: id, hash)
        if found == nil, let stored = try statements.record(id, lines: &lineScratch, in: database) {
            found = adopt(stored, hash)
        }
        guard let found, fold.records[found].state == state else {
            throw step.misfit("the order \(id.text) is not \(state)")
        }
        return found
    }

    /// Takes a row over into the fold: its part of the digest is counted again at the commit.
    private mutating func adopt(_ stored: StoredRecord, _ hash: UInt64) -> Int {
        let row = stored.row
        var record = PendingRecord(
            id: row.id, hash: hash, number: stored.number, sequence: row.sequence, state: row.state)
        record.flags = row.flags
        record.at = row.at
        record.moment = row.moment
        record.ttl = row.ttl
        record.buyer = row.buyer
        record.returnOf = row.returnOf
        record.born = stored.born
        record.isNew = false
        fold.adopted.insert(stored.number)
        return lineScratch.withUnsafeBufferPointer { lines in
            var whole = row
            whole.lines = lines
            running.shardDigests[Shard.of(hash)] &-= whole.digest
            return fold.append(record, lines: lines)
        }
    }

    /// A new record with the lines of `lineScratch`; it ended now, unless it is held, or a return: that stays as long
    /// as its order.
    private mutating func insert(_ record: PendingRecord) -> Int {
        let slot = lineScratch.withUnsafeBufferPointer { fold.append(record, lines: $0) }
        if record.state != .held && record.state != .return { fold.ended.append((record.sequence, slot)) }
        return slot
    }

    /// The state, sequence and end of a record change.
    private mutating func finish(_ slot: Int, _ state: IDState, _ step: Step) {
        fold.records[slot].state = state
        fold.records[slot].sequence = step.sequence
        fold.records[slot].moment = step.time
        fold.ended.append((step.sequence, slot))
    }

    private func newRecord(_ id: Token, _ state: IDState, _ step: Step) -> PendingRecord {
        var record = PendingRecord(
            id: id, hash: identity.hashKey.hash(id), number: step.sequence, sequence: step.sequence, state: state)
        record.moment = step.time
        return record
    }

    /// The id of an adjustment, count or transfer with its content.
    mutating func remember(
        _ id: Token, _ state: IDState, _ step: Step, value: Int64, _ ordinals: [UInt32], asked: Int64 = 0
    ) -> Int {
        var record = newRecord(id, state, step)
        record.at = value
        lineScratch.removeAll(keepingCapacity: true)
        for ordinal in ordinals {
            lineScratch.append(LineRow(ordinal: ordinal, asked: asked, sold: 0, returned: 0))
        }
        return insert(record)
    }

    mutating func rememberEmptyCancel(
        _ id: Token, born: Timestamp?, reason: Token?, _ step: Step
    ) throws(ArchiveError) {
        var record = newRecord(id, .cancelled, step)
        record.flags = .isEmpty
        record.at = step.time
        record.born = born?.milliseconds
        lineScratch.removeAll(keepingCapacity: true)
        let slot = insert(record)
        var entry = EntryRow(step, line: 0)
        entry.concern(fold.records[slot])
        entry.reason = reason.map { fold.names.copy($0) }
        try entries.append(entry)
    }

    // MARK: Orders

    mutating func take(
        _ id: Token, _ lines: EventLines, buyer: Token?, born: Timestamp?, ttl: Int64?, _ step: Step
    ) throws(ArchiveError) {
        var record = newRecord(id, ttl == nil ? .sold : .held, step)
        record.at = step.time
        record.buyer = buyer
        record.born = born?.milliseconds
        if let ttl {
            record.ttl = UInt32(truncatingIfNeeded: ttl)
            record.moment = step.time &+ ttl
        } else {
            record.flags = .isDeduct
        }
        lineScratch.removeAll(keepingCapacity: true)
        for line in lines {
            let sold = ttl == nil ? line.quantity : 0
            lineScratch.append(LineRow(ordinal: line.ordinal, asked: line.quantity, sold: sold, returned: 0))
        }
        let slot = insert(record)
        for (index, line) in lines.enumerated() {
            let change =
                ttl == nil
                ? CountersAfter(onhand: 0 &- line.quantity, held: 0, sold: line.quantity)
                : CountersAfter(onhand: 0, held: line.quantity, sold: 0)
            count(line.quantity, of: line.ordinal, for: fold.records[slot].buyer)
            var entry = EntryRow(step, line: index)
            entry.concern(fold.records[slot])
            entry.until = ttl.map { step.time &+ $0 }
            try move(line, by: change, step, &entry)
        }
    }

    mutating func sell(_ id: Token, _ lines: EventLines, late: Bool, _ step: Step) throws(ArchiveError) {
        let slot = try record(id, in: late ? .expired : .held, step)
        try match(lines, slot, step)
        for (index, line) in lines.enumerated() {
            let place = fold.records[slot].firstLine + index
            let asked = fold.lines[place].asked
            guard line.quantity >= 0, line.quantity <= asked else { throw step.misfit("more units than its order has") }
            fold.lines[place].sold = line.quantity
            count(late ? line.quantity : line.quantity &- asked, of: line.ordinal, for: fold.records[slot].buyer)
            var entry = EntryRow(step, line: index)
            entry.concern(fold.records[slot])
            entry.flags = late ? EntryFlags.late : 0
            let change = CountersAfter(
                onhand: 0 &- line.quantity, held: late ? 0 : 0 &- asked, sold: line.quantity)
            if late && line.quantity == 0 && skus.isKnown(line.ordinal) && skus[line.ordinal].row.isDropped {
                // Nothing is sold of it: the SKU may be gone since the order expired.
                entry.ordinal = line.ordinal
                entry.quantity = 0
                entry.after = line.after
                try entries.append(entry)
            } else {
                try move(line, by: change, step, &entry)
            }
        }
        finish(slot, .sold, step)
    }

    mutating func release(
        _ id: Token, _ lines: EventLines, _ state: IDState, reason: Token?, _ step: Step
    ) throws(ArchiveError) {
        let slot = try record(id, in: .held, step)
        try match(lines, slot, step)
        let reason = reason.map { fold.names.copy($0) }
        for (index, line) in lines.enumerated() {
            let asked = fold.lines[fold.records[slot].firstLine + index].asked
            guard line.quantity == asked else { throw step.misfit("other units than its order holds") }
            count(0 &- asked, of: line.ordinal, for: fold.records[slot].buyer)
            var entry = EntryRow(step, line: index)
            entry.concern(fold.records[slot])
            entry.reason = reason
            try move(line, by: CountersAfter(onhand: 0, held: 0 &- asked, sold: 0), step, &entry)
        }
        finish(slot, state, step)
    }

    mutating func prolong(_ id: Token, until expires: Timestamp, _ step: Step) throws(ArchiveError) {
        let slot = try record(id, in: .held, step)
        fold.records[slot].sequence = step.sequence
        fold.records[slot].moment = expires.milliseconds
        var entry = EntryRow(step, line: 0)
        entry.concern(fold.records[slot])
        entry.until = expires.milliseconds
        try entries.append(entry)
    }

    mutating func takeBack(
        _ key: Token, order id: Token, _ lines: EventLines, whole: Bool, complete: Bool, _ step: Step
    ) throws(ArchiveError) {
        let order = try record(id, in: .sold, step)
        var returning = newRecord(key, .return, step)
        returning.returnOf = id
        returning.flags = whole ? .isWhole : []
        lineScratch.removeAll(keepingCapacity: true)
        for line in lines {
            lineScratch.append(LineRow(ordinal: line.ordinal, asked: line.quantity, sold: 0, returned: 0))
        }
        let slot = insert(returning)
        fold.records[slot].returns = fold.records[order].returns
        fold.records[order].returns = slot
        let first = fold.records[order].firstLine
        let end = first + fold.records[order].lineCount
        var place = first
        for (index, line) in lines.enumerated() {
            while place < end && fold.lines[place].ordinal != line.ordinal { place += 1 }
            guard place < end, line.quantity >= 1,
                line.quantity <= fold.lines[place].sold &- fold.lines[place].returned
            else { throw step.misfit("it returns what its order does not have") }
            fold.lines[place].returned &+= line.quantity
            place += 1
            count(0 &- line.quantity, of: line.ordinal, for: fold.records[order].buyer)
            var entry = EntryRow(step, line: index)
            entry.concern(fold.records[order])
            entry.id = fold.records[slot].id
            entry.orderID = fold.records[order].id
            let change = CountersAfter(onhand: line.quantity, held: 0, sold: 0 &- line.quantity)
            try move(line, by: change, step, &entry)
        }
        let isEmpty = fold.lines[first..<end].allSatisfy { $0.sold == $0.returned }
        guard isEmpty == complete else {
            throw step.misfit("it does not leave the order \(complete ? "empty" : "with something left")")
        }
        finish(order, isEmpty ? .returned : .sold, step)
    }

    /// The lines of an event that has one for each of its order.
    private func match(_ lines: EventLines, _ slot: Int, _ step: Step) throws(ArchiveError) {
        let record = fold.records[slot]
        guard lines.count == record.lineCount else { throw step.misfit("it has other lines than its order") }
        for (index, line) in lines.enumerated() where fold.lines[record.firstLine + index].ordinal != line.ordinal {
            throw step.misfit("it has other lines than its order")
        }
    }

    /// Units enter a buyer's count, or leave it.
    mutating func count(_ units: Int64, of ordinal: UInt32, for buyer: Token?) {
        guard let buyer else { return }
        fold.count(units, of: ordinal, for: buyer, identity.hashKey.hash(buyer, and: UInt64(ordinal)))
    }
}
