// One record as its row in the database has it. Two come by such rows: whoever looks for one id steps through a statement,
// whoever goes through all of them is handed values by an aggregate function (RecordReader.swift).

import CSQLite
import StockModel

/// One record as it stands in the database, with what `RecordRow` does not have.
struct StoredRecord {
    var row: RecordRow
    /// The sequence of the event that brought its id.
    var number: UInt64
    /// `nil` also where a `RecordReader` has read it: nobody who goes through all records asks.
    var born: Int64?
}

/// The columns of one row, from 0.
protocol RowColumns: ~Copyable {
    /// 0 for NULL.
    func integer(_ column: Int32) -> Int64
    /// A name of 1…128 bytes; `nil` for NULL.
    func token(_ column: Int32) throws(ArchiveError) -> Token?
    /// What the row is not, as an error.
    func damaged(_ problem: String) -> ArchiveError
}

extension Statement: RowColumns {}

extension RowColumns where Self: ~Copyable {
    /// The row of a statement that selects `RecordReader.columns`. Each column is asked for once.
    @inline(__always)
    func storedRecord(lines: UnsafeBufferPointer<LineRow>) throws(ArchiveError) -> StoredRecord {
        let number = integer(0)
        let sequence = integer(4)
        guard let id = try token(1), let rawState = UInt8(exactly: integer(2)), let state = IDState(rawValue: rawState),
            let flags = UInt8(exactly: integer(3)), let ttl = UInt32(exactly: integer(7)), number > 0, sequence >= number
        else { throw damaged("the record \(number) is not one that a fold writes") }
        let row = RecordRow(
            id: id, state: state, flags: RecordFlags(rawValue: flags), sequence: UInt64(bitPattern: sequence),
            at: integer(5), moment: integer(6), ttl: ttl, buyer: try token(8), returnOf: try token(9), lines: lines)
        return StoredRecord(row: row, number: UInt64(bitPattern: number))
    }

    /// The row of a statement that selects `RecordReader.lineColumns`.
    @inline(__always)
    func lineRow() throws(ArchiveError) -> LineRow {
        guard let ordinal = UInt32(exactly: integer(1)) else { throw damaged("a line names the SKU \(integer(1))") }
        return LineRow(ordinal: ordinal, asked: integer(2), sold: integer(3), returned: integer(4))
    }
}

/// The values that an aggregate function is handed of one row. They are valid while it runs. Its errors name no path: that
/// is added by whoever calls, so that no row has to carry one.
struct RowValues: RowColumns {
    let values: UnsafeMutablePointer<OpaquePointer?>

    @inline(__always)
    func integer(_ column: Int32) -> Int64 { sqlite3_value_int64(values[Int(column)]) }

    @inline(__always)
    func token(_ column: Int32) throws(ArchiveError) -> Token? {
        try Statement.token(of: values[Int(column)], path: "")
    }

    func damaged(_ problem: String) -> ArchiveError { .damaged(path: "", problem: problem) }
}
