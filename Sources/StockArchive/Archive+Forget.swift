// Retention: records that ended long ago go, and what they sold is settled. Which ones, the event says by a sequence:
// every ended record whose newest change is not after it, an order together with its returns. The rows are read in the order of their numbers, once per
// fold whatever the number of its `forgot` events; a number is never greater than the sequence of the newest change,
// so the reading never goes beyond `through`.

import StockModel

/// The reading of one fold's forgetting.
struct ForgetScan: ~Copyable {
    private var reader: RecordReader
    /// Read, but its number lies after what was forgotten so far.
    private(set) var next: StoredRecord?
    /// Numbers of records that changed after what was forgotten so far, by their newest sequence.
    var later = MinHeap<UInt64>()
    /// The row before `next` was forgotten: where the range that it ends stands in `PendingFold.forgotten`.
    var run: Int?

    init(_ database: Database) throws(ArchiveError) {
        var reader = try RecordReader(database)
        let first = try reader.next()
        self.reader = reader
        next = first
    }

    mutating func advance() throws(ArchiveError) {
        next = try reader.next()
    }
}

extension Archive {
    mutating func forget(
        through: UInt64, endedBy: Timestamp, count: UInt64, _ step: Step
    ) throws(ArchiveError) {
        var forgotten: UInt64 = 0
        while fold.firstEnded < fold.ended.count, fold.ended[fold.firstEnded].sequence <= through {
            let (sequence, slot) = fold.ended[fold.firstEnded]
            fold.firstEnded += 1
            // It may have changed again since it stood here.
            guard fold.records[slot].sequence == sequence, !fold.records[slot].isForgotten else { continue }
            forgotten += try forget(slot)
        }
        forgotten += try forgetRows(through: through)
        guard forgotten == count else {
            throw step.misfit("\(forgotten) ids were there to forget, not \(count)")
        }
        guard running.forgottenBy == endedBy else {
            throw step.misfit(
                "the newest of the forgotten ended at \(running.forgottenBy.milliseconds), not \(endedBy.milliseconds)")
        }
        running.forgottenCount &+= forgotten
        var entry = EntryRow(step, line: 0)
        entry.quantity = Int64(truncatingIfNeeded: count)
        try entries.append(entry)
    }

    /// Forgets a record that the fold has in memory, with its returns; says how many that were.
    private mutating func forget(_ slot: Int) throws(ArchiveError) -> UInt64 {
        let record = fold.records[slot]
        fold.records[slot].isForgotten = true
        for line in record.firstLine..<(record.firstLine + record.lineCount) where record.isOrder {
            settle(fold.lines[line], record.buyer)
        }
        leave(record.id, record.number, record.moment)
        var count: UInt64 = 1
        var next = record.returns
        while record.isOrder, let returned = next {
            next = fold.records[returned].returns
            fold.records[returned].isForgotten = true
            leave(fold.records[returned].id, fold.records[returned].number, record.moment)
            count += 1
        }
        guard !record.isNew else { return count }
        fold.forgotten.append(record.number...record.number)
        let lines = fold.lines[record.firstLine..<(record.firstLine + record.lineCount)]
        if record.isOrder && lines.contains(where: { $0.returned != 0 }) { count += try forgetReturns(of: record.id) }
        return count
    }

    /// Forgets the returns of an order that are rows; says how many that were.
    private mutating func forgetReturns(of order: Token) throws(ArchiveError) -> UInt64 {
        let numbers = try statements.returns(of: order)
        for number in numbers { try forget(number: number) }
        return UInt64(numbers.count)
    }

    /// Forgets one row that the scan has passed; says how many went, its returns included.
    @discardableResult
    private mutating func forget(number: UInt64) throws(ArchiveError) -> UInt64 {
        guard let stored = try statements.record(number: number, lines: &lineScratch, in: database) else {
            throw database.damaged("the record \(number) is gone")
        }
        fold.forgotten.append(number...number)
        // A copy: the returns need the scratch again.
        let id = fold.names.copy(stored.row.id)
        let hasReturns = stored.row.isOrder && lineScratch.contains { $0.returned != 0 }
        let lines = lineScratch
        lines.withUnsafeBufferPointer { forget(stored, $0) }
        return 1 + (hasReturns ? try forgetReturns(of: id) : 0)
    }

    /// Forgets those that are rows and that this fold has not changed; returns how many.
    private mutating func forgetRows(through: UInt64) throws(ArchiveError) -> UInt64 {
        var scan: ForgetScan
        if let open = forgetting.take() { scan = open } else { scan = try ForgetScan(database) }
        var forgotten: UInt64 = 0
        while let number = scan.later.pop(upTo: through) {
            guard !fold.adopted.contains(number) else { continue }
            forgotten += try forget(number: number)
        }
        while let stored = scan.next, stored.number <= through {
            var run: Int?
            let mayGo = stored.row.state != .held && stored.row.state != .return
            if mayGo && !fold.adopted.contains(stored.number) {
                if stored.row.sequence <= through {
                    forget(stored, stored.row.lines)
                    run = extend(scan.run, to: stored.number)
                    forgotten += 1
                    if stored.row.isOrder && stored.row.lines.contains(where: { $0.returned != 0 }) {
                        forgotten += try forgetReturns(of: stored.row.id)
                    }
                } else {
                    scan.later.push(stored.row.sequence, stored.number)
                }
            }
            scan.run = run
            try scan.advance()
        }
        forgetting = consume scan
        return forgotten
    }

    private mutating func forget(_ stored: StoredRecord, _ lines: UnsafeBufferPointer<LineRow>) {
        var row = stored.row
        row.lines = lines
        running.shardDigests[Shard.of(identity.hashKey.hash(row.id))] &-= row.digest
        if row.isOrder {
            for line in lines { settle(line, row.buyer) }
        }
        leave(row.id, stored.number, row.moment)
    }

    /// One more row goes; with the row before it, if that went too, it is one range. Returns where that stands.
    private mutating func extend(_ run: Int?, to number: UInt64) -> Int {
        if let run {
            fold.forgotten[run] = fold.forgotten[run].lowerBound...number
            return run
        }
        fold.forgotten.append(number...number)
        return fold.forgotten.count - 1
    }

    private mutating func leave(_ id: Token, _ number: UInt64, _ moment: Int64) {
        running.forgottenBy = max(running.forgottenBy, Timestamp(milliseconds: moment))
        // The history still finds the id, unless what it had of it was pruned before.
        if number < running.historyFrom { fold.unknown.append((fold.names.copy(id), number)) }
    }

    /// The units that a forgotten order sold stay sold, and leave its buyer's count where no limit stands.
    private mutating func settle(_ line: LineRow, _ buyer: Token?) {
        let kept = line.sold &- line.returned
        guard kept != 0, skus.isKnown(line.ordinal), !skus[line.ordinal].row.isDropped else { return }
        skus[line.ordinal].row.settled &+= kept
        skus.touch(line.ordinal)
        if skus[line.ordinal].row.settings.limit == 0 { count(0 &- kept, of: line.ordinal, for: buyer) }
    }
}
