// Who, when, before and after, why: the history of one SKU, one order or one buyer, oldest first.

import StockArchive
import StockModel

/// What a history is about.
public enum HistorySubject: Equatable, Sendable {
    case sku(String)
    /// An order, or the id of an adjustment, a count, a transfer or a return.
    case order(String)
    case buyer(String)
}

/// A line of the history: one SKU's part in one event.
public struct HistoryLine: Equatable, Sendable {
    public struct Counter: Equatable, Sendable {
        public var before: Int64
        public var after: Int64
    }

    public var sequence: Int64
    /// ISO 8601, UTC.
    public var time: String
    public var kind: String
    public var id: String?
    public var order: String?
    public var sku: String?
    public var buyer: String?
    public var quantity: Int64?
    public var onhand: Counter?
    public var held: Counter?
    public var sold: Counter?
    /// Until when a hold was promised.
    public var until: String?
    public var isForced: Bool
    public var isLate: Bool
    public var reason: String?
}

/// Reads histories from one view of the database.
public struct HistoryReader: ~Copyable {
    private let reader: ArchiveReader

    public init(_ reader: consuming ArchiveReader) {
        self.reader = reader
    }

    /// The newest event that is in the database, and the oldest that is in its history.
    public var sequence: UInt64 { reader.position.sequence }
    public var historyFrom: UInt64 { reader.position.historyFrom }

    /// Hands out the lines about `subject`, oldest first.
    ///
    /// - Parameters:
    ///   - last: only the newest so many.
    ///   - body: returns false when it has had enough.
    /// - Returns: how many lines there were.
    public func forEachLine(
        about subject: HistorySubject, last: Int? = nil, _ body: (HistoryLine) throws -> Bool
    ) throws -> Int {
        switch subject {
        case .buyer(let buyer): return try lines("buyer_history WHERE of = ?", .text(buyer), "place", last, body)
        case .order(let id): return try lines("id_history WHERE of = ?", .text(try order(of: id)), "place", last, body)
        case .sku(let sku): return try lines(aboutSKU: sku, last, body)
        }
    }

    private enum Key { case text(String), integer(Int64) }

    /// The order that a return gave back, whose whole history is shown; any other id is what it is.
    private func order(of id: String) throws -> String {
        let statement = try reader.prepare(
            "SELECT \"order\" FROM id_history WHERE of = ?1 AND kind = 'returned' AND id = ?1 ORDER BY place LIMIT 1")
        statement.bind(text: id, at: 1)
        return try statement.step() ? statement.text(0) : id
    }

    /// A name that was dropped and created again stands for several SKUs, one after the other. Each is read in the order
    /// of its index, by time: that of a much sold one is long, and nothing of it must be sorted.
    private func lines(aboutSKU sku: String, _ last: Int?, _ body: (HistoryLine) throws -> Bool) throws -> Int {
        let named = try reader.prepare("SELECT ordinal FROM sku WHERE name = ? ORDER BY ordinal")
        named.bind(text: sku, at: 1)
        var ordinals: [Int64] = []
        while try named.step() { ordinals.append(named.integer(0)) }
        guard let last else {
            var count = 0
            var isWanted = true
            for ordinal in ordinals where isWanted {
                count += try lines("sku_history WHERE ordinal = ?", .integer(ordinal), "time_ms, place", nil) {
                    isWanted = try body($0)
                    return isWanted
                }
            }
            return count
        }
        var newest: [HistoryLine] = []
        for ordinal in ordinals.reversed() where newest.count < last {
            var part: [HistoryLine] = []
            _ = try lines("sku_history WHERE ordinal = ?", .integer(ordinal), "time_ms, place", last - newest.count) {
                part.append($0)
                return true
            }
            newest = part + newest
        }
        for line in newest { guard try body(line) else { break } }
        return newest.count
    }

    /// - Parameters:
    ///   - source: a view and its condition.
    ///   - order: columns that an index has in this order.
    private func lines(
        _ source: String, _ key: Key, _ order: String, _ last: Int?, _ body: (HistoryLine) throws -> Bool
    ) throws -> Int {
        let columns = """
            seq, time, kind, id, "order", sku, buyer, quantity, onhand_before, onhand_after, held_before,
            held_after, sold_before, sold_after, until, forced, late, reason, place
            """
        var sql = "SELECT \(columns) FROM \(source) ORDER BY "
        if let last {
            let backwards = order.split(separator: ",").map { $0 + " DESC" }.joined(separator: ",")
            sql = "SELECT * FROM (\(sql)\(backwards) LIMIT \(max(0, last))) ORDER BY place"
        } else {
            sql += order
        }
        let statement = try reader.prepare(sql)
        switch key {
        case .text(let text): statement.bind(text: text, at: 1)
        case .integer(let number): statement.bind(number, at: 1)
        }
        var count = 0
        while try statement.step() {
            count += 1
            guard try body(line(statement)) else { break }
        }
        statement.reset()
        return count
    }

    private func line(_ statement: borrowing Statement) -> HistoryLine {
        func text(_ column: Int32) -> String? { statement.isNull(column) ? nil : statement.text(column) }
        func counter(_ column: Int32) -> HistoryLine.Counter? {
            if statement.isNull(column) { return nil }
            return HistoryLine.Counter(before: statement.integer(column), after: statement.integer(column + 1))
        }
        return HistoryLine(
            sequence: statement.integer(0), time: statement.text(1), kind: statement.text(2), id: text(3), order: text(4),
            sku: text(5), buyer: text(6), quantity: statement.isNull(7) ? nil : statement.integer(7), onhand: counter(8),
            held: counter(10), sold: counter(12), until: text(14), isForced: statement.integer(15) != 0,
            isLate: statement.integer(16) != 0, reason: text(17))
    }

    /// What is known of a subject now, as words: counters of a SKU, the state of an order, units of a buyer.
    public func standing(of subject: HistorySubject) throws -> [String] {
        let (name, sql): (String, String)
        switch subject {
        case .sku(let sku):
            name = sku
            sql = """
                SELECT name || CASE dropped WHEN 1 THEN ' (dropped)' ELSE '' END || ': onhand ' || onhand || ', held '
                    || held || ', sold ' || sold || ', available ' || max(0, onhand - held - floor)
                FROM sku WHERE name = ? ORDER BY ordinal
                """
        case .order(let id):
            name = id
            sql = """
                SELECT r.id || ': ' || CASE r.state WHEN 1 THEN 'held until ' || \(shownTime("r.moment")) WHEN 2 THEN 'sold'
                    WHEN 3 THEN 'cancelled' WHEN 4 THEN 'expired' WHEN 5 THEN 'returned' WHEN 6 THEN 'an adjustment'
                    WHEN 7 THEN 'a count' WHEN 8 THEN 'a transfer' ELSE 'a return of ' || r.return_of END
                    || coalesce(', buyer ' || r.buyer, '')
                FROM known_id k JOIN record r ON r.number = k.number AND r.id = k.id WHERE k.id = ? ORDER BY r.number
                """
        case .buyer(let buyer):
            name = buyer
            sql = """
                SELECT ?1 || ': ' || count(*) || iif(count(*) = 1, ' line', ' lines') || ' of history, from ' || coalesce(min(time), 'never') || ' to '
                    || coalesce(max(time), 'never') FROM buyer_history WHERE of = ?1
                """
        }
        let statement = try reader.prepare(sql)
        statement.bind(text: name, at: 1)
        var lines: [String] = []
        while try statement.step() { lines.append(statement.text(0)) }
        return lines
    }
}
