// The rows of the state, read in the order of their keys: by a restart, by a recount of the digests, by forgetting.
// What a row says is checked here as far as one row can be; the rest shows in the digest.

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

/// One record as it stands in the database, with what `RecordRow` does not have.
struct StoredRecord {
    var row: RecordRow
    /// The sequence of the event that brought its id.
    var number: UInt64
    var born: Int64?
}

/// Records in the order of their numbers, with their lines: two statements that walk side by side.
struct RecordReader: ~Copyable {
    static let columns = "number, id, state, flags, sequence, at, moment, ttl, buyer, return_of, born"
    static let lineColumns = "place, sku, asked, sold, returned"

    private let database: Database
    private let records: Statement
    private let lines: Statement
    private var hasLine = false
    private let scratch: UnsafeMutablePointer<LineRow>

    init(_ database: Database) throws(ArchiveError) {
        let records = try database.prepare("SELECT \(RecordReader.columns) FROM record ORDER BY number")
        let lines = try database.prepare("SELECT \(RecordReader.lineColumns) FROM record_line ORDER BY place")
        let hasLine = try lines.step()
        self.database = database
        self.records = records
        self.lines = lines
        self.hasLine = hasLine
        scratch = .allocate(capacity: Limits.pairs)
    }

    deinit {
        scratch.deallocate()
    }

    /// The next record, valid until the one after it. Lines that no record claims are damage.
    mutating func next() throws(ArchiveError) -> StoredRecord? {
        guard try records.step() else {
            if hasLine { throw database.damaged("there are lines of a record that is not there") }
            return nil
        }
        let number = UInt64(truncatingIfNeeded: records.integer(0))
        var count = 0
        while hasLine {
            let place = UInt64(truncatingIfNeeded: lines.integer(0))
            guard place < Schema.place(number &+ 1, 0) else { break }
            guard place == Schema.place(number, count), count < Limits.pairs else {
                throw database.damaged("a line of the record \(number) is missing, or has no record")
            }
            (scratch + count).initialize(to: try lines.lineRow(in: database))
            count += 1
            hasLine = try lines.step()
        }
        return try records.storedRecord(lines: UnsafeBufferPointer(start: scratch, count: count), in: database)
    }
}

extension Statement {
    /// The row of a statement that selects `RecordReader.columns`.
    func storedRecord(
        lines: UnsafeBufferPointer<LineRow>, in database: Database
    ) throws(ArchiveError) -> StoredRecord {
        // Each column is asked for once: SQLite's own part of this is half of a restart.
        let number = integer(0)
        let sequence = integer(4)
        guard let id = try token(1), let rawState = UInt8(exactly: integer(2)), let state = IDState(rawValue: rawState),
            let flags = UInt8(exactly: integer(3)), let ttl = UInt32(exactly: integer(7)), number > 0, sequence >= number
        else { throw database.damaged("the record \(number) is not one that a fold writes") }
        let row = RecordRow(
            id: id, state: state, flags: RecordFlags(rawValue: flags), sequence: UInt64(bitPattern: sequence),
            at: integer(5), moment: integer(6), ttl: ttl, buyer: try token(8), returnOf: try token(9), lines: lines)
        return StoredRecord(
            row: row, number: UInt64(bitPattern: number), born: isNull(10) ? nil : integer(10))
    }

    /// The row of a statement that selects `RecordReader.lineColumns`.
    func lineRow(in database: Database) throws(ArchiveError) -> LineRow {
        guard let ordinal = UInt32(exactly: integer(1)) else {
            throw database.damaged("a line names the SKU \(integer(1))")
        }
        return LineRow(ordinal: ordinal, asked: integer(2), sold: integer(3), returned: integer(4))
    }
}
