// A customer's "no", and the other answers that are about the shop and not about the network. They are values: a
// program shows them, it does not catch them.

/// Why what was asked is not so. Nothing changed.
public enum Refusal: Error, Sendable, Equatable {
    // The shop's answer to a customer

    /// None left, and none held that could come back.
    case soldOut(sku: String)
    /// Fewer available than wanted. If `held` is not 0, some may come back.
    case insufficient(sku: String, available: Int64, held: Int64)
    case upcoming(sku: String, opens: Moment)
    case ended(sku: String)
    case paused(sku: String)
    /// The buyer would have more than the SKU's limit.
    case quota(sku: String, used: Int64, limit: Int64)
    /// The SKU has a limit, so an order must name its buyer.
    case buyerNeeded(sku: String)
    /// The order is in this state, and what was asked does not go with it: it has expired, was cancelled, is sold.
    case order(OrderState)

    // The state of the stock

    case noSuchSKU(String)
    case exists(sku: String, onhand: Int64)
    case mismatch(sku: String, onhand: Int64)
    case inUse(sku: String, held: Int64)
    /// Backorders that were promised need the lower floor.
    case floorInUse(sku: String, floor: Int64, onhand: Int64, held: Int64)

    // The program's mistake, known only to the ledger

    case noSuchOrder(String)
    /// The id stands for something else already: another order, or another kind of operation (`state`).
    case conflict(id: String, state: String)
    /// The request is older than what the server remembers.
    case stale(String)
    /// More than the order has of this SKU.
    case tooMany(sku: String, have: Int64)
    /// The counter of a SKU would leave its range, or a page token was never given.
    case outOfRange(String)
    /// A refusal that this version of the client does not know.
    case other(code: String, text: String)
}

/// The state of an order.
public enum OrderState: String, Sendable, Hashable {
    case held, sold, cancelled, expired, returned
}

/// The answer to a question that may be refused. It has no third case: the network failing is thrown.
public enum Answer<Value: Sendable>: Sendable {
    /// What was asked for is so.
    case done(Value)
    /// It is not so, and nothing changed.
    case refused(Refusal)

    /// The value, or the refusal thrown: for code that treats a "no" as the end of the matter.
    public func get() throws(Refusal) -> Value {
        switch self {
        case .done(let value): return value
        case .refused(let refusal): throw refusal
        }
    }

    /// The value, if it is done.
    public var value: Value? {
        if case .done(let value) = self { value } else { nil }
    }

    /// The refusal, if it is one.
    public var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }

    /// The same answer about another value.
    public func map<Other>(_ change: (Value) -> Other) -> Answer<Other> {
        switch self {
        case .done(let value): .done(change(value))
        case .refused(let refusal): .refused(refusal)
        }
    }
}

extension Answer: Equatable where Value: Equatable {}
