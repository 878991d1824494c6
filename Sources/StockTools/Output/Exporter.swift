// A table of the database, streamed: all rows are of one sequence, and none of them waits in memory.

import StockArchive
import StockInput
import StockModel

/// One condition of `--where`: a column, a comparison, a value.
public struct Condition: Equatable, Sendable {
    /// Comparisons as they are written; the longer ones first, so that `<=` is not read as `<`.
    private static let operators = ["<=", ">=", "!=", "=", "<", ">"]

    var column: String
    var comparison: String
    var value: String

    /// Reads `column=value`, with `=`, `!=`, `<`, `<=`, `>` or `>=`.
    public init(_ text: String) throws(ToolError) {
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0 == "_") }
        let rest = text.dropFirst(name.count)
        guard !name.isEmpty, let comparison = Self.operators.first(where: { rest.hasPrefix($0) }) else {
            throw ToolError(
                .usage, "'\(text.printable)' is not a condition: expected column=value, or one of != < <= > >= for =")
        }
        self.column = name.lowercased()
        self.comparison = comparison
        value = String(rest.dropFirst(comparison.count))
    }
}

/// One export.
public struct Exporter {
    public let table: ExportTable
    private let conditions: [(column: ExportTable.Column, comparison: String, value: Value)]

    private enum Value { case integer(Int64), text(String) }

    /// Throws `usage` for a column that the table does not have, or a value that the column cannot have.
    public init(_ table: ExportTable, where conditions: [Condition]) throws(ToolError) {
        var checked: [(ExportTable.Column, String, Value)] = []
        for condition in conditions {
            guard let column = table.columns.first(where: { $0.name == condition.column }) else {
                throw ToolError(
                    .usage,
                    "\(table.rawValue) have no column '\(condition.column)'; they have "
                        + table.columnNames.joined(separator: ", "))
            }
            let bytes = Array(condition.value.utf8)[...]
            switch column.type {
            case .text:
                checked.append((column, condition.comparison, .text(condition.value)))
            case .integer:
                guard let number = FieldValue.integer(bytes) else {
                    throw ToolError(.usage, "\(column.name) is a number, '\(condition.value.printable)' is none")
                }
                checked.append((column, condition.comparison, .integer(number)))
            case .time:
                guard let time = FieldValue.moment(bytes) else {
                    throw ToolError(
                        .usage,
                        "\(column.name) is a time: Unix milliseconds, or UTC as 2026-11-21 or 2026-11-21T07:33:48")
                }
                checked.append((column, condition.comparison, .integer(time)))
            }
        }
        self.table = table
        self.conditions = checked
    }

    /// Writes all rows that `reader` sees.
    ///
    /// - Parameters:
    ///   - write: takes pieces of output; false when nobody reads any more, which ends the export.
    ///   - progress: called every few thousand rows.
    /// - Returns: how many rows were written.
    public func run(
        on reader: borrowing ArchiveReader, as format: RowFormat, progress: (Int) -> Void = { _ in },
        write: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws -> Int {
        let statement = try reader.prepare(sql)
        for (index, condition) in conditions.enumerated() {
            switch condition.value {
            case .integer(let number): statement.bind(number, at: Int32(index + 1))
            case .text(let text): statement.bind(text: text, at: Int32(index + 1))
            }
        }
        var writer = RowWriter(
            format, names: table.columnNames, types: table.columns.map(\.type), write: write)
        while try statement.step() {
            guard try writer.append(row: statement) else { return writer.rows }
            if writer.rows % 10_000 == 0 { progress(writer.rows) }
        }
        _ = writer.flush()
        return writer.rows
    }

    var sql: String {
        let shown = table.columns.map { $0.type == .time ? shownTime($0.sql) : $0.sql }.joined(separator: ", ")
        let (from, always, order) = table.source
        var terms = [always]
        for (index, condition) in conditions.enumerated() {
            let parameter = "?\(index + 1)"
            if condition.comparison == "=", let lookup = condition.column.lookup {
                let pieces = lookup.split(separator: "?", omittingEmptySubsequences: false)
                terms.append("(\(pieces.joined(separator: parameter)))")
            } else {
                terms.append("(\(condition.column.sql)) \(condition.comparison) \(parameter)")
            }
        }
        return "SELECT \(shown) FROM \(from) WHERE \(terms.joined(separator: " AND ")) ORDER BY \(order)"
    }
}
