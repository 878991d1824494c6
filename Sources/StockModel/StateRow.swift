// The state as rows: what the ledger keeps in its tables, the archive in SQLite, and what one hands to the other. A
// row knows its digest, so that two copies can be compared without looking at each other.

/// Yes-or-no facts of a remembered id.
public struct RecordFlags: OptionSet, Sendable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The order began with DEDUCT, not RESERVE.
    @inlinable public static var isDeduct: RecordFlags { RecordFlags(rawValue: 1) }
    /// A cancel of an id that was never seen.
    @inlinable public static var isEmpty: RecordFlags { RecordFlags(rawValue: 2) }
    /// The return named no pairs.
    @inlinable public static var isWhole: RecordFlags { RecordFlags(rawValue: 4) }
}

/// One SKU, also a dropped one.
public struct SKURow {
    public var ordinal: UInt32
    public var key: Token
    public var onhand: Int64
    public var held: Int64
    public var sold: Int64
    /// Sold units of orders that are forgotten: a part of `sold`.
    public var settled: Int64
    public var loaded: Int64
    public var settings: SettingsAfter
    public var isDropped: Bool

    public init(
        ordinal: UInt32, key: Token, onhand: Int64, held: Int64, sold: Int64, settled: Int64, loaded: Int64,
        settings: SettingsAfter, isDropped: Bool
    ) {
        self.ordinal = ordinal
        self.key = key
        self.onhand = onhand
        self.held = held
        self.sold = sold
        self.settled = settled
        self.loaded = loaded
        self.settings = settings
        self.isDropped = isDropped
    }

    public var digest: UInt64 {
        var hasher = ItemHasher(.sku)
        hasher.combineSKU(self)
        return hasher.finish()
    }
}

/// One line of a remembered id.
public struct LineRow: Equatable, Sendable {
    public var ordinal: UInt32
    public var asked: Int64
    /// Units that were sold, before any return.
    public var sold: Int64
    /// Units that came back.
    public var returned: Int64

    public init(ordinal: UInt32, asked: Int64, sold: Int64, returned: Int64) {
        self.ordinal = ordinal
        self.asked = asked
        self.sold = sold
        self.returned = returned
    }
}

/// One remembered id: an order, or the operation that an id was used for.
public struct RecordRow {
    public var id: Token
    public var state: IDState
    public var flags: RecordFlags
    /// Its newest change.
    public var sequence: UInt64
    /// When an order began. Of an adjustment its delta, of a count the counted onhand, of a transfer its quantity;
    /// 0 of a return. An empty cancel began when it ended.
    public var at: Int64
    /// While held: when it runs out. Afterwards: when it ended. Unix milliseconds.
    public var moment: Int64
    /// Of a RESERVE: its ttl in milliseconds; else 0.
    public var ttl: UInt32
    public var buyer: Token?
    /// Of a return: the order whose goods came back.
    public var returnOf: Token?
    /// In the order of the request. Of an adjustment or count: one, of a transfer: from and to.
    public var lines: UnsafeBufferPointer<LineRow>

    public init(
        id: Token, state: IDState, flags: RecordFlags, sequence: UInt64, at: Int64, moment: Int64, ttl: UInt32,
        buyer: Token?, returnOf: Token?, lines: UnsafeBufferPointer<LineRow>
    ) {
        self.id = id
        self.state = state
        self.flags = flags
        self.sequence = sequence
        self.at = at
        self.moment = moment
        self.ttl = ttl
        self.buyer = buyer
        self.returnOf = returnOf
        self.lines = lines
    }

    /// Whether it is an order, not the id of an adjustment, count, transfer or return.
    public var isOrder: Bool { state.rawValue <= IDState.returned.rawValue }

    public var digest: UInt64 {
        var hasher = ItemHasher(isOrder ? .order : .operation)
        hasher.combineRecord(
            state: state, flags: flags, lineCount: lines.count, ttl: ttl, sequence: sequence, at: at, moment: moment,
            id: id, buyer: buyer)
        for line in lines {
            hasher.combineLine(ordinal: line.ordinal, asked: line.asked, sold: line.sold, returned: line.returned)
        }
        return hasher.finish()
    }
}

/// The units that one buyer holds or has bought of one SKU; never 0.
public struct BuyerRow {
    public var buyer: Token
    public var ordinal: UInt32
    public var units: Int64

    public init(buyer: Token, ordinal: UInt32, units: Int64) {
        self.buyer = buyer
        self.ordinal = ordinal
        self.units = units
    }

    public var digest: UInt64 {
        var hasher = ItemHasher(.buyerCount)
        hasher.combineBuyer(ordinal: ordinal, units: units, buyer: buyer)
        return hasher.finish()
    }
}
