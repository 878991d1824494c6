// What the ledger answers: what was asked is so, or it is not so and nothing changed. There is no third kind.
// Outcomes are plain bytes too; the wire turns them into reply lines.

/// Whether a SKU can be bought now, and if not, why. First that applies.
public enum StockStatus: UInt8, Sendable {
    case upcoming, ended, paused, selling, heldOut, soldOut
}

/// The counters and settings of a SKU at one moment, as `GET` shows them.
public struct StockView {
    public var sku: Token
    public var available: Int64
    public var held: Int64
    public var sold: Int64
    public var onhand: Int64
    public var floor: Int64
    public var limit: Int64
    public var opens: Int64
    public var closes: Int64
    public var paused: Bool
    public var status: StockStatus
    /// The ledger's newest sequence.
    public var sequence: UInt64

    public init(
        sku: Token, available: Int64, held: Int64, sold: Int64, onhand: Int64, floor: Int64, limit: Int64,
        opens: Int64, closes: Int64, paused: Bool, status: StockStatus, sequence: UInt64
    ) {
        self.sku = sku
        self.available = available
        self.held = held
        self.sold = sold
        self.onhand = onhand
        self.floor = floor
        self.limit = limit
        self.opens = opens
        self.closes = closes
        self.paused = paused
        self.status = status
        self.sequence = sequence
    }
}

/// The one state of an order.
public enum OrderState: UInt8, Sendable, CaseIterable {
    case held = 1
    case sold, cancelled, expired, returned
}

/// What an id that is already remembered stands for.
public enum IDState: UInt8, Sendable, CaseIterable {
    case held = 1
    case sold, cancelled, expired, returned
    case adjusted, counted, transferred, `return`

    @inlinable
    public init(_ state: OrderState) {
        self = switch state {
        case .held: .held
        case .sold: .sold
        case .cancelled: .cancelled
        case .expired: .expired
        case .returned: .returned
        }
    }
}

/// An order as `LOOKUP` and `HOLDS` show it.
public struct OrderView {
    public var id: Token
    public var state: OrderState
    /// Its newest change.
    public var sequence: UInt64
    /// When it began.
    public var at: Timestamp
    /// While it is held.
    public var expires: Timestamp?
    public var buyer: Token?
    /// What is held, or sold net of returns, or (ended) what was asked.
    public var lines: OrderLines

    public init(
        id: Token, state: OrderState, sequence: UInt64, at: Timestamp, expires: Timestamp?, buyer: Token?,
        lines: OrderLines
    ) {
        self.id = id
        self.state = state
        self.sequence = sequence
        self.at = at
        self.expires = expires
        self.buyer = buyer
        self.lines = lines
    }
}

/// The ledger's answer to one command.
public enum Outcome {
    case created(sku: Token, sequence: UInt64)
    /// `onhand` is today's; `nil` when the SKU has been dropped since.
    case adjusted(id: Token, onhand: Int64?, sequence: UInt64, replay: Bool)
    case stock(StockView, replay: Bool)
    case transferred(id: Token, sequence: UInt64, replay: Bool)
    case dropped(sku: Token, sequence: UInt64)
    /// `available` stands only for DEDUCT and RESERVE of one distinct SKU that still exists.
    case sold(id: Token, sequence: UInt64, available: Int64?, replay: Bool)
    case held(id: Token, sequence: UInt64, available: Int64?, expires: Timestamp, replay: Bool)
    case cancelled(id: Token, sequence: UInt64, empty: Bool, replay: Bool)
    /// `CANCEL` of an order that had run out: what was asked is so.
    case expired(id: Token, sequence: UInt64)
    case returned(id: Token, sequence: UInt64, replay: Bool)
    case order(OrderView)
    case refused(Refusal)
}

/// What was full when a new promise was refused.
public enum Fullness: UInt8, Sendable {
    case memory, orders, skus
}

/// Why nothing changed.
public enum Refusal {
    case exists(sku: Token, onhand: Int64)
    case noSKU(Token)
    case mismatch(sku: Token, onhand: Int64)
    case inUse(sku: Token, held: Int64)
    case insufficient(sku: Token, want: Int64, available: Int64, held: Int64)
    /// A floor that backorders already promised would break.
    case floorBroken(sku: Token, floor: Int64, onhand: Int64, held: Int64)
    case soldOut(sku: Token, want: Int64)
    case upcoming(sku: Token, opens: Int64)
    case ended(sku: Token)
    case paused(sku: Token)
    case quota(sku: Token, limit: Int64, used: Int64)
    /// A limit stands and no buyer was named.
    case buyerNeeded(sku: Token)
    case noOrder(Token)
    /// The order is in a state in which what was asked is not so: `-HELD id`, `-SOLD id` and so on.
    case inState(OrderState, id: Token)
    case conflict(id: Token, state: IDState, sequence: UInt64)
    case stale(Token)
    /// A pair that is not in the order, or more than is there.
    case lineOutOfRange(sku: Token, have: Int64)
    /// A counter of this SKU would pass `Limits.counter`.
    case counterOutOfRange(sku: Token)
    case full(Fullness)
    case busy
    /// The log cannot be written. The server adds the reason.
    case readOnly
}

/// The first word of a refusal, as `STATS refusals` counts them.
public enum RefusalCode: UInt8, Sendable, CaseIterable {
    case exists, noSKU, mismatch, inUse, insufficient, soldOut, upcoming, ended, paused, quota, buyer
    case noOrder, held, sold, cancelled, expired, returned, conflict, stale, range, full, busy, readOnly
    case syntax, unknown, tooLong, noAuth, denied, corrupt, error

    /// As it stands on the wire, without the `-`.
    public var word: StaticString {
        switch self {
        case .exists: "EXISTS"
        case .noSKU: "NOSKU"
        case .mismatch: "MISMATCH"
        case .inUse: "INUSE"
        case .insufficient: "INSUFFICIENT"
        case .soldOut: "SOLDOUT"
        case .upcoming: "UPCOMING"
        case .ended: "ENDED"
        case .paused: "PAUSED"
        case .quota: "QUOTA"
        case .buyer: "BUYER"
        case .noOrder: "NOORDER"
        case .held: "HELD"
        case .sold: "SOLD"
        case .cancelled: "CANCELLED"
        case .expired: "EXPIRED"
        case .returned: "RETURNED"
        case .conflict: "CONFLICT"
        case .stale: "STALE"
        case .range: "RANGE"
        case .full: "FULL"
        case .busy: "BUSY"
        case .readOnly: "READONLY"
        case .syntax: "SYNTAX"
        case .unknown: "UNKNOWN"
        case .tooLong: "TOOLONG"
        case .noAuth: "NOAUTH"
        case .denied: "DENIED"
        case .corrupt: "CORRUPT"
        case .error: "ERR"
        }
    }
}

extension Refusal {
    public var code: RefusalCode {
        switch self {
        case .exists: .exists
        case .noSKU: .noSKU
        case .mismatch: .mismatch
        case .inUse: .inUse
        case .insufficient, .floorBroken: .insufficient
        case .soldOut: .soldOut
        case .upcoming: .upcoming
        case .ended: .ended
        case .paused: .paused
        case .quota: .quota
        case .buyerNeeded: .buyer
        case .noOrder: .noOrder
        case .inState(let state, _):
            switch state {
            case .held: .held
            case .sold: .sold
            case .cancelled: .cancelled
            case .expired: .expired
            case .returned: .returned
            }
        case .conflict: .conflict
        case .stale: .stale
        case .lineOutOfRange, .counterOutOfRange: .range
        case .full: .full
        case .busy: .busy
        case .readOnly: .readOnly
        }
    }
}
