// What becomes of an order in the oracle: CONFIRM, CANCEL, EXTEND, RETURN, and
// how one looks at it.

extension Oracle {
    // MARK: Confirm, cancel, extend

    mutating func confirm(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let id = try request.token()
        let pairs = try request.pairs()
        let isLate = try request.optionalFlag("late") ?? false
        try request.finish()

        var order = try knownOrder(id)
        // Bare means everything that was held.
        let wanted = pairs.isEmpty ? namedQuantities(order, \.asked) : pairs
        switch order.state {
        case .sold:
            let sold = quantities(namedQuantities(order, \.sold))
            guard quantities(wanted) == sold else { throw conflict(id) }
            return "+SOLD \(id) seq=\(order.seq) replay=1"
        case .held: break
        case .expired where isLate: break
        case .expired, .cancelled, .returned: throw wrongState(order)
        }
        try checkPairs(wanted, order, have: \.asked)
        if order.state == .expired { try checkLate(wanted, order) }

        let wasHeld = order.state == .held
        for (index, line) in order.lines.enumerated() {
            let sold = quantities(wanted)[skus[line.sku].name] ?? 0
            order.lines[index].sold = sold
            move(
                line.sku, for: order.asked?.buyer,
                onhand: -sold, held: wasHeld ? -line.asked : 0, sold: sold)
        }
        store(order, as: .sold)
        return "+SOLD \(id) seq=\(seq)"
    }

    /// A late payment takes the stock again: SKU, quota and stock are asked, window and pause are not.
    private mutating func checkLate(_ pairs: [Pair], _ order: Order) throws(Refusal) {
        let wants = wants(pairs, order)
        try checkNotDropped(wants)
        try checkQuota(wants, buyer: order.asked?.buyer)
        try checkStock(wants)
        promised = (wants.map(\.sku), order.asked?.buyer)
    }

    mutating func cancel(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let id = try request.token()
        let born = try request.optionalTime("born")
        _ = try request.optionalToken("reason")
        try request.finish()

        if let order = order(id) {
            switch order.state {
            case .held:
                giveBack(order, as: .cancelled)
                return "+CANCELLED \(id) seq=\(seq)"
            case .cancelled:
                let empty = order.asked == nil ? " empty=1" : ""
                return "+CANCELLED \(id) seq=\(order.seq)\(empty) replay=1"
            case .expired:
                return "+EXPIRED \(id) seq=\(order.seq) replay=1"
            case .sold, .returned: throw wrongState(order)
            }
        }
        if operations[id] != nil { throw conflict(id) }
        try checkStale(id, born: born)

        store(
            Order(id: id, asked: nil, lines: [], state: .cancelled, at: now, seq: seq, changedAt: now),
            as: .cancelled)
        return "+CANCELLED \(id) seq=\(seq) empty=1"
    }

    mutating func extend(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let id = try request.token()
        let ttl = try request.duration()
        try request.finish()

        var order = try knownOrder(id)
        guard order.state == .held else { throw wrongState(order) }

        order.expires = now + ttl
        store(order, as: .held)
        return "+HELD \(id) seq=\(seq) expires=\(order.expires)"
    }

    // MARK: Return

    mutating func returnUnits(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let rid = try request.token()
        let id = try request.token()
        let pairs = try request.pairs()
        try request.finish()

        if order(rid) != nil { throw conflict(rid) }
        if let known = operations[rid] {
            guard case .returning(id, let returned, let wasBare) = known.content,
                pairs.isEmpty ? wasBare : quantities(pairs) == returned
            else { throw conflict(rid) }
            return "+RETURNED \(rid) seq=\(known.seq) replay=1"
        }
        var order = try knownOrder(id)
        guard order.state == .sold else { throw wrongState(order) }
        let wanted = pairs.isEmpty ? namedQuantities(order, \.left) : pairs
        try checkPairs(wanted, order, have: \.left)
        try checkNotDropped(wants(wanted, order))

        for (index, line) in order.lines.enumerated() {
            let quantity = quantities(wanted)[skus[line.sku].name] ?? 0
            order.lines[index].returned += quantity
            move(line.sku, for: order.asked?.buyer, onhand: quantity, sold: -quantity)
        }
        store(order, as: order.lines.allSatisfy { $0.left == 0 } ? .returned : .sold)
        operations[rid] = Operation(
            content: .returning(order: id, quantities: quantities(wanted), isBare: pairs.isEmpty),
            seq: seq, at: now)
        return "+RETURNED \(rid) seq=\(seq)"
    }

    // MARK: Look

    mutating func lookUp(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let id = try request.token()
        try request.finish()
        return orderLine(try knownOrder(id))
    }

    /// All open orders by id, as if a page had room for them.
    func listHolds(_ request: OracleRequest) throws(Refusal) -> [String] {
        var request = request
        let sku = try request.optionalToken("sku")
        let buyer = try request.optionalToken("buyer")
        try request.finish()
        let open = orders.values.filter { order in
            order.state == .held
                && (sku == nil || order.lines.contains { skus[$0.sku].name == sku })
                && (buyer == nil || order.asked?.buyer == buyer)
        }
        return ["*\(open.count + 1)"] + open.sorted { $0.id < $1.id }.map(orderLine) + ["+END"]
    }

    private func orderLine(_ order: Order) -> String {
        // Held, or sold net of returns, or (ended) what was asked.
        let pairs = namedQuantities(order, order.state == .sold ? \.left : \.asked)
        var line = "+ORDER \(order.id) state=\(order.state.rawValue) seq=\(order.seq) at=\(order.at)"
        if order.state == .held { line += " expires=\(order.expires)" }
        if let buyer = order.asked?.buyer { line += " buyer=\(buyer)" }
        line += " lines=\(pairs.count)"
        for pair in pairs { line += " \(pair.sku) \(pair.quantity)" }
        return line
    }

    // MARK: Leaves

    private mutating func knownOrder(_ id: String) throws(Refusal) -> Order {
        if let order = order(id) { return order }
        if operations[id] != nil { throw conflict(id) }
        throw Refusal("-NOORDER \(id)")
    }

    /// The order's lines as pairs, without those of which nothing is there.
    private func namedQuantities(_ order: Order, _ quantity: (Line) -> Int64) -> [Pair] {
        order.lines
            .map { Pair(sku: skus[$0.sku].name, quantity: quantity($0)) }
            .filter { $0.quantity > 0 }
    }

    private func checkPairs(_ pairs: [Pair], _ order: Order, have: (Line) -> Int64) throws(Refusal) {
        for pair in pairs {
            let line = order.lines.first { skus[$0.sku].name == pair.sku }
            let there = line.map(have) ?? 0
            guard pair.quantity <= there else { throw Refusal("-RANGE \(pair.sku) have=\(there)") }
        }
    }

    /// The pairs, each of which names a line of the order, by the place of their SKU.
    private func wants(_ pairs: [Pair], _ order: Order) -> [Want] {
        pairs.compactMap { pair in
            order.lines.first { skus[$0.sku].name == pair.sku }
                .map { Want(sku: $0.sku, quantity: pair.quantity) }
        }
    }

    /// A SKU created again under the name is a new one, and not this order's.
    private func checkNotDropped(_ wants: [Want]) throws(Refusal) {
        for want in wants where skus[want.sku].isDropped { throw Refusal("-NOSKU \(skus[want.sku].name)") }
    }
}
