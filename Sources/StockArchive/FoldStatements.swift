// The statements of a fold, prepared once.

import StockModel

struct FoldStatements: ~Copyable {
    private let sequence: Statement
    private let recordByID: Statement
    private let recordByNumber: Statement
    private let linesOfRecord: Statement
    private let returnsOfOrder: Statement
    let insertRecord: BatchInsert
    let insertLine: BatchInsert
    let updateRecord: Statement
    let updateLine: Statement
    let deleteRecords: Statement
    let deleteLines: Statement
    let insertName: BatchInsert
    let deleteName: Statement
    let insertSKU: BatchInsert
    let updateSKU: Statement
    /// The same for a SKU of which only the first five columns have changed.
    let updateCounters: Statement
    let units: Statement
    let insertUnits: BatchInsert
    let updateUnits: Statement
    let deleteUnits: Statement
    let buyersOfSKU: Statement
    let deleteBuyersOfSKU: Statement

    init(_ database: Database) throws(ArchiveError) {
        let columns = RecordReader.columns + ", born"
        let sequence = try database.prepare("SELECT value FROM meta WHERE key = 'sequence'")
        let recordByID = try database.prepare(
            "SELECT \(columns) FROM record WHERE number IN (SELECT number FROM known_id WHERE id = ?)")
        let recordByNumber = try database.prepare("SELECT \(columns) FROM record WHERE number = ?")
        let linesOfRecord = try database.prepare(
            "SELECT \(RecordReader.lineColumns) FROM record_line WHERE place BETWEEN ? AND ? ORDER BY place")
        let returnsOfOrder = try database.prepare("SELECT number FROM record WHERE return_of = ? ORDER BY number")
        let insertRecord = try BatchInsert("INSERT INTO record VALUES ", columns: 11, in: database)
        let insertLine = try BatchInsert("INSERT INTO record_line VALUES ", columns: 5, in: database)
        let updateRecord = try database.prepare(
            "UPDATE record SET state = ?, sequence = ?, moment = ? WHERE number = ?")
        let updateLine = try database.prepare("UPDATE record_line SET sold = ?, returned = ? WHERE place = ?")
        let deleteRecords = try database.prepare("DELETE FROM record WHERE number BETWEEN ? AND ?")
        let deleteLines = try database.prepare("DELETE FROM record_line WHERE place BETWEEN ? AND ?")
        let insertName = try BatchInsert("INSERT INTO known_id VALUES ", columns: 2, in: database)
        let deleteName = try database.prepare("DELETE FROM known_id WHERE id = ? AND number = ?")
        let insertSKU = try BatchInsert("INSERT INTO sku VALUES ", columns: 13, in: database)
        let updateSKU = try database.prepare(
            """
            UPDATE sku SET onhand = ?, held = ?, sold = ?, settled = ?, loaded = ?, floor = ?, buyer_limit = ?,
                opens = ?, closes = ?, paused = ?, dropped = ? WHERE ordinal = ?
            """)
        let updateCounters = try database.prepare(
            "UPDATE sku SET onhand = ?, held = ?, sold = ?, settled = ?, loaded = ? WHERE ordinal = ?")
        let units = try database.prepare("SELECT units FROM buyer_count WHERE sku = ? AND buyer = ?")
        let insertUnits = try BatchInsert("INSERT INTO buyer_count VALUES ", columns: 3, in: database)
        let updateUnits = try database.prepare("UPDATE buyer_count SET units = ? WHERE sku = ? AND buyer = ?")
        let deleteUnits = try database.prepare("DELETE FROM buyer_count WHERE sku = ? AND buyer = ?")
        let buyersOfSKU = try database.prepare("SELECT buyer, units FROM buyer_count WHERE sku = ?")
        let deleteBuyersOfSKU = try database.prepare("DELETE FROM buyer_count WHERE sku = ?")

        // Prepared first, kept then: a type that cannot be copied has all its parts or none.
        self.sequence = sequence
        self.recordByID = recordByID
        self.recordByNumber = recordByNumber
        self.linesOfRecord = linesOfRecord
        self.returnsOfOrder = returnsOfOrder
        self.insertRecord = insertRecord
        self.insertLine = insertLine
        self.updateRecord = updateRecord
        self.updateLine = updateLine
        self.deleteRecords = deleteRecords
        self.deleteLines = deleteLines
        self.insertName = insertName
        self.deleteName = deleteName
        self.insertSKU = insertSKU
        self.updateSKU = updateSKU
        self.updateCounters = updateCounters
        self.units = units
        self.insertUnits = insertUnits
        self.updateUnits = updateUnits
        self.deleteUnits = deleteUnits
        self.buyersOfSKU = buyersOfSKU
        self.deleteBuyersOfSKU = deleteBuyersOfSKU
    }

    /// The sequence that the database has now.
    func sequence(in database: Database) throws(ArchiveError) -> UInt64 {
        guard try sequence.step() else { throw database.damaged("meta has no sequence") }
        let text = sequence.text(0)
        sequence.reset()
        guard let number = UInt64(text) else { throw database.damaged("the sequence of meta is \(text)") }
        return number
    }

    /// The remembered record of an id, its lines in `lines`. Its tokens are valid until the next such call or `reset`.
    func record(_ id: Token, lines: inout [LineRow], in database: Database) throws(ArchiveError) -> StoredRecord? {
        recordByID.reset()
        recordByID.bind(id, at: 1)
        guard try recordByID.step() else { return nil }
        let stored = try recordByID.recordAndBirth()
        try read(&lines, of: stored.number, in: database)
        return stored
    }

    /// The same by number.
    func record(
        number: UInt64, lines: inout [LineRow], in database: Database
    ) throws(ArchiveError) -> StoredRecord? {
        recordByNumber.reset()
        recordByNumber.bind(number, at: 1)
        guard try recordByNumber.step() else { return nil }
        let stored = try recordByNumber.recordAndBirth()
        try read(&lines, of: number, in: database)
        return stored
    }

    /// The numbers of an order's returns.
    func returns(of order: Token) throws(ArchiveError) -> [UInt64] {
        var numbers: [UInt64] = []
        returnsOfOrder.bind(order, at: 1)
        while try returnsOfOrder.step() { numbers.append(UInt64(bitPattern: returnsOfOrder.integer(0))) }
        return numbers
    }

    private func read(_ lines: inout [LineRow], of number: UInt64, in database: Database) throws(ArchiveError) {
        lines.removeAll(keepingCapacity: true)
        linesOfRecord.bind(Schema.place(number, 0), at: 1)
        linesOfRecord.bind(Schema.place(number, 1_023), at: 2)
        while try linesOfRecord.step() { lines.append(try linesOfRecord.lineRow()) }
    }

    /// Lets go of the rows that were looked at: an open statement would keep its view of the database for ever.
    func reset() {
        recordByID.reset()
        recordByNumber.reset()
        linesOfRecord.reset()
        returnsOfOrder.reset()
    }
}

extension Statement {
    /// The row of a statement that selects `RecordReader.columns` and `born`, without its lines.
    fileprivate func recordAndBirth() throws(ArchiveError) -> StoredRecord {
        var stored = try storedRecord(lines: UnsafeBufferPointer(start: nil, count: 0))
        stored.born = isNull(10) ? nil : integer(10)
        return stored
    }
}
