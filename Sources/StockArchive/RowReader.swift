// The rows of SKUs and of buyers' counts, read in the order of their keys: by a restart and by a recount of the digests.
// Records are in RecordReader.swift. What a row says is checked here as far as one row can be; the rest shows in the
// digest.

import StockModel

/// SKUs by ordinal, each as a `SKURow` that is valid until the next.
struct SKUReader: ~Copyable {
    private let database: Database
    private let statement: Statement

    init(_ database: Database) throws(ArchiveError) {
        self.database = database
        statement = try database.prepare(
            """
            SELECT ordinal, name, onhand, held, sold, settled, loaded, floor, buyer_limit, opens, closes, paused,
                dropped FROM sku ORDER BY ordinal
            """)
    }

    mutating func next() throws(ArchiveError) -> SKURow? {
        guard try statement.step() else { return nil }
        guard let ordinal = UInt32(exactly: statement.integer(0)), let key = try statement.token(1) else {
            throw database.damaged("a SKU has no name or no ordinal")
        }
        return SKURow(
            ordinal: ordinal, key: key, onhand: statement.integer(2), held: statement.integer(3),
            sold: statement.integer(4), settled: statement.integer(5), loaded: statement.integer(6),
            settings: SettingsAfter(
                floor: statement.integer(7), limit: statement.integer(8), opens: statement.integer(9),
                closes: statement.integer(10), paused: statement.integer(11) != 0),
            isDropped: statement.integer(12) != 0)
    }
}

/// Buyers' counts by SKU and buyer, each valid until the next.
struct BuyerReader: ~Copyable {
    private let database: Database
    private let statement: Statement

    init(_ database: Database) throws(ArchiveError) {
        self.database = database
        statement = try database.prepare("SELECT sku, buyer, units FROM buyer_count ORDER BY sku, buyer")
    }

    mutating func next() throws(ArchiveError) -> BuyerRow? {
        guard try statement.step() else { return nil }
        guard let ordinal = UInt32(exactly: statement.integer(0)), let buyer = try statement.token(1) else {
            throw database.damaged("a buyer's count has no buyer or no SKU")
        }
        return BuyerRow(buyer: buyer, ordinal: ordinal, units: statement.integer(2))
    }
}
