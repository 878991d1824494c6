// DEDUCT and RESERVE: a new promise. The column of checks is the protocol's precedence.

import StockModel

extension Ledger {
    /// As `execute(.deduct(order), …)`. A `Command` has the size of its largest case, and the commonest one need not be
    /// copied into it.
    public mutating func deduct(
        _ order: NewOrder, at now: Timestamp, admission: Admission, events: inout EventBuffer
    ) -> Outcome {
        if now > clock { clock = now }
        return promise(order, ttl: nil, admission, &events)
    }

    /// Sells (`ttl == nil`) or holds all lines of an order, or none.
    @inline(__always)
    mutating func promise(
        _ order: NewOrder, ttl: Int64?, _ admission: Admission, _ events: inout EventBuffer
    ) -> Outcome {
        let hash = hash(of: order.id)
        let found = known(order.id, hash, admission, &events)
        guard found == 0 else { return repeated(order, ttl: ttl, found) }
        if let born = order.born, born <= forgottenBy { return .refused(.stale(order.id)) }
        if let refusal = refusalOfNewID(admission) { return .refused(refusal) }
        if let refusal = refusalOfLines(order.lines, buyer: order.buyer, inWindow: true) { return .refused(refusal) }
        // From here on the state changes.

        let expires = ttl.map { clock + $0 }
        take(order, hash, ttl: ttl)
        if let ttl, let expires {
            events.append(
                .reserved(
                    id: order.id, lines: lines(order.lines.count), buyer: order.buyer, born: order.born, ttl: ttl,
                    expires: expires))
        } else {
            events.appendDeducted(
                id: order.id, lines: lines(order.lines.count), buyer: order.buyer, born: order.born)
        }
        let available = order.lines.count == 1 ? stocks[resolved[0]].pointee.available : nil
        guard let expires else {
            return .sold(id: order.id, sequence: sequence, available: available, replay: false)
        }
        return .held(id: order.id, sequence: sequence, available: available, expires: expires, replay: false)
    }

    /// The checks of a promise from the SKU on: also what `CONFIRM late=1` asks again, without the window.
    /// Leaves the ordinals of the lines in `resolved`. Within a check the first line that fails is named.
    @inline(__always)
    mutating func refusalOfLines(_ lines: OrderLines, buyer: Token?, inWindow: Bool) -> Refusal? {
        var areSold = true
        for index in 0..<lines.count {
            let line = lines[index]
            let ordinal = ordinal(of: line.sku)
            guard ordinal != 0 else { return .noSKU(line.sku) }
            resolved[index] = ordinal
            areSold = areSold && stocks[ordinal].pointee.sells(line.quantity, at: clock)
        }
        return areSold ? nil : refusalOfResolvedLines(lines, buyer: buyer, inWindow: inWindow)
    }

    /// The checks one by one, where something stands against a line, or a limit has to be looked at.
    @inline(never)
    private func refusalOfResolvedLines(_ lines: OrderLines, buyer: Token?, inWindow: Bool) -> Refusal? {
        if inWindow {
            for (index, line) in lines.enumerated() {
                switch stocks[resolved[index]].pointee.status(at: clock) {
                case .upcoming: return .upcoming(sku: line.sku, opens: stocks[resolved[index]].pointee.opens)
                case .ended: return .ended(sku: line.sku)
                case .paused: return .paused(sku: line.sku)
                case .selling, .heldOut, .soldOut: break
                }
            }
        }
        for (index, line) in lines.enumerated() {
            let limit = stocks[resolved[index]].pointee.limit
            guard limit != 0 else { continue }
            guard let buyer else { return .buyerNeeded(sku: line.sku) }
            let used = buyers.units(of: buyer, resolved[index])
            guard used &+ line.quantity <= limit else { return .quota(sku: line.sku, limit: limit, used: used) }
        }
        for (index, line) in lines.enumerated() {
            let stock = stocks[resolved[index]]
            let available = stock.pointee.available
            guard available < line.quantity else { continue }
            if available == 0 && stock.pointee.held == 0 { return .soldOut(sku: line.sku, want: line.quantity) }
            return .insufficient(
                sku: line.sku, want: line.quantity, available: available, held: stock.pointee.held)
        }
        for (index, line) in lines.enumerated() {
            guard stocks[resolved[index]].pointee.hasRoom(for: line.quantity) else {
                return .counterOutOfRange(sku: line.sku)
            }
        }
        return nil
    }

    /// A promise whose id is known: nothing happens again, and the answer says whether what was asked is still so.
    private func repeated(_ order: NewOrder, ttl: Int64?, _ found: Arena.Reference) -> Outcome {
        let record = records[found]
        let header = record.header.pointee
        guard record.isOrder else { return conflict(order.id, found) }
        // A cancel came first: whatever comes late is not sold, and its content was never known.
        if record.has(RecordFlags.isEmpty) { return .refused(.inState(.cancelled, id: order.id)) }
        guard isSame(order, ttl: ttl, as: record) else { return conflict(order.id, found) }
        switch header.state {
        case .held:
            return .held(
                id: order.id, sequence: header.sequence, available: availableOfSingleLine(record),
                expires: Timestamp(milliseconds: header.moment), replay: true)
        case .sold:
            return .sold(
                id: order.id, sequence: header.sequence, available: availableOfSingleLine(record), replay: true)
        case .cancelled: return .refused(.inState(.cancelled, id: order.id))
        case .expired: return .refused(.inState(.expired, id: order.id))
        case .returned: return .refused(.inState(.returned, id: order.id))
        case .adjusted, .counted, .transferred, .return: return conflict(order.id, found)
        }
    }

    /// Same verb, same content: pairs as sums in any order, buyer, ttl.
    private func isSame(_ order: NewOrder, ttl: Int64?, as record: Record) -> Bool {
        let header = record.header.pointee
        guard record.has(RecordFlags.isDeduct) == (ttl == nil) else { return false }
        guard ttl == nil || UInt32(truncatingIfNeeded: ttl ?? 0) == header.ttl else { return false }
        guard order.buyer == record.buyer else { return false }
        return isSame(order.lines, as: record, \.asked)
    }

    /// Whether the pairs of a request are exactly those lines of a record whose `quantity` is not zero.
    ///
    /// Complexity: O(lines) when they come in the same order, as those of a retry do.
    func isSame(_ lines: OrderLines, as record: Record, _ quantity: (LineRecord) -> Int64) -> Bool {
        var matched = 0
        for (index, line) in lines.enumerated() {
            guard let place = indexOfLine(line.sku, in: record, expected: index) else { return false }
            guard quantity(record.lines[place]) == line.quantity else { return false }
            matched += 1
        }
        var present = 0
        for index in 0..<record.lineCount where quantity(record.lines[index]) != 0 { present += 1 }
        return matched == present
    }

    /// The line of an order that names this SKU, by the name that it had when the order was placed.
    func indexOfLine(_ sku: Token, in record: Record, expected: Int) -> Int? {
        if expected < record.lineCount && stocks.key(record.lines[expected].ordinal) == sku { return expected }
        for index in 0..<record.lineCount where stocks.key(record.lines[index].ordinal) == sku { return index }
        return nil
    }

    private func availableOfSingleLine(_ record: Record) -> Int64? {
        guard record.lineCount == 1 else { return nil }
        let stock = stocks[record.lines[0].ordinal]
        return stock.pointee.isDropped ? nil : stock.pointee.available
    }
}
