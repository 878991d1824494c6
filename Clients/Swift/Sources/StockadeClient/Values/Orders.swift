// What is known of orders: a new one, a sale, an order as the ledger shows it.

/// An order that is to be made.
public struct NewOrder: Sendable, Hashable {
    /// Chosen by the caller, once per order: 1 to 128 bytes from `!` to `~` without `=`. Repeating a call with the
    /// same id never does anything twice.
    public var id: String
    /// 1 to 1,024; the same SKU named twice counts as the sum.
    public var items: [OrderItem]
    /// Who buys; needed for SKUs with a limit.
    public var buyer: String?
    /// When this order was first sent, by this machine's clock. The client sets it and keeps it over its own
    /// retries. Set it yourself when the order comes from a queue and may be sent again by another process hours
    /// later: with it, the server refuses what it may have forgotten instead of selling it twice.
    public var born: Moment?

    public init(id: String, items: [OrderItem], buyer: String? = nil, born: Moment? = nil) {
        self.id = id
        self.items = items
        self.buyer = buyer
        self.born = born
    }
}

/// An order that is sold.
public struct Sale: Sendable, Equatable {
    public var order: String
    /// The number of the change in the ledger's log. The order's newest, if the call was a repetition.
    public var sequence: Int64
    /// What is left, for sales of a single SKU.
    public var available: Int64?
    /// The order had been sold before this call's last attempt: by an earlier attempt, or by an earlier call.
    public var isReplay: Bool
}

/// An order that is cancelled.
public struct Cancellation: Sendable, Equatable {
    public var order: String
    public var sequence: Int64
    /// The order had never been seen. If it is still on its way, it will be refused.
    public var wasUnknown: Bool
    /// The hold had run out already, which comes to the same.
    public var hadExpired: Bool
    public var isReplay: Bool
}

/// Goods that came back.
public struct Return: Sendable, Equatable {
    /// The return's own id.
    public var id: String
    public var sequence: Int64
    public var isReplay: Bool
}

/// An order as the ledger shows it.
public struct Order: Sendable, Equatable {
    public var id: String
    public var state: OrderState
    /// Its newest change.
    public var sequence: Int64
    /// When it began.
    public var began: Moment
    /// When it runs out; only of a held order.
    public var expires: Moment?
    public var buyer: String?
    /// What is held; or what is sold and has not come back; or, of an order that ended otherwise, what was asked.
    public var items: [OrderItem]
}

/// What became of an order, once and for all.
public enum Fate: Sendable, Equatable {
    /// It is in the ledger.
    case known(Order)
    /// It never arrived, and never will: its id is closed.
    case neverHappened
}

// MARK: Reading

extension Sale {
    init(_ line: ReplyLine, order: String) throws(StockadeError) {
        guard line.begins(with: "+SOLD"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        self.init(
            order: order, sequence: sequence, available: line.number(of: "available"), isReplay: line.flag("replay"))
    }

    init(_ order: Order) {
        self.init(order: order.id, sequence: order.sequence, available: nil, isReplay: true)
    }
}

extension Cancellation {
    init(_ line: ReplyLine, order: String) throws(StockadeError) {
        let hadExpired = line.begins(with: "+EXPIRED")
        guard hadExpired || line.begins(with: "+CANCELLED"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        self.init(
            order: order, sequence: sequence, wasUnknown: line.flag("empty"), hadExpired: hadExpired,
            isReplay: line.flag("replay"))
    }
}

extension Return {
    init(_ line: ReplyLine, id: String) throws(StockadeError) {
        guard line.begins(with: "+RETURNED"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        self.init(id: id, sequence: sequence, isReplay: line.flag("replay"))
    }
}

extension Order {
    init(_ line: ReplyLine) throws(StockadeError) {
        guard line.begins(with: "+ORDER"), let id = line.text(1),
            let state = line.text(of: "state").flatMap(OrderState.init(rawValue:)),
            let sequence = line.number(of: "seq"), let at = line.number(of: "at"), let items = line.items()
        else { throw .unexpectedReply(line.text) }
        self.init(
            id: id, state: state, sequence: sequence, began: Moment(unixMilliseconds: at),
            expires: line.number(of: "expires").map(Moment.init(unixMilliseconds:)), buyer: line.text(of: "buyer"),
            items: items)
    }

    /// Whether it can be what came of `order`: the same buyer, and nothing that was not asked for.
    func canBe(_ order: NewOrder) -> Bool {
        guard buyer == order.buyer else { return false }
        var asked: [String: Int64] = [:]
        for item in order.items { asked[item.sku, default: 0] += item.quantity }
        return items.allSatisfy { $0.quantity <= asked[$0.sku] ?? 0 }
    }
}
