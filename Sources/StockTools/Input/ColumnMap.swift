// Which column of a file is which. A first record that names columns may have them in any order; without one they
// stand in the documented order.

import StockInput

/// The places of known columns in the records of one file.
struct ColumnMap {
    /// A column and the names that a header may give it; the first is its own.
    struct Column {
        var names: [String]
        var isNeeded: Bool
    }

    /// For each column its place, `nil` when the file does not have it.
    private(set) var places: [Int?]
    /// The first record was a header.
    private(set) var hasHeader: Bool

    /// Looks at the first record of a file.
    ///
    /// - Parameters:
    ///   - columns: in the order that a file without a header has them.
    ///   - passedOver: names of columns that a header may have and that mean nothing here.
    /// - Throws: `badInput` when a header lacks a column that is needed, or has one that is not known.
    init(_ columns: [Column], passingOver passedOver: [String], first: [String], file: String) throws(ToolError) {
        let words = first.map { $0.trimmed.lowercased() }
        // All needed columns by name: a SKU may be called "sku", but its number is not called "onhand".
        let isHeader = columns.filter(\.isNeeded).allSatisfy { column in words.contains { column.names.contains($0) } }
        hasHeader = isHeader
        guard isHeader else {
            guard words.count > 1 || !(words.first ?? "").contains(where: { $0 == ";" || $0 == "\t" }) else {
                throw ToolError(.badInput, "\(file): its columns are not separated by commas")
            }
            places = Array(columns.indices)
            return
        }
        places = columns.map { column in words.firstIndex { column.names.contains($0) } }
        for (index, word) in words.enumerated() where !places.contains(index) && !word.isEmpty {
            if passedOver.contains(word) { continue }
            let known = columns.map { $0.names[0] }.joined(separator: ", ")
            throw ToolError(.badInput, "\(file): unknown column '\(word.printable)'; known are \(known)")
        }
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest)
    }

    /// Without control characters and cut to what a line can show: it stands in a message.
    var printable: String {
        let shown = unicodeScalars.prefix(80).map { scalar -> Unicode.Scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : scalar
        }
        return String(String.UnicodeScalarView(shown)) + (unicodeScalars.count > 80 ? "…" : "")
    }
}
