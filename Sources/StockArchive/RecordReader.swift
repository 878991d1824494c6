// Records with their lines, all of them, in the order of their numbers: by a restart, by a recount of the digests, by
// forgetting.
//
// They are read a range of numbers at a time, by a statement that has no rows: an aggregate function of ours is called
// with the values of each. To step through the rows and to ask for their columns one by one took twice as long
// (a restart's reading of ten million orders: 10.6 s against 6.3 s, measured on one machine).

import CSQLite
import StockModel

/// Gives each record once.
struct RecordReader: ~Copyable {
    static let columns = "number, id, state, flags, sequence, at, moment, ttl, buyer, return_of"
    static let lineColumns = "place, sku, asked, sold, returned"

    private let database: Database
    private let range: RecordRange
    private let firstFrom: Statement
    private let records: Statement
    private let lines: Statement
    /// The next record of the range.
    private var position = 0
    /// Numbers that one range has.
    private var width = RecordReader.widths.lowerBound
    /// Where the next range begins; lines are read from `nextPlace` on.
    private var nextNumber = Int64.min
    private var nextPlace = Int64.min

    /// Few numbers may be remembered of many: then more of them are asked for at once.
    private static let widths: ClosedRange<Int64> = 1_024...8_192
    /// Places are counted without overflow up to here.
    private static let greatestNumber = Int64.max / Int64(Schema.placesPerEvent) - widths.upperBound - 1

    init(_ database: Database) throws(ArchiveError) {
        let range = RecordRange(path: database.path)
        try database.defineRecordFunctions()
        let firstFrom = try database.prepare("SELECT number FROM record WHERE number >= ? ORDER BY number LIMIT 1")
        let records = try database.prepare(
            "SELECT take_record(?3, \(RecordReader.columns)) FROM record WHERE number BETWEEN ?1 AND ?2")
        let lines = try database.prepare(
            "SELECT take_line(?3, \(RecordReader.lineColumns)) FROM record_line WHERE place BETWEEN ?1 AND ?2")
        range.bind(to: records)
        range.bind(to: lines)
        self.database = database
        self.range = range
        self.firstFrom = firstFrom
        self.records = records
        self.lines = lines
    }

    /// The next record, valid until the one after it. Lines that no record claims are damage.
    mutating func next() throws(ArchiveError) -> StoredRecord? {
        while position == range.count {
            guard try readRange() else { return nil }
        }
        position += 1
        return range[position - 1]
    }

    /// Reads what the next numbers have; false when there are none.
    private mutating func readRange() throws(ArchiveError) -> Bool {
        if range.count == 0 {
            // There is a gap, or this is the beginning.
            firstFrom.bind(nextNumber, at: 1)
            guard try firstFrom.step() else {
                try read(lines, nextPlace, Int64.max)
                guard range.areLinesClaimed else { throw database.damaged("there are lines of a record that is not there") }
                return false
            }
            nextNumber = firstFrom.integer(0)
            firstFrom.reset()
        }
        guard nextNumber >= 1, nextNumber <= RecordReader.greatestNumber else {
            throw database.damaged("there is a record with the number \(nextNumber)")
        }
        let last = nextNumber + width - 1
        let lastPlace = Int64(bitPattern: Schema.place(UInt64(bitPattern: last + 1), 0)) - 1
        position = 0
        range.removeAll()
        try read(lines, nextPlace, lastPlace)
        try read(records, nextNumber, last)
        guard range.areLinesClaimed else { throw database.damaged("there are lines of a record that is not there") }
        nextNumber = last + 1
        nextPlace = lastPlace + 1
        if range.count < width / 4 {
            width = min(width * 2, RecordReader.widths.upperBound)
        } else if range.count > RecordReader.widths.lowerBound {
            width = RecordReader.widths.lowerBound
        }
        return true
    }

    private func read(_ statement: borrowing Statement, _ first: Int64, _ last: Int64) throws(ArchiveError) {
        statement.bind(first, at: 1)
        statement.bind(last, at: 2)
        do throws(ArchiveError) {
            try statement.run()
        } catch {
            throw range.failure ?? error
        }
    }
}

/// The records of a range of numbers, with their own copy of names and lines.
final class RecordRange {
    /// Reached through a pointer: a class's own properties are checked for overlapping access at every row.
    private struct Content: ~Copyable {
        var records: [StoredRecord] = []
        var names = ByteArena()
        var lines: UnsafeMutablePointer<LineRow>
        var places: UnsafeMutablePointer<UInt64>
        var capacity = 1_024
        var lineCount = 0
        /// Lines that a record has.
        var claimed = 0
        var failure: ArchiveError?
        let path: String

        init(path: String) {
            self.path = path
            lines = .allocate(capacity: capacity)
            places = .allocate(capacity: capacity)
        }

        deinit {
            lines.deallocate()
            places.deallocate()
        }
    }

    private let content: UnsafeMutablePointer<Content>

    init(path: String) {
        content = .allocate(capacity: 1)
        content.initialize(to: Content(path: path))
    }

    deinit {
        content.deinitialize(count: 1)
        content.deallocate()
    }

    var count: Int { content.pointee.records.count }

    subscript(index: Int) -> StoredRecord { content.pointee.records[index] }

    var areLinesClaimed: Bool { content.pointee.claimed == content.pointee.lineCount }

    /// What was wrong with a row.
    var failure: ArchiveError? { content.pointee.failure }

    func removeAll() {
        content.pointee.records.removeAll(keepingCapacity: true)
        content.pointee.names.removeAll()
        content.pointee.lineCount = 0
        content.pointee.claimed = 0
    }

    /// The functions are a connection's, and the range is what they are called with: this one, as their first argument.
    func bind(to statement: borrowing Statement) {
        statement.bind(pointer: Unmanaged.passUnretained(self).toOpaque(), named: RecordRange.pointerName, at: 3)
    }

    private static let pointerName: StaticString = "RecordRange"

    /// One call of a function. A row that is not what it should be ends the statement.
    @inline(__always)
    fileprivate static func take(
        _ context: OpaquePointer?, _ values: UnsafeMutablePointer<OpaquePointer?>?,
        _ body: (RecordRange, RowValues) throws(ArchiveError) -> Void
    ) {
        guard let values, let data = Statement.pointer(in: values[0], named: pointerName) else {
            sqlite3_result_error(context, "it is called by a RecordReader only", -1)
            return
        }
        Unmanaged<RecordRange>.fromOpaque(data)._withUnsafeGuaranteedRef { range in
            do throws(ArchiveError) {
                try body(range, RowValues(values: values + 1))
            } catch {
                range.content.pointee.failure = range.named(error)
                sqlite3_result_error(context, "a damaged row", -1)
            }
        }
    }

    private func named(_ error: ArchiveError) -> ArchiveError {
        guard case .damaged(_, let problem) = error else { return error }
        return .damaged(path: content.pointee.path, problem: problem)
    }

    fileprivate func add(line row: RowValues) throws(ArchiveError) {
        if content.pointee.lineCount == content.pointee.capacity { growLines() }
        let index = content.pointee.lineCount
        (content.pointee.lines + index).initialize(to: try row.lineRow())
        (content.pointee.places + index).initialize(to: UInt64(bitPattern: row.integer(0)))
        content.pointee.lineCount = index + 1
    }

    fileprivate func add(record row: RowValues) throws(ArchiveError) {
        let first = content.pointee.claimed
        let number = UInt64(bitPattern: row.integer(0))
        var count = 0
        while first + count < content.pointee.lineCount {
            let place = content.pointee.places[first + count]
            guard place < Schema.place(number &+ 1, 0) else { break }
            guard place == Schema.place(number, count), count < Limits.pairs else {
                throw row.damaged("a line of the record \(number) is missing, or has no record")
            }
            count += 1
        }
        var stored = try row.storedRecord(
            lines: UnsafeBufferPointer(start: content.pointee.lines + first, count: count))
        stored.row.id = content.pointee.names.copy(stored.row.id)
        stored.row.buyer = stored.row.buyer.map { content.pointee.names.copy($0) }
        stored.row.returnOf = stored.row.returnOf.map { content.pointee.names.copy($0) }
        content.pointee.claimed = first + count
        content.pointee.records.append(stored)
    }

    private func growLines() {
        let capacity = content.pointee.capacity
        let lines = UnsafeMutablePointer<LineRow>.allocate(capacity: capacity * 2)
        let places = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2)
        lines.moveInitialize(from: content.pointee.lines, count: capacity)
        places.moveInitialize(from: content.pointee.places, count: capacity)
        content.pointee.lines.deallocate()
        content.pointee.places.deallocate()
        content.pointee.lines = lines
        content.pointee.places = places
        content.pointee.capacity = capacity * 2
    }
}

extension Database {
    /// Makes the two aggregate functions of this file. They have no result: what they are called with is what counts.
    fileprivate func defineRecordFunctions() throws(ArchiveError) {
        guard !hasRecordFunctions else { return }
        try define("take_record", of: RecordReader.columns) { context, _, values in
            RecordRange.take(context, values) { (range, row) throws(ArchiveError) in try range.add(record: row) }
        }
        try define("take_line", of: RecordReader.lineColumns) { context, _, values in
            RecordRange.take(context, values) { (range, row) throws(ArchiveError) in try range.add(line: row) }
        }
        hasRecordFunctions = true
    }

    private func define(
        _ name: String, of columns: String,
        _ take: @escaping @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void
    ) throws(ArchiveError) {
        // So many values are there to be looked at: the range and the columns.
        let count = Int32(columns.split(separator: ",").count + 1)
        // Direct only: no view or trigger of a database that somebody else wrote may call them.
        let code = sqlite3_create_function_v2(
            handle, name, count, SQLITE_UTF8 | SQLITE_DIRECTONLY, nil, nil, take, { _ in }, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }
}
