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
    public var milliseconds: Int64
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
        let name: String
        let condition: String
        switch subject {
        case .sku(let sku): (name, condition) = (sku, "ordinal IN (SELECT ordinal FROM sku WHERE name = ?1)")
        case .buyer(let buyer): (name, condition) = (buyer, "buyer = ?1")
        case .order(let id):
            // An operation stands under its own number, a return under that of its order, whose whole history it is.
            (name, condition) = (
                id,
                """
                number IN (SELECT number FROM known_id WHERE id = ?1 UNION
                    SELECT of.number FROM known_id k JOIN entry of ON of.place = k.number * 1024 WHERE k.id = ?1)
                """
            )
        }
        let columns = """
            seq, time, time_ms, kind, id, "order", sku, buyer, quantity, onhand_before, onhand_after, held_before,
            held_after, sold_before, sold_after, until, forced, late, reason, place
            """
        var sql = "SELECT \(columns) FROM ledger WHERE \(condition) ORDER BY place"
        if let last { sql = "SELECT * FROM (\(sql) DESC LIMIT \(max(0, last))) ORDER BY place" }
        let statement = try reader.prepare(sql)
        statement.bind(text: name, at: 1)
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
            sequence: statement.integer(0), time: statement.text(1), milliseconds: statement.integer(2),
            kind: statement.text(3), id: text(4), order: text(5), sku: text(6), buyer: text(7),
            quantity: statement.isNull(8) ? nil : statement.integer(8), onhand: counter(9), held: counter(11),
            sold: counter(13), until: text(15), isForced: statement.integer(16) != 0,
            isLate: statement.integer(17) != 0, reason: text(18))
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
                SELECT ?1 || ': ' || count(*) || ' changes, from ' || coalesce(min(time), 'never') || ' to '
                    || coalesce(max(time), 'never') FROM ledger WHERE buyer = ?1
                """
        }
        let statement = try reader.prepare(sql)
        statement.bind(text: name, at: 1)
        var lines: [String] = []
        while try statement.step() { lines.append(statement.text(0)) }
        return lines
    }
}
