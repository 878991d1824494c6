// The history: a row for each line of each event, as it happened.

import StockModel

/// A row of `entry`. Its tokens stay where they are until the row is written.
struct EntryRow {
    var place: UInt64
    var time: Int64
    var kind: EventKind
    /// Of the order that the event is about, or of the operation.
    var number: UInt64?
    var id: Token?
    /// Of a return: its order.
    var orderID: Token?
    var ordinal: UInt32?
    var buyer: Token?
    var quantity: Int64?
    var after: CountersAfter?
    /// What the event changed of them.
    var change = CountersAfter(onhand: 0, held: 0, sold: 0)
    var until: Int64?
    var flags: Int64 = 0
    var reason: Token?

    init(_ kind: EventKind, sequence: UInt64, line: Int, time: Int64) {
        place = Schema.place(sequence, line)
        self.time = time
        self.kind = kind
    }
}

/// Writes entries a few at a time; they are in memory only until ten have come.
struct EntryWriter: ~Copyable {
    private static let columns = 18
    private let statement: BatchInsert
    private var rows: [EntryRow] = []

    init(_ database: Database) throws(ArchiveError) {
        statement = try BatchInsert("INSERT INTO entry VALUES ", columns: EntryWriter.columns, in: database)
        rows.reserveCapacity(10)
    }

    mutating func append(_ row: EntryRow) throws(ArchiveError) {
        rows.append(row)
        if rows.count == 10 { try flush() }
    }

    mutating func flush() throws(ArchiveError) {
        try statement.insert(rows.count) { statement, index, before in
            let row = rows[index]
            statement.bind(row.place, at: before + 1)
            statement.bind(row.time, at: before + 2)
            statement.bind(Int64(row.kind.rawValue), at: before + 3)
            statement.bind(row.number.map { Int64(truncatingIfNeeded: $0) }, at: before + 4)
            statement.bind(row.id, at: before + 5)
            statement.bind(row.orderID, at: before + 6)
            statement.bind(row.ordinal.map { Int64($0) }, at: before + 7)
            statement.bind(row.buyer, at: before + 8)
            statement.bind(row.quantity, at: before + 9)
            statement.bind(row.after?.onhand, at: before + 10)
            statement.bind(row.after?.held, at: before + 11)
            statement.bind(row.after?.sold, at: before + 12)
            statement.bind(row.after == nil ? nil : row.change.onhand, at: before + 13)
            statement.bind(row.after == nil ? nil : row.change.held, at: before + 14)
            statement.bind(row.after == nil ? nil : row.change.sold, at: before + 15)
            statement.bind(row.until, at: before + 16)
            statement.bind(row.flags, at: before + 17)
            statement.bind(row.reason, at: before + 18)
        }
        rows.removeAll(keepingCapacity: true)
    }

    /// Drops what has not been written: its transaction is rolled back.
    mutating func clear() {
        rows.removeAll(keepingCapacity: true)
    }
}
