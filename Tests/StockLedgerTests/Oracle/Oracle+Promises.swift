// How the oracle makes a promise: DEDUCT, RESERVE and the late CONFIRM ask the
// same column of questions, in the protocol's order of precedence.

extension Oracle {
    /// Units that somebody wants of a SKU that exists.
    struct Want {
        /// Place in `skus`.
        let sku: Int
        let quantity: Int64
    }

    mutating func deduct(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        return try promise(&request, id: try request.token(), ttl: nil)
    }

    mutating func reserve(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        return try promise(&request, id: try request.token(), ttl: try request.duration())
    }

    private mutating func promise(
        _ request: inout OracleRequest, id: String, ttl: Int64?
    ) throws(Refusal) -> String {
        guard request.hasArguments else { throw .syntax }
        let pairs = try request.pairs()
        let buyer = try request.optionalToken("buyer")
        let born = try request.optionalTime("born")
        try request.finish()
        let asked = Asked(ttl: ttl, buyer: buyer, quantities: quantities(pairs))

        if let known = order(id) { return try repeatPromise(known, asked) }
        if operations[id] != nil { throw conflict(id) }
        try checkStale(id, born: born)
        var wants: [Want] = []
        for pair in pairs { wants.append(Want(sku: try place(of: pair.sku), quantity: pair.quantity)) }
        try checkWindow(wants)
        try checkQuota(wants, buyer: buyer)
        try checkStock(wants)

        var lines: [Line] = []
        for want in wants {
            var line = Line(sku: want.sku, asked: want.quantity)
            if ttl == nil {
                line.sold = want.quantity
                move(want.sku, for: buyer, onhand: -want.quantity, sold: want.quantity)
            } else {
                move(want.sku, for: buyer, held: want.quantity)
            }
            lines.append(line)
        }
        var order = Order(
            id: id, asked: asked, lines: lines, state: .held, at: now, seq: seq, changedAt: now)
        order.expires = now + (ttl ?? 0)
        store(order, as: ttl == nil ? .sold : .held)
        promised = (wants.map(\.sku), buyer)
        return promiseLine(id)
    }

    /// The id is known: nothing happens again.
    private func repeatPromise(_ order: Order, _ asked: Asked) throws(Refusal) -> String {
        // An empty cancel came first: the order it was meant for must never hold stock.
        guard let first = order.asked else { throw Refusal("-CANCELLED \(order.id)") }
        guard first == asked else { throw conflict(order.id) }
        switch order.state {
        case .held, .sold: return promiseLine(order.id) + " replay=1"
        case .cancelled, .expired, .returned: throw wrongState(order)
        }
    }

    /// `+SOLD` or `+HELD` with today's counters.
    private func promiseLine(_ id: String) -> String {
        guard let order = orders[id] else { return "" }
        var line = "+\(order.state.rawValue.uppercased()) \(id) seq=\(order.seq)"
        if order.lines.count == 1, !skus[order.lines[0].sku].isDropped {
            line += " available=\(skus[order.lines[0].sku].available)"
        }
        if order.state == .held { line += " expires=\(order.expires)" }
        return line
    }

    // MARK: The checks; within each, the first line that fails is named

    /// An unknown id that was born before what has been forgotten may have been sold already.
    func checkStale(_ id: String, born: Int64?) throws(Refusal) {
        if let born, let newestForgotten, born <= newestForgotten { throw Refusal("-STALE \(id)") }
    }

    private func checkWindow(_ wants: [Want]) throws(Refusal) {
        for want in wants {
            let sku = skus[want.sku]
            if isUpcoming(sku) { throw Refusal("-UPCOMING \(sku.name) opens=\(sku.opens)") }
            if isOver(sku) { throw Refusal("-ENDED \(sku.name)") }
            if sku.isPaused { throw Refusal("-PAUSED \(sku.name)") }
        }
    }

    func checkQuota(_ wants: [Want], buyer: String?) throws(Refusal) {
        for want in wants where skus[want.sku].limit != 0 {
            let sku = skus[want.sku]
            guard let buyer else { throw Refusal("-BUYER \(sku.name)") }
            let used = sku.used[buyer] ?? 0
            guard used + want.quantity <= sku.limit else {
                throw Refusal("-QUOTA \(sku.name) limit=\(sku.limit) used=\(used)")
            }
        }
    }

    func checkStock(_ wants: [Want]) throws(Refusal) {
        for want in wants {
            let sku = skus[want.sku]
            guard want.quantity <= sku.available else {
                let code = sku.available == 0 && sku.held == 0 ? "-SOLDOUT" : "-INSUFFICIENT"
                throw Refusal(
                    "\(code) \(sku.name) want=\(want.quantity) available=\(sku.available) held=\(sku.held)")
            }
        }
        // Last, because only a SKU with a huge backorder allowance can come so far.
        for want in wants where skus[want.sku].held + skus[want.sku].sold + want.quantity > limits.counter {
            throw .range
        }
    }

    // MARK: Leaves

    func quantities(_ pairs: [Pair]) -> [String: Int64] {
        var quantities: [String: Int64] = [:]
        for pair in pairs { quantities[pair.sku] = pair.quantity }
        return quantities
    }

    /// `-HELD id`, `-SOLD id` …
    func wrongState(_ order: Order) -> Refusal {
        Refusal("-\(order.state.rawValue.uppercased()) \(order.id)")
    }
}
