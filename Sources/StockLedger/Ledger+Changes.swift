// What decisions and replay do to the tables, once nothing can fail any more. Each change takes one sequence number,
// keeps the laws and the digest, and leaves the lines of its event in `eventLines`.

import StockModel

extension Ledger {
    /// The next event's number.
    mutating func advance() { sequence &+= 1 }

    // MARK: Stock

    /// A new SKU.
    mutating func add(_ sku: Token, onhand: Int64, _ settings: SettingsAfter) -> UInt32 {
        let ordinal = stocks.create(sku)
        stocks[ordinal].pointee.onhand = onhand
        stocks[ordinal].pointee.loaded = onhand
        set(ordinal, settings)
        return ordinal
    }

    mutating func set(_ ordinal: UInt32, _ settings: SettingsAfter) {
        let stock = stocks[ordinal]
        stock.pointee.floor = settings.floor
        stock.pointee.limit = settings.limit
        stock.pointee.opens = settings.opens
        stock.pointee.closes = settings.closes
        stock.pointee.isPaused = settings.paused
        touch(ordinal)
        advance()
    }

    /// Units come in (or, negative, are gone) other than by orders. The operation that remembers it takes the number.
    mutating func change(_ ordinal: UInt32, by delta: Int64) {
        stocks[ordinal].pointee.onhand &+= delta
        stocks[ordinal].pointee.loaded &+= delta
        touch(ordinal)
    }

    mutating func move(_ quantity: Int64, from: UInt32, to: UInt32) {
        change(from, by: 0 &- quantity)
        change(to, by: quantity)
    }

    mutating func removeSKU(_ ordinal: UInt32) {
        let stock = stocks[ordinal]
        // Its buyers' counts stop to count at once; their memory is taken back by and by.
        stockDigests[Int(stock.pointee.shard)] &-= stock.pointee.buyersDigest
        stock.pointee.buyersDigest = 0
        stocks.drop(ordinal)
        buyers.startSweep()
        touch(ordinal)
        advance()
    }

    // MARK: Orders

    /// Sells or holds the lines of a new order, whose SKUs `resolved` names.
    mutating func take(_ order: NewOrder, _ hash: UInt64, ttl: Int64?) {
        advance()
        let reference = records.insert(order.id, hash, buyer: order.buyer, lines: order.lines.count)
        let record = records[reference]
        for (index, asked) in order.lines.enumerated() {
            let ordinal = resolved[index]
            var line = LineRecord(ordinal: ordinal, asked: asked.quantity)
            let stock = stocks[ordinal]
            // In registers: a load of two counters right behind the stores of each would wait for them.
            var after = stock.pointee.after
            if ttl == nil {
                line.sold = asked.quantity
                after.onhand &-= asked.quantity
                after.sold &+= asked.quantity
                stock.pointee.onhand = after.onhand
                stock.pointee.sold = after.sold
            } else {
                after.held &+= asked.quantity
                stock.pointee.held = after.held
            }
            (record.lines + index).initialize(to: line)
            countUnits(asked.quantity, of: ordinal, for: order.buyer)
            touch(ordinal)
            (eventLines + index).initialize(
                to: EventLine(ordinal: ordinal, quantity: asked.quantity, after: after))
        }
        let header = record.header
        header.pointee.sequence = sequence
        header.pointee.at = clock.milliseconds
        if let ttl {
            header.pointee.state = .held
            header.pointee.ttl = UInt32(truncatingIfNeeded: ttl)
            header.pointee.moment = clock.milliseconds &+ ttl
            header.pointee.link = holds.insert(reference, due: clock + ttl, now: clock)
        } else {
            header.pointee.state = .sold
            header.pointee.flags = RecordFlags.isDeduct
            end(reference)
        }
        orderCount &+= 1
        include(record, hash)
    }

    /// Sells the chosen units of a held order, or (`late`) of an expired one; what is not chosen goes back.
    mutating func sell(_ reference: Arena.Reference, _ hash: UInt64, late: Bool) {
        advance()
        let record = records[reference]
        exclude(record, hash)
        if late { records.removeEnded(reference) } else { holds.remove(record.header.pointee.link) }
        for index in 0..<record.lineCount {
            let line = record.lines + index
            let units = chosen(index)
            line.pointee.sold = units
            let stock = stocks[line.pointee.ordinal]
            if !late { stock.pointee.held &-= line.pointee.asked }
            stock.pointee.onhand &-= units
            stock.pointee.sold &+= units
            countUnits(late ? units : units &- line.pointee.asked, of: line.pointee.ordinal, for: record.buyer)
            touch(line.pointee.ordinal)
            (eventLines + index).initialize(to: self.line(line.pointee.ordinal, units))
        }
        record.header.pointee.state = .sold
        record.header.pointee.sequence = sequence
        end(reference)
        include(record, hash)
    }

    /// Gives everything that an order holds back: it was cancelled or ran out.
    ///
    /// - Parameter pairHash: of its buyer and its first SKU, if it is known already.
    mutating func release(
        _ reference: Arena.Reference, _ hash: UInt64, _ state: IDState, pairHash: UInt64? = nil
    ) {
        advance()
        let record = records[reference]
        holds.remove(record.header.pointee.link)
        setHead(of: record, hash, RecordHead(state: state, sequence: sequence, moment: clock.milliseconds))
        records.appendEnded(reference)
        let buyer = record.buyer
        for index in 0..<record.lineCount {
            let line = record.lines[index]
            let stock = stocks[line.ordinal]
            // In registers: a load of two counters right behind the store of one would wait for it.
            var after = stock.pointee.after
            after.held &-= line.asked
            stock.pointee.held = after.held
            if let buyer {
                let hash = index == 0 ? pairHash : nil
                count(0 &- line.asked, of: line.ordinal, for: buyer, hash ?? buyers.hash(buyer, line.ordinal))
            }
            touch(line.ordinal)
            (eventLines + index).initialize(
                to: EventLine(ordinal: line.ordinal, quantity: line.asked, after: after))
        }
    }

    /// The event lines that `release` left.
    func releasedLines(_ reference: Arena.Reference) -> EventLines { lines(records[reference].lineCount) }

    mutating func prolong(_ reference: Arena.Reference, _ hash: UInt64, until expires: Timestamp) {
        advance()
        let record = records[reference]
        setHead(of: record, hash, RecordHead(state: .held, sequence: sequence, moment: expires.milliseconds))
        holds.move(record.header.pointee.link, due: expires)
    }

    /// Takes the chosen units of a sold order back, remembers the return under its own id, and returns the number of
    /// its lines.
    mutating func takeBack(
        _ key: Token, _ keyHash: UInt64, order: Arena.Reference, _ hash: UInt64, whole: Bool
    ) -> Int {
        advance()
        let record = records[order]
        var count = 0
        for index in 0..<record.lineCount where chosen(index) != 0 { count += 1 }
        let returnReference = records.insert(key, keyHash, buyer: nil, lines: count)
        let returnRecord = records[returnReference]

        exclude(record, hash)
        var place = 0
        var left = false
        for index in 0..<record.lineCount {
            let units = chosen(index)
            let line = record.lines + index
            if units != 0 {
                line.pointee.returned &+= units
                let stock = stocks[line.pointee.ordinal]
                stock.pointee.sold &-= units
                stock.pointee.onhand &+= units
                countUnits(0 &- units, of: line.pointee.ordinal, for: record.buyer)
                touch(line.pointee.ordinal)
                (returnRecord.lines + place).initialize(to: LineRecord(ordinal: line.pointee.ordinal, asked: units))
                // `place` is never ahead of `index`: the choice of later lines is not overwritten.
                (eventLines + place).initialize(to: self.line(line.pointee.ordinal, units))
                place += 1
            }
            if line.pointee.kept != 0 { left = true }
        }
        record.header.pointee.state = left ? .sold : .returned
        record.header.pointee.sequence = sequence
        records.removeEnded(order)

        let header = returnRecord.header
        header.pointee.state = .return
        header.pointee.sequence = sequence
        header.pointee.moment = clock.milliseconds
        if whole { header.pointee.flags = RecordFlags.isWhole }
        records.attach(returnReference, to: order)
        end(order)
        include(record, hash)
        include(returnRecord, keyHash)
        return count
    }

    mutating func rememberEmptyCancel(_ id: Token, _ hash: UInt64) {
        advance()
        let reference = records.insert(id, hash, buyer: nil, lines: 0)
        let header = records[reference].header
        header.pointee.state = .cancelled
        header.pointee.flags = RecordFlags.isEmpty
        header.pointee.sequence = sequence
        header.pointee.at = clock.milliseconds
        end(reference)
        orderCount &+= 1
        include(records[reference], hash)
    }

    /// Remembers the id of an adjustment, count or transfer with its content.
    mutating func remember(
        operation: IDState, _ id: Token, _ hash: UInt64, value: Int64, from: UInt32, to: UInt32? = nil
    ) {
        advance()
        let reference = records.insert(id, hash, buyer: nil, lines: to == nil ? 1 : 2)
        let record = records[reference]
        let quantity = to == nil ? 0 : value
        record.lines.initialize(to: LineRecord(ordinal: from, asked: quantity))
        if let to { (record.lines + 1).initialize(to: LineRecord(ordinal: to, asked: quantity)) }
        record.header.pointee.state = operation
        record.header.pointee.sequence = sequence
        record.header.pointee.at = value
        end(reference)
        include(record, hash)
    }

    /// Forgets every ended record whose newest sequence is ≤ `through`, orders together with their returns; says how
    /// many that were, and when the newest of them ended.
    mutating func forget(through: UInt64) -> (count: UInt64, endedBy: Timestamp) {
        advance()
        var count: UInt64 = 0
        var endedBy = forgottenBy
        lookAtEndedRecords(through: through)
        while ahead.count > 0 {
            for index in 0..<ahead.count {
                let entry = ahead[index]
                let record = records[entry.reference]
                endedBy = max(endedBy, Timestamp(milliseconds: record.header.pointee.moment))
                settle(record, pairHash: entry.pairHash)
                records.removeEnded(entry.reference)
                count &+= 1 &+ removeReturns(of: record)
                if record.isOrder { orderCount &-= 1 }
                remove(entry.reference, entry.hash)
            }
            lookAtEndedRecords(through: through)
        }
        forgottenBy = endedBy
        forgottenCount &+= count
        return (count, endedBy)
    }

    private mutating func removeReturns(of record: Record) -> UInt64 {
        var count: UInt64 = 0
        var next = record.header.pointee.newestReturn
        while next != 0 {
            let reference = next
            next = records[reference].header.pointee.next
            remove(reference, hashKey.hash(records[reference].id))
            count &+= 1
        }
        return count
    }

    private mutating func remove(_ reference: Arena.Reference, _ hash: UInt64) {
        exclude(records[reference], hash)
        records.remove(reference, hash)
    }

    /// An order is about to be forgotten: its sold units are settled, and leave its buyer's count where no limit
    /// stands. `pairHash`: of the buyer and the first SKU.
    private mutating func settle(_ record: Record, pairHash: UInt64) {
        guard record.isOrder else { return }
        let buyer = record.buyer
        for index in 0..<record.lineCount {
            let line = record.lines[index]
            let stock = stocks[line.ordinal]
            guard line.kept != 0, !stock.pointee.isDropped else { continue }
            stock.pointee.settled &+= line.kept
            if let buyer, stock.pointee.limit == 0 {
                count(0 &- line.kept, of: line.ordinal, for: buyer, index == 0 ? pairHash : buyers.hash(buyer, line.ordinal))
            }
            touch(line.ordinal)
        }
    }

    private mutating func end(_ reference: Arena.Reference) {
        records[reference].header.pointee.moment = clock.milliseconds
        records.appendEnded(reference)
    }

    // MARK: The choice of lines

    /// Units of the order's line `index` that the command is about.
    func chosen(_ index: Int) -> Int64 { eventLines[index].quantity }

    func setChosen(_ index: Int, _ ordinal: UInt32, _ units: Int64) {
        (eventLines + index).initialize(
            to: EventLine(ordinal: ordinal, quantity: units, after: CountersAfter(onhand: 0, held: 0, sold: 0)))
    }
}
