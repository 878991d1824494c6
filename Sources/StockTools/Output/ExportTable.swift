// What `export` can show: three tables, their columns, and how each column is found in the database. A condition on a
// column becomes SQL that an index answers where there is one; its value is always a parameter, never a part of it.

import StockModel

/// A table that can be exported.
public enum ExportTable: String, CaseIterable, Sendable {
    /// What is sold: a row for each SKU that was not dropped.
    case skus
    /// What is remembered: a row for each line of each order.
    case orders
    /// What happened: a row for each line of each event.
    case ledger

    struct Column {
        var name: String
        var type: ColumnType
        /// What a condition compares; what is shown is the same, times as text.
        var sql: String
        /// SQL for `column = ?` that an index answers, if `sql = ?` is not; `?` stands once or more for the value.
        var lookup: String?

        init(_ name: String, _ type: ColumnType, _ sql: String, lookup: String? = nil) {
            (self.name, self.type, self.sql, self.lookup) = (name, type, sql, lookup)
        }
    }

    public var columnNames: [String] { columns.map(\.name) }

    var columns: [Column] {
        switch self {
        case .skus: Self.skuColumns
        case .orders: Self.orderColumns
        case .ledger: Self.ledgerColumns
        }
    }

    /// Where the rows come from, and the order in which they lie there.
    var source: (from: String, always: String, order: String) {
        switch self {
        case .skus:
            ("sku s", "NOT s.dropped", "s.ordinal")
        case .orders:
            (
                """
                record r LEFT JOIN record_line l ON l.place BETWEEN r.number * 1024 AND r.number * 1024 + 1023
                LEFT JOIN sku s ON s.ordinal = l.sku
                """, "r.state <= 5", "r.number, l.place"
            )
        case .ledger:
            ("entry e LEFT JOIN sku s ON s.ordinal = e.sku", "1", "e.place")
        }
    }

    private static let skuColumns = [
        Column("sku", .text, "s.name"), Column("onhand", .integer, "s.onhand"), Column("floor", .integer, "s.floor"),
        Column("limit", .integer, "s.buyer_limit"), Column("opens", .time, "s.opens"),
        Column("closes", .time, "s.closes"),
        Column("available", .integer, "max(0, s.onhand - s.held - s.floor)"), Column("held", .integer, "s.held"),
        Column("sold", .integer, "s.sold"), Column("settled", .integer, "s.settled"),
        Column("loaded", .integer, "s.loaded"), Column("paused", .integer, "s.paused"),
        Column("ordinal", .integer, "s.ordinal"),
    ]

    private static let orderColumns = [
        Column("id", .text, "r.id", lookup: "r.number IN (SELECT number FROM known_id WHERE id = ?)"),
        Column(
            "state", .text,
            "CASE r.state WHEN 1 THEN 'held' WHEN 2 THEN 'sold' WHEN 3 THEN 'cancelled' WHEN 4 THEN 'expired' "
                + "WHEN 5 THEN 'returned' END"),
        Column("sku", .text, "s.name"), Column("asked", .integer, "l.asked"), Column("sold", .integer, "l.sold"),
        Column("returned", .integer, "l.returned"), Column("buyer", .text, "r.buyer"), Column("at", .time, "r.at"),
        Column("expires", .time, "CASE WHEN r.state = 1 THEN r.moment END"),
        Column("ended", .time, "CASE WHEN r.state <> 1 THEN r.moment END"),
        Column("ttl_ms", .integer, "nullif(r.ttl, 0)"), Column("born", .time, "r.born"),
        Column("seq", .integer, "r.sequence"),
    ]

    private static let ledgerColumns = [
        Column("seq", .integer, "e.place / 1024", lookup: "e.place BETWEEN ? * 1024 AND ? * 1024 + 1023"),
        Column("line", .integer, "e.place % 1024"), Column("time", .time, "e.time"),
        Column("kind", .text, kindName),
        Column("id", .text, "e.id", lookup: "e.id = ? AND \(ofID)"),
        Column(
            "order", .text, "coalesce(e.order_id, CASE WHEN e.kind BETWEEN 16 AND 23 THEN e.id END)",
            lookup: "(e.id = ? OR e.order_id = ?) AND e.kind BETWEEN 16 AND 23 AND \(ofID)"),
        Column(
            "sku", .text, "s.name",
            lookup: "e.place IN (SELECT x.place FROM sku n JOIN entry_of_sku x ON x.sku = n.ordinal WHERE n.name = ?)"),
        Column("buyer", .text, "e.buyer", lookup: "e.place IN (SELECT place FROM entry_of_buyer WHERE buyer = ?)"),
        Column("quantity", .integer, "e.quantity"),
        Column("onhand_before", .integer, "e.onhand - e.onhand_change"), Column("onhand_after", .integer, "e.onhand"),
        Column("held_before", .integer, "e.held - e.held_change"), Column("held_after", .integer, "e.held"),
        Column("sold_before", .integer, "e.sold - e.sold_change"), Column("sold_after", .integer, "e.sold"),
        Column("until", .time, "e.until"), Column("forced", .integer, "e.flags & 1"),
        Column("late", .integer, "e.flags >> 1 & 1"), Column("reason", .text, "e.reason"),
    ]

    private static let ofID = "e.place IN (SELECT place FROM id_history WHERE of = ?)"

    private static let kindName = """
        CASE e.kind WHEN 1 THEN 'created' WHEN 2 THEN 'adjusted' WHEN 3 THEN 'counted' WHEN 4 THEN 'configured' \
        WHEN 5 THEN 'transferred' WHEN 6 THEN 'dropped' WHEN 16 THEN 'deducted' WHEN 17 THEN 'reserved' \
        WHEN 18 THEN 'confirmed' WHEN 19 THEN 'cancelled' WHEN 20 THEN 'cancelled-empty' WHEN 21 THEN 'extended' \
        WHEN 22 THEN 'returned' WHEN 23 THEN 'expired' WHEN 24 THEN 'forgot' END
        """
}

/// SQL that shows Unix milliseconds as ISO 8601 in UTC; beyond the year 9999 as they are, and nothing for 0.
func shownTime(_ sql: String) -> String {
    "coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', nullif(\(sql), 0) / 1000.0, 'unixepoch'), "
        + "CAST(nullif(\(sql), 0) AS TEXT))"
}
