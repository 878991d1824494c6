// What a client asks of the ledger. The wire makes commands, the ledger decides them. A command is plain bytes:
// tokens and lines are views of the request that it came in.

/// One SKU and how many units of it.
@frozen
public struct OrderLine {
    public var sku: Token
    public var quantity: Int64

    @inlinable
    public init(sku: Token, quantity: Int64) {
        self.sku = sku
        self.quantity = quantity
    }
}

/// The lines of a request: distinct SKUs in the order of their first mention, repeated ones summed; at most
/// `Limits.pairs`, each quantity 1…`Limits.quantity`. The parser sees to all of that.
public typealias OrderLines = UnsafeBufferPointer<OrderLine>

/// A promise that a client asks for: a view, like its tokens and lines, so that handing it on copies one word.
@frozen
public struct NewOrder {
    @frozen
    public struct Content {
        public var id: Token
        public var lines: OrderLines
        public var buyer: Token?
        public var born: Timestamp?

        @inlinable
        public init(id: Token, lines: OrderLines, buyer: Token?, born: Timestamp?) {
            self.id = id
            self.lines = lines
            self.buyer = buyer
            self.born = born
        }
    }

    @usableFromInline let content: UnsafePointer<Content>

    @inlinable
    public init(_ content: UnsafePointer<Content>) { self.content = content }

    @inlinable public var id: Token { content.pointee.id }
    @inlinable public var lines: OrderLines { content.pointee.lines }
    @inlinable public var buyer: Token? { content.pointee.buyer }
    /// The client's time of first sending; it closes the hole beyond retention.
    @inlinable public var born: Timestamp? { content.pointee.born }

    /// Calls `body` with an order that is there until it returns.
    // Inlinable: not specialised, it was a fourteenth of the instructions of a replay.
    @inlinable
    public static func with<Result>(
        id: Token, lines: OrderLines, buyer: Token? = nil, born: Timestamp? = nil, _ body: (NewOrder) throws -> Result
    ) rethrows -> Result {
        try withUnsafePointer(to: Content(id: id, lines: lines, buyer: buyer, born: born)) {
            try body(NewOrder($0))
        }
    }
}

/// What makes an absolute count of a stock-take safe to send twice.
public enum CountCondition {
    /// Compare and set: only when onhand is still this.
    case ifOnhand(Int64)
    /// Once: the count is an operation with an id of its own.
    case once(id: Token)
}

/// Settings of a SKU; `nil` leaves one as it is.
public struct StockSettings {
    public var floor: Int64?
    public var limit: Int64?
    public var opens: Int64?
    public var closes: Int64?
    public var paused: Bool?

    public init(
        floor: Int64? = nil, limit: Int64? = nil, opens: Int64? = nil, closes: Int64? = nil, paused: Bool? = nil
    ) {
        self.floor = floor
        self.limit = limit
        self.opens = opens
        self.closes = closes
        self.paused = paused
    }
}

/// One request to the ledger. Quantities, durations and times are within `Limits`; a return is called `giveBack`
/// because `return` is a word of the language.
public enum Command {
    // Stock
    case create(sku: Token, onhand: Int64, settings: StockSettings)
    case adjust(id: Token, sku: Token, delta: Int64, reason: Token?, force: Bool)
    case count(sku: Token, onhand: Int64, condition: CountCondition, force: Bool)
    case configure(sku: Token, settings: StockSettings)
    case transfer(id: Token, from: Token, to: Token, quantity: Int64)
    case drop(sku: Token)
    case get(sku: Token)

    // Orders
    case deduct(NewOrder)
    /// `ttl` in milliseconds.
    case reserve(NewOrder, ttl: Int64)
    /// No lines: everything that is held.
    case confirm(id: Token, lines: OrderLines, late: Bool)
    case cancel(id: Token, born: Timestamp?, reason: Token?)
    case extend(id: Token, ttl: Int64)
    /// `key` is the return's own id; no lines: all that is left.
    case giveBack(key: Token, order: Token, lines: OrderLines)
    case lookup(id: Token)
}
