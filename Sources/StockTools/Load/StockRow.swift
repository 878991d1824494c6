// A row of a stock file becomes a CREATE. The columns are those that `export skus` writes, so that what one writes the
// other loads.

import StockInput
import StockModel

/// The columns of a stock file, and the request that a row stands for.
struct StockColumns {
    private let map: ColumnMap
    var hasHeader: Bool { map.hasHeader }

    private static let columns = [
        ColumnMap.Column(names: ["sku"], isNeeded: true),
        ColumnMap.Column(names: ["onhand"], isNeeded: true),
        ColumnMap.Column(names: ["floor"], isNeeded: false),
        ColumnMap.Column(names: ["limit"], isNeeded: false),
        ColumnMap.Column(names: ["opens"], isNeeded: false),
        ColumnMap.Column(names: ["closes"], isNeeded: false),
    ]

    /// What `export skus` writes beside those: counters that orders make, not a file.
    private static let exported = ["ordinal", "available", "held", "sold", "settled", "loaded", "paused"]

    init(first: [String], file: String) throws(ToolError) {
        map = try ColumnMap(Self.columns, passingOver: Self.exported, first: first, file: file)
    }

    /// The request of the record that `reader` stands at.
    ///
    /// - Throws: `BadRow` with what is wrong with it.
    func request(_ reader: borrowing CSVReader) throws(BadRow) -> [UInt8] {
        guard map.hasHeader || reader.fieldCount <= map.places.count else {
            throw BadRow("\(reader.fieldCount) fields; a row has sku,onhand and at most floor,limit,opens,closes")
        }
        let sku = field(0, reader)
        guard FieldValue.isToken(sku) else { throw BadRow.sku(sku) }
        guard let onhand = FieldValue.integer(field(1, reader)) else {
            throw BadRow("onhand is '\(shown(field(1, reader)))', not a whole number")
        }
        guard (0...Limits.counter).contains(onhand) else { throw BadRow("onhand is \(onhand), not from 0 to 9·10^15") }
        var request = Array("CREATE ".utf8)
        request.append(contentsOf: sku)
        request.append(contentsOf: " \(onhand)".utf8)
        try append("floor", 2, -Limits.counter...Limits.counter, "±9·10^15", reader, &request)
        try append("limit", 3, 0...Limits.buyerLimit, "0 to 10^12", reader, &request)
        try append("opens", 4, 0...Limits.timestamp, "a time", reader, &request)
        try append("closes", 5, 0...Limits.timestamp, "a time", reader, &request)
        return request
    }

    private func append(
        _ name: String, _ column: Int, _ range: ClosedRange<Int64>, _ wanted: String, _ reader: borrowing CSVReader,
        _ request: inout [UInt8]
    ) throws(BadRow) {
        let bytes = field(column, reader)
        guard !bytes.isEmpty else { return }
        guard let value = column >= 4 ? FieldValue.moment(bytes) : FieldValue.integer(bytes), range.contains(value)
        else { throw BadRow("\(name) is '\(shown(bytes))', not \(wanted)") }
        if value != 0 { request.append(contentsOf: " \(name)=\(value)".utf8) }
    }

    private func field(_ column: Int, _ reader: borrowing CSVReader) -> ArraySlice<UInt8> {
        map.places[column].map { reader.field($0) } ?? []
    }

    private func shown(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self).printable }
}

/// What is wrong with one row.
struct BadRow: Error {
    let problem: String

    init(_ problem: String) { self.problem = problem }

    static func sku(_ bytes: ArraySlice<UInt8>) -> BadRow {
        if bytes.isEmpty { return BadRow("there is no SKU") }
        let text = String(decoding: bytes, as: UTF8.self).printable
        return BadRow("'\(text)' cannot be a SKU: 1 to 128 of the characters ! to ~, without = and spaces")
    }
}
