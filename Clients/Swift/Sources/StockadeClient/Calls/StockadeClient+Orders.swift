// Selling: promise, keep, give back. Each call ends as `.done`, as `.refused`, or in an error of which only
// `.outcomeUnknown` leaves a question open.

extension StockadeClient {
    /// Sells at once.
    ///
    /// - Parameters:
    ///   - id: the order's, chosen by the caller; a repeated call with the same id and content sells nothing twice.
    ///   - items: taken all or none.
    ///   - deadline: for the whole call; the configuration's, if `nil`.
    public func deduct(
        order id: String, _ items: [OrderItem], buyer: String? = nil, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Sale> {
        try await deduct(NewOrder(id: id, items: items, buyer: buyer), deadline: deadline)
    }

    /// Sells at once.
    public func deduct(_ order: NewOrder, deadline: Duration? = nil) async throws(StockadeError) -> Answer<Sale> {
        try await decide(try deduction(order), within: deadline)
    }

    /// Holds stock for a time. The hold is then confirmed, cancelled, extended, or runs out.
    ///
    /// ```swift
    /// switch try await stock.reserve(order: "o-1", [.init("phone", 2)], for: .minutes(15), buyer: "ann") {
    /// case .done(let hold): try await hold.confirm()
    /// case .refused(.soldOut): print("sold out")
    /// case .refused(let refusal): print("no: \(refusal)")
    /// }
    /// ```
    public func reserve(
        order id: String, _ items: [OrderItem], for time: HoldTime, buyer: String? = nil, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Hold> {
        try await reserve(NewOrder(id: id, items: items, buyer: buyer), for: time, deadline: deadline)
    }

    /// Holds stock for a time.
    public func reserve(
        _ order: NewOrder, for time: HoldTime, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Hold> {
        try await decide(try reservation(order, for: time), within: deadline)
    }

    /// A hold that is known by its id alone. Nothing is asked of the server.
    public func hold(order id: String) -> Hold {
        Hold(order: id, sequence: 0, available: nil, expires: nil, isReplay: false, isConfirmed: false, client: self)
    }

    /// Sells what is held.
    ///
    /// - Parameters:
    ///   - items: what is sold; the rest goes back in the same step. Empty: everything.
    ///   - late: if the hold has run out, take the stock again, if it is there.
    public func confirm(
        order id: String, _ items: [OrderItem] = [], late: Bool = false, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Sale> {
        try await decide(try confirmation(id, items, late: late), within: deadline)
    }

    /// Gives back a hold. An order that was never seen is closed by it: if it is still on its way, it will be refused.
    public func cancel(
        order id: String, reason: String? = nil, born: Moment? = nil, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Cancellation> {
        let change = Change<Cancellation>(
            request: try Requests.cancel(id, born: born ?? WallClock.now, reason: reason),
            subject: .known(order: id)
        ) { line throws(StockadeError) in
            try Cancellation(line, order: id)
        } conclude: { found in
            switch found {
            case .order(let order):
                switch order.state {
                case .cancelled, .expired:
                    .done(
                        Cancellation(
                            order: id, sequence: order.sequence, wasUnknown: false,
                            hadExpired: order.state == .expired, isReplay: true))
                case .sold, .returned: .refused(.order(order.state))
                case .held: nil
                }
            case .operation(let state, _): .refused(.conflict(id: id, state: state))
            case .nothing: nil
            }
        }
        return try await decide(change, within: deadline)
    }

    /// Lets a hold run out `time` from now.
    public func extend(
        order id: String, by time: HoldTime, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Hold> {
        let change = Change<Hold>(
            request: try Requests.extend(id, by: time), subject: .known(order: id)
        ) { line throws(StockadeError) in
            try Hold(line, order: id, client: self)
        } conclude: { found in
            // A held order may or may not have the new expiry.
            switch found {
            case .order(let order): order.state == .held ? nil : .refused(.order(order.state))
            case .operation(let state, _): .refused(.conflict(id: id, state: state))
            case .nothing: nil
            }
        }
        return try await decide(change, within: deadline)
    }

    /// Takes back goods that were sold.
    ///
    /// - Parameters:
    ///   - id: this return's own id; an order may be returned in parts, each part once.
    ///   - items: what came back. Empty: all that is left of the order.
    public func giveBack(
        _ id: String, of order: String, _ items: [OrderItem] = [], deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Return> {
        let change = Change<Return>(
            request: try Requests.giveBack(id, order: order, items), subject: .new(id: id, born: nil)
        ) { line throws(StockadeError) in
            try Return(line, id: id)
        } conclude: { found in
            switch found {
            case .operation("return", let sequence): .done(Return(id: id, sequence: sequence, isReplay: true))
            case .operation(let state, _): .refused(.conflict(id: id, state: state))
            case .order(let order): .refused(.conflict(id: id, state: order.state.rawValue))
            case .nothing: nil
            }
        }
        return try await decide(change, within: deadline)
    }

    /// Shows an order; `.refused(.noSuchOrder)` if the ledger does not know it (any more).
    public func lookup(order id: String, deadline: Duration? = nil) async throws(StockadeError) -> Answer<Order> {
        try await look(try Requests.lookup(id), id: id, within: deadline) { line throws(StockadeError) in
            try Order(line)
        }
    }

    /// Decides what became of a ``reserve(_:for:deadline:)`` or ``deduct(_:deadline:)`` whose outcome was unknown, once
    /// and for all: if the order is in the ledger, it is shown; if it never arrived, its id is closed, so that it never
    /// will.
    ///
    /// An order that is found as `held` may still be confirmed or cancelled by a request that is on its way. Decide it
    /// by repeating that request: it is safe to do so.
    public func settle(order id: String, deadline: Duration? = nil) async throws(StockadeError) -> Fate {
        try await enter()
        let time = self.deadline(deadline)
        if case .order(let order) = try await find(id, until: time) { return .known(order) }
        let left = Duration.nanoseconds(max(time.end - MonotonicClock.now, 0))
        switch try await cancel(order: id, reason: "settled", deadline: left) {
        case .done(let cancellation) where cancellation.wasUnknown: return .neverHappened
        case .done, .refused:
            // It arrived in between.
            guard case .order(let order) = try await find(id, until: time) else { return .neverHappened }
            return .known(order)
        }
    }
}

// MARK: The changes, for single calls and for batches

extension StockadeClient {
    func deduction(_ order: NewOrder) throws(StockadeError) -> Change<Sale> {
        let born = order.born ?? WallClock.now
        let id = order.id
        return Change<Sale>(
            request: try Requests.deduct(order, born: born), subject: .new(id: id, born: born)
        ) { line throws(StockadeError) in
            try Sale(line, order: id)
        } conclude: { found in
            Self.conclude(found, of: order) { $0.state == .sold ? Sale($0) : nil }
        }
    }

    func reservation(_ order: NewOrder, for time: HoldTime) throws(StockadeError) -> Change<Hold> {
        let born = order.born ?? WallClock.now
        let id = order.id
        return Change<Hold>(
            request: try Requests.reserve(order, for: time, born: born), subject: .new(id: id, born: born)
        ) { line throws(StockadeError) in
            try Hold(line, order: id, client: self)
        } conclude: { found in
            Self.conclude(found, of: order) {
                $0.state == .held || $0.state == .sold ? Hold($0, client: self) : nil
            }
        }
    }

    func confirmation(_ id: String, _ items: [OrderItem], late: Bool) throws(StockadeError) -> Change<Sale> {
        Change<Sale>(
            request: try Requests.confirm(id, items, late: late), subject: .known(order: id)
        ) { line throws(StockadeError) in
            try Sale(line, order: id)
        } conclude: { found in
            guard case .order(let order) = found else { return nil }
            switch order.state {
            // Sold: as asked, or as another confirmation asked; returned goods hide which, so it stays open.
            case .sold: return items.isEmpty || Self.sums(order.items) == Self.sums(items) ? .done(Sale(order)) : nil
            case .cancelled, .returned: return .refused(.order(order.state))
            case .expired: return late ? nil : .refused(.order(.expired))
            case .held: return nil
            }
        }
    }

    /// What `LOOKUP` says about a new order: done, if `done` makes a value of it.
    private static func conclude<Value>(
        _ found: Found, of asked: NewOrder, _ done: (Order) -> Value?
    ) -> Answer<Value>? {
        switch found {
        case .order(let order):
            guard order.items.isEmpty || order.canBe(asked) else {
                return .refused(.conflict(id: asked.id, state: order.state.rawValue))
            }
            return done(order).map { .done($0) } ?? .refused(.order(order.state))
        case .operation(let state, _): return .refused(.conflict(id: asked.id, state: state))
        case .nothing: return nil
        }
    }

    private static func sums(_ items: [OrderItem]) -> [String: Int64] {
        items.reduce(into: [:]) { sums, item in sums[item.sku, default: 0] += item.quantity }
    }
}
