// What is known of stock: a SKU's counters and settings, and what changed them.

/// Whether a SKU can be bought now, and if not, why.
public enum StockStatus: String, Sendable, Hashable {
    case upcoming, ended, paused, selling
    /// None available, but held ones may come back.
    case heldOut = "held-out"
    case soldOut = "sold-out"
}

/// The counters and settings of a SKU at one moment.
public struct StockLevel: Sendable, Equatable {
    public var sku: String
    /// What can be promised now.
    public var available: Int64
    /// Promised to open orders.
    public var held: Int64
    /// Sold, less what came back.
    public var sold: Int64
    /// Not yet sold, held units included.
    public var onhand: Int64
    /// Safety stock (positive) or backorder allowance (negative).
    public var floor: Int64
    /// Units that one buyer may have; 0: no limit.
    public var limit: Int64
    public var opens: Moment?
    public var closes: Moment?
    public var isPaused: Bool
    /// `nil`: a status that this version of the client does not know.
    public var status: StockStatus?
    /// The ledger's newest change, of which this is a true picture.
    public var sequence: Int64
    /// A count that had been made before.
    public var isReplay: Bool
}

/// Settings of a SKU; `nil` leaves one as it is.
public struct StockSettings: Sendable, Hashable {
    /// ±9·10^15; 0: none.
    public var floor: Int64?
    /// 0 to 10^12; 0: none.
    public var limit: Int64?
    public var opens: Moment?
    public var closes: Moment?

    public init(floor: Int64? = nil, limit: Int64? = nil, opens: Moment? = nil, closes: Moment? = nil) {
        self.floor = floor
        self.limit = limit
        self.opens = opens
        self.closes = closes
    }
}

/// What makes an absolute count safe to send twice.
public enum CountCondition: Sendable, Hashable {
    /// Only when onhand is still this.
    case ifOnhand(Int64)
    /// Once; the count has an id of its own.
    case once(id: String)
}

/// A SKU that was made.
public struct Creation: Sendable, Equatable {
    public var sku: String
    public var sequence: Int64
}

/// A SKU that is gone.
public struct Removal: Sendable, Equatable {
    public var sku: String
    public var sequence: Int64
}

/// A restock or a correction.
public struct Adjustment: Sendable, Equatable {
    public var id: String
    /// Today's; `nil` if the SKU has been dropped since, or if the outcome was learnt from `LOOKUP`.
    public var onhand: Int64?
    public var sequence: Int64
    public var isReplay: Bool
}

/// Units that moved from one SKU to another.
public struct Transfer: Sendable, Equatable {
    public var id: String
    public var sequence: Int64
    public var isReplay: Bool
}

// MARK: Reading

extension StockLevel {
    init(_ line: ReplyLine) throws(StockadeError) {
        guard line.begins(with: "+STOCK"), let sku = line.text(1), let available = line.number(of: "available"),
            let held = line.number(of: "held"), let sold = line.number(of: "sold"),
            let onhand = line.number(of: "onhand"), let sequence = line.number(of: "seq")
        else { throw .unexpectedReply(line.text) }
        self.init(
            sku: sku, available: available, held: held, sold: sold, onhand: onhand,
            floor: line.number(of: "floor") ?? 0, limit: line.number(of: "limit") ?? 0,
            opens: line.number(of: "opens").map(Moment.init(unixMilliseconds:)),
            closes: line.number(of: "closes").map(Moment.init(unixMilliseconds:)), isPaused: line.flag("paused"),
            status: line.text(of: "status").flatMap(StockStatus.init(rawValue:)), sequence: sequence,
            isReplay: line.flag("replay"))
    }
}

extension Creation {
    init(_ line: ReplyLine, sku: String) throws(StockadeError) {
        guard line.begins(with: "+CREATED"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        self.init(sku: sku, sequence: sequence)
    }
}

extension Removal {
    init(_ line: ReplyLine, sku: String) throws(StockadeError) {
        guard line.begins(with: "+DROPPED"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        self.init(sku: sku, sequence: sequence)
    }
}

extension Adjustment {
    init(_ line: ReplyLine, id: String) throws(StockadeError) {
        guard line.begins(with: "+ADJUSTED"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        self.init(id: id, onhand: line.number(of: "onhand"), sequence: sequence, isReplay: line.flag("replay"))
    }
}

extension Transfer {
    init(_ line: ReplyLine, id: String) throws(StockadeError) {
        guard line.begins(with: "+TRANSFERRED"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        self.init(id: id, sequence: sequence, isReplay: line.flag("replay"))
    }
}
