// Rows on their way out, as CSV (RFC 4180) or as JSON, one object per line. Both are written from SQLite's memory into
// one buffer: a million rows cost no million strings.

import StockArchive
import StockModel

/// How rows look.
public enum RowFormat: String, CaseIterable, Sendable {
    case csv, json
}

/// What a column holds.
enum ColumnType {
    case text, integer
    /// Unix milliseconds, shown as ISO 8601 in UTC; 0 and NULL are empty.
    case time
}

/// Gathers rows and hands them on in large pieces.
public struct RowWriter: ~Copyable {
    private static let pieceSize = 1 << 16
    private let format: RowFormat
    private let names: [String]
    private let types: [ColumnType]
    private let write: (UnsafeRawBufferPointer) -> Bool
    private var buffer: [UInt8] = []
    public private(set) var rows = 0

    /// - Parameter write: where pieces go; false when nobody reads any more.
    init(
        _ format: RowFormat, names: [String], types: [ColumnType], write: @escaping (UnsafeRawBufferPointer) -> Bool
    ) {
        self.format = format
        self.names = names
        self.types = types
        self.write = write
        if format == .csv { append(names.joined(separator: ",") + "\r\n") }
    }

    /// One row of an answer that has a column for each name; false when nobody reads any more.
    mutating func append(row statement: borrowing Statement) throws -> Bool {
        for column in names.indices {
            switch format {
            case .csv:
                if column > 0 { buffer.append(UInt8(ascii: ",")) }
            case .json:
                append(column == 0 ? "{\"" : ",\"")
                append(names[column])
                append("\":")
            }
            let place = Int32(column)
            if statement.isNull(place) {
                if format == .json { append("null") }
            } else if types[column] == .integer {
                append(String(statement.integer(place)))
            } else if let text = try statement.token(place) {
                appendQuoted(text)
            }
        }
        append(format == .csv ? "\r\n" : "}\n")
        rows += 1
        return buffer.count < Self.pieceSize || flush()
    }

    mutating func flush() -> Bool {
        defer { buffer.removeAll(keepingCapacity: true) }
        return buffer.isEmpty || buffer.withUnsafeBytes { write($0) }
    }

    private mutating func append(_ text: String) { buffer.append(contentsOf: text.utf8) }

    private mutating func appendQuoted(_ text: Token) {
        let quote = UInt8(ascii: "\"")
        switch format {
        case .csv:
            guard text.bytes.contains(where: { $0 == quote || $0 == UInt8(ascii: ",") || $0 < 0x20 }) else {
                buffer.append(contentsOf: text.bytes)
                return
            }
            buffer.append(quote)
            for byte in text.bytes {
                if byte == quote { buffer.append(quote) }
                buffer.append(byte)
            }
            buffer.append(quote)
        case .json:
            buffer.append(quote)
            JSONText.append(text.bytes, to: &buffer)
            buffer.append(quote)
        }
    }
}

/// Text as JSON has it.
public enum JSONText {
    /// The inside of a JSON string.
    static func append(_ bytes: some Sequence<UInt8>, to buffer: inout [UInt8]) {
        for byte in bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                buffer.append(UInt8(ascii: "\\"))
                buffer.append(byte)
            } else if byte < 0x20 {
                let digits = String(byte, radix: 16)
                buffer.append(contentsOf: "\\u00\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8)
            } else {
                buffer.append(byte)
            }
        }
    }

    /// A whole string, in its quotes.
    public static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        append(text.utf8, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}
