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

/// Writes entries a few at a time: they are in memory only until ten have come. Where they are found is kept until
/// the fold is written, and written sorted.
struct EntryWriter: ~Copyable {
    private static let columns = 18
    private let insert: BatchInsert
    private let insertOfSKU: BatchInsert
    private let insertOfID: BatchInsert
    private let insertOfBuyer: BatchInsert
    private var rows: [EntryRow] = []
    private var ofSKU: [(ordinal: UInt32, time: Int64, place: UInt64)] = []
    private var ofID: [(number: UInt64, place: UInt64)] = []
    private var ofBuyer: [(prefix: UInt64, buyer: Token, place: UInt64)] = []

    init(_ database: Database) throws(ArchiveError) {
        let insert = try BatchInsert("INSERT INTO entry VALUES ", columns: EntryWriter.columns, in: database)
        let insertOfSKU = try BatchInsert("INSERT INTO entry_of_sku VALUES ", columns: 3, in: database)
        let insertOfID = try BatchInsert("INSERT INTO entry_of_id VALUES ", columns: 2, in: database)
        let insertOfBuyer = try BatchInsert("INSERT INTO entry_of_buyer VALUES ", columns: 2, in: database)
        self.insert = insert
        self.insertOfSKU = insertOfSKU
        self.insertOfID = insertOfID
        self.insertOfBuyer = insertOfBuyer
    }

    mutating func append(_ row: EntryRow) throws(ArchiveError) {
        if let ordinal = row.ordinal { ofSKU.append((ordinal, row.time, row.place)) }
        // The event that brought an id is found by the id's number itself.
        if let number = row.number, row.place >= Schema.place(number &+ 1, 0) { ofID.append((number, row.place)) }
        if let buyer = row.buyer { ofBuyer.append((buyer.prefix, buyer, row.place)) }
        rows.append(row)
        if rows.count == 10 { try writeRows() }
    }

    /// Writes what is left, and where everything is found.
    mutating func flush() throws(ArchiveError) {
        try writeRows()
        // Times grow with places.
        ofSKU.sort { $0.ordinal != $1.ordinal ? $0.ordinal < $1.ordinal : $0.place < $1.place }
        try insertOfSKU.insert(ofSKU.count) { statement, index, before in
            statement.bind(Int64(ofSKU[index].ordinal), at: before + 1)
            statement.bind(ofSKU[index].time, at: before + 2)
            statement.bind(ofSKU[index].place, at: before + 3)
        }
        ofID.sort { $0.number != $1.number ? $0.number < $1.number : $0.place < $1.place }
        try insertOfID.insert(ofID.count) { statement, index, before in
            statement.bind(ofID[index].number, at: before + 1)
            statement.bind(ofID[index].place, at: before + 2)
        }
        ofBuyer.sort { a, b in
            if a.prefix != b.prefix { return a.prefix < b.prefix }
            return a.buyer == b.buyer ? a.place < b.place : a.buyer.precedes(b.buyer)
        }
        try insertOfBuyer.insert(ofBuyer.count) { statement, index, before in
            statement.bind(ofBuyer[index].buyer, at: before + 1)
            statement.bind(ofBuyer[index].place, at: before + 2)
        }
        clear()
    }

    private mutating func writeRows() throws(ArchiveError) {
        try insert.insert(rows.count) { statement, index, before in
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
        ofSKU.removeAll(keepingCapacity: true)
        ofID.removeAll(keepingCapacity: true)
        ofBuyer.removeAll(keepingCapacity: true)
    }
}
