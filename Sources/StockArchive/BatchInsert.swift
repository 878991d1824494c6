// Rows are inserted ten at a time: SQLite runs one statement of ten rows in little more than half the time that ten
// statements of one row take (1.7 against 1.2 million rows a second of a plain table, measured).

import StockModel

/// One INSERT, prepared for ten rows and for one.
struct BatchInsert: ~Copyable {
    private static let rows = 10
    private let ten: Statement
    private let one: Statement
    private let columns: Int

    /// - Parameter head: the statement up to and with `VALUES`.
    init(_ head: String, columns: Int, in database: Database) throws(ArchiveError) {
        let row = "(" + Array(repeating: "?", count: columns).joined(separator: ",") + ")"
        let ten = try database.prepare(head + Array(repeating: row, count: BatchInsert.rows).joined(separator: ","))
        let one = try database.prepare(head + row)
        self.ten = ten
        self.one = one
        self.columns = columns
    }

    /// Inserts `count` rows. `bind` is given a statement, the number of a row, and the parameter before its first.
    func insert(
        _ count: Int, _ bind: (_ statement: borrowing Statement, _ row: Int, _ before: Int32) -> Void
    ) throws(ArchiveError) {
        var row = 0
        while row + BatchInsert.rows <= count {
            for index in 0..<BatchInsert.rows { bind(ten, row + index, Int32(index * columns)) }
            try ten.run()
            row += BatchInsert.rows
        }
        while row < count {
            bind(one, row, 0)
            try one.run()
            row += 1
        }
    }
}
