// What happens to an order after it was placed: CONFIRM, CANCEL, EXTEND, RETURN; and LOOKUP, which shows it.

import StockModel

extension Ledger {
    mutating func confirm(
        _ id: Token, _ lines: OrderLines, late: Bool, _ admission: Admission, _ events: inout EventBuffer
    ) -> Outcome {
        let hash = hash(of: id)
        let found = known(id, hash, admission, &events)
        guard found != 0 else { return .refused(.noOrder(id)) }
        let record = records[found]
        guard let state = record.orderState else { return conflict(id, found) }
        switch state {
        case .held, .expired:
            break
        case .sold:
            let isSo = lines.isEmpty ? wasSoldWhole(record) : isSame(lines, as: record, \.sold)
            guard isSo else { return conflict(id, found) }
            return .sold(id: id, sequence: record.header.pointee.sequence, available: nil, replay: true)
        case .cancelled, .returned:
            return .refused(.inState(state, id: id))
        }
        // A hold is a promise: only a late confirmation asks again for the SKU, the quota and the stock.
        guard state == .held || late else { return .refused(.inState(.expired, id: id)) }
        if let refusal = refusal(admission) { return .refused(refusal) }
        if let refusal = choose(lines, of: record, \.asked) { return .refused(refusal) }
        if state == .expired {
            // A SKU created again under a dropped one's name is another SKU.
            if let gone = droppedLine(of: record) { return .refused(.noSKU(gone)) }
            if let refusal = refusalOfLines(chosenLines(of: record), buyer: record.buyer, inWindow: false) {
                return .refused(refusal)
            }
        }
        // From here on the state changes.

        sell(found, hash, late: state == .expired)
        events.append(.confirmed(id: id, lines: self.lines(record.lineCount), late: state == .expired))
        return .sold(id: id, sequence: sequence, available: nil, replay: false)
    }

    mutating func cancel(
        _ id: Token, born: Timestamp?, reason: Token?, _ admission: Admission, _ events: inout EventBuffer
    ) -> Outcome {
        let hash = hash(of: id)
        let found = known(id, hash, admission, &events)
        guard found != 0 else {
            if let born, born <= forgottenBy { return .refused(.stale(id)) }
            if let refusal = refusalOfNewID(admission) { return .refused(refusal) }
            // From here on the state changes.
            rememberEmptyCancel(id, hash)
            events.append(.emptyCancelled(id: id, born: born, reason: reason))
            return .cancelled(id: id, sequence: sequence, empty: true, replay: false)
        }
        let record = records[found]
        guard let state = record.orderState else { return conflict(id, found) }
        switch state {
        case .held:
            break
        case .cancelled:
            return .cancelled(
                id: id, sequence: record.header.pointee.sequence, empty: record.has(RecordFlags.isEmpty),
                replay: true)
        case .expired:
            return .expired(id: id, sequence: record.header.pointee.sequence)
        case .sold, .returned:
            return .refused(.inState(state, id: id))
        }
        if let refusal = refusal(admission) { return .refused(refusal) }
        // From here on the state changes.

        release(found, hash, .cancelled)
        events.append(.cancelled(id: id, lines: releasedLines(found), reason: reason))
        return .cancelled(id: id, sequence: sequence, empty: false, replay: false)
    }

    mutating func extend(
        _ id: Token, ttl: Int64, _ admission: Admission, _ events: inout EventBuffer
    ) -> Outcome {
        let hash = hash(of: id)
        let found = known(id, hash, admission, &events)
        guard found != 0 else { return .refused(.noOrder(id)) }
        guard let state = records[found].orderState else { return conflict(id, found) }
        guard state == .held else { return .refused(.inState(state, id: id)) }
        if let refusal = refusal(admission) { return .refused(refusal) }
        // From here on the state changes.

        let expires = clock + ttl
        prolong(found, hash, until: expires)
        events.append(.extended(id: id, expires: expires))
        return .held(id: id, sequence: sequence, available: nil, expires: expires, replay: false)
    }

    mutating func giveBack(
        _ key: Token, order id: Token, _ lines: OrderLines, _ admission: Admission, _ events: inout EventBuffer
    ) -> Outcome {
        let keyHash = hash(of: key)
        let known = known(key, keyHash, admission, &events)
        guard known == 0 else { return repeatedReturn(key, id, lines, known) }
        let hash = hashKey.hash(id)
        let found = self.known(id, hash, admission, &events)
        guard found != 0 else { return .refused(.noOrder(id)) }
        let record = records[found]
        guard let state = record.orderState else { return conflict(id, found) }
        guard state == .sold else { return .refused(.inState(state, id: id)) }
        if let refusal = refusal(admission) { return .refused(refusal) }
        if let refusal = choose(lines, of: record, \.kept) { return .refused(refusal) }
        if let gone = droppedLine(of: record) { return .refused(.noSKU(gone)) }
        // From here on the state changes.

        let count = takeBack(key, keyHash, order: found, hash, whole: lines.isEmpty)
        events.append(
            .returned(
                key: key, order: id, lines: self.lines(count), whole: lines.isEmpty,
                complete: record.header.pointee.state == .returned))
        return .returned(id: key, sequence: sequence, replay: false)
    }

    /// A return whose own id is known: a replay when it names the same order and the same pairs.
    private func repeatedReturn(_ key: Token, _ id: Token, _ lines: OrderLines, _ known: Arena.Reference) -> Outcome {
        let record = records[known]
        guard record.header.pointee.state == .return,
            records[record.header.pointee.ttl].id == id,
            lines.isEmpty ? record.has(RecordFlags.isWhole) : isSame(lines, as: record, \.asked)
        else { return conflict(key, known) }
        return .returned(id: key, sequence: record.header.pointee.sequence, replay: true)
    }

    mutating func lookup(_ id: Token, _ admission: Admission, _ events: inout EventBuffer) -> Outcome {
        let found = known(id, hash(of: id), admission, &events)
        guard found != 0 else { return .refused(.noOrder(id)) }
        guard let view = view(of: found) else { return conflict(id, found) }
        return .order(view)
    }

    // MARK: Choosing lines

    /// Sets how many units of each line of an order a request is about: those that its pairs name, or, without
    /// pairs, all that `have` says is there. Refuses a pair that is not in the order, or is more than is there.
    ///
    /// The choice is left in `eventLines`, see `chosen`.
    private func choose(_ lines: OrderLines, of record: Record, _ have: (LineRecord) -> Int64) -> Refusal? {
        for index in 0..<record.lineCount {
            let line = record.lines[index]
            setChosen(index, line.ordinal, lines.isEmpty ? have(line) : 0)
        }
        for (index, line) in lines.enumerated() {
            guard let place = indexOfLine(line.sku, in: record, expected: index) else {
                return .lineOutOfRange(sku: line.sku, have: 0)
            }
            let there = have(record.lines[place])
            guard line.quantity <= there else { return .lineOutOfRange(sku: line.sku, have: there) }
            setChosen(place, record.lines[place].ordinal, line.quantity)
        }
        return nil
    }

    /// The chosen lines as a request would name them, in the order's order.
    private func chosenLines(of record: Record) -> OrderLines {
        var count = 0
        for index in 0..<record.lineCount where chosen(index) != 0 {
            (shownLines + count).initialize(
                to: OrderLine(sku: stocks.key(record.lines[index].ordinal), quantity: chosen(index)))
            count += 1
        }
        return OrderLines(start: shownLines, count: count)
    }

    /// The first chosen line whose SKU has been dropped.
    private func droppedLine(of record: Record) -> Token? {
        for index in 0..<record.lineCount where chosen(index) != 0 {
            let ordinal = record.lines[index].ordinal
            if stocks[ordinal].pointee.isDropped { return stocks.key(ordinal) }
        }
        return nil
    }

    /// Whether everything that was held has been sold: what a bare CONFIRM asks for.
    private func wasSoldWhole(_ record: Record) -> Bool {
        for index in 0..<record.lineCount where record.lines[index].sold != record.lines[index].asked { return false }
        return true
    }
}
