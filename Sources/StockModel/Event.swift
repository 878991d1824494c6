// Every accepted change is one event: it says what happened, to what, and the counters after it, so that a reader
// of the log needs no ledger of its own. Events are what the log keeps, what replay applies and what the archive
// folds. Their bytes are in EventBuffer.swift (writing) and EventReader.swift (reading).

/// The counters of a SKU after an event touched it.
@frozen
public struct CountersAfter: Equatable, Sendable {
    public var onhand: Int64
    public var held: Int64
    public var sold: Int64

    @inlinable
    public init(onhand: Int64, held: Int64, sold: Int64) {
        self.onhand = onhand
        self.held = held
        self.sold = sold
    }
}

/// One SKU's part in an event.
@frozen
public struct EventLine {
    /// The SKU, by the ordinal that its `created` event gave it.
    public var ordinal: UInt32
    /// Units that this event moved: taken, confirmed, given back.
    public var quantity: Int64
    public var after: CountersAfter

    @inlinable
    public init(ordinal: UInt32, quantity: Int64, after: CountersAfter) {
        self.ordinal = ordinal
        self.quantity = quantity
        self.after = after
    }
}

public typealias EventLines = UnsafeBufferPointer<EventLine>

/// The number of each kind in the log. Numbers are never reused.
public enum EventKind: UInt8, Sendable, CaseIterable {
    case created = 1
    case adjusted = 2
    case counted = 3
    case configured = 4
    case transferred = 5
    case dropped = 6
    case deducted = 16
    case reserved = 17
    case confirmed = 18
    case cancelled = 19
    case emptyCancelled = 20
    case extended = 21
    case returned = 22
    case expired = 23
    case forgot = 24
}

/// The settings that a SKU has after `created` or `configured`.
public struct SettingsAfter: Equatable, Sendable {
    public var floor: Int64
    public var limit: Int64
    public var opens: Int64
    public var closes: Int64
    public var paused: Bool

    public init(floor: Int64 = 0, limit: Int64 = 0, opens: Int64 = 0, closes: Int64 = 0, paused: Bool = false) {
        self.floor = floor
        self.limit = limit
        self.opens = opens
        self.closes = closes
        self.paused = paused
    }
}

/// What happened. Tokens and lines are views: of the command when the ledger emits an event, of the log's bytes when
/// one is read. Its sequence number and time belong to the place where it stands (see `EventReader`).
public enum Event {
    /// `ordinal` is new and never reused; `onhand` is also what was loaded.
    case created(ordinal: UInt32, sku: Token, onhand: Int64, settings: SettingsAfter)
    /// `line.quantity` is the delta, positive or negative.
    case adjusted(id: Token, line: EventLine, forced: Bool, reason: Token?)
    /// `line.quantity` is the change that the count made; `line.after.onhand` is what was counted.
    case counted(id: Token?, line: EventLine, forced: Bool)
    case configured(ordinal: UInt32, settings: SettingsAfter)
    /// Both lines carry the quantity that moved.
    case transferred(id: Token, from: EventLine, to: EventLine)
    case dropped(ordinal: UInt32)

    case deducted(id: Token, lines: EventLines, buyer: Token?, born: Timestamp?)
    /// `ttl` in milliseconds; `expires` is the event's time plus `ttl`.
    case reserved(id: Token, lines: EventLines, buyer: Token?, born: Timestamp?, ttl: Int64, expires: Timestamp)
    /// One line for each of the order, in its order, with the units sold (0: the line went back whole).
    /// `late`: the order had expired and its stock was taken again.
    case confirmed(id: Token, lines: EventLines, late: Bool)
    /// One line for each of the order: what went back.
    case cancelled(id: Token, lines: EventLines, reason: Token?)
    /// A cancel of an id that was never seen.
    case emptyCancelled(id: Token, born: Timestamp?, reason: Token?)
    case extended(id: Token, expires: Timestamp)
    /// The lines that came back. `whole`: the request named no pairs. `complete`: nothing of the order is left.
    case returned(key: Token, order: Token, lines: EventLines, whole: Bool, complete: Bool)
    /// One line for each of the order: what went back.
    case expired(id: Token, lines: EventLines)
    /// Every ended order and operation whose newest sequence is ≤ `through` is forgotten, an order together with its
    /// returns, which are never forgotten before it. The newest of them ended at `endedBy`; `count` ids they were.
    case forgot(through: UInt64, endedBy: Timestamp, count: UInt64)
}

extension Event {
    public var kind: EventKind {
        switch self {
        case .created: .created
        case .adjusted: .adjusted
        case .counted: .counted
        case .configured: .configured
        case .transferred: .transferred
        case .dropped: .dropped
        case .deducted: .deducted
        case .reserved: .reserved
        case .confirmed: .confirmed
        case .cancelled: .cancelled
        case .emptyCancelled: .emptyCancelled
        case .extended: .extended
        case .returned: .returned
        case .expired: .expired
        case .forgot: .forgot
        }
    }
}
