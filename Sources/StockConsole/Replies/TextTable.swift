// A table of words and numbers: headings from the keys in the order of their first appearance, numbers to the right.

import Glibc

/// Rows of named cells.
struct TextTable {
    private var headings: [String] = []
    private var rows: [[String: String]] = []

    mutating func startRow() { rows.append([:]) }

    /// Sets a cell of the newest row.
    mutating func set(_ heading: String, to cell: String) {
        if !headings.contains(heading) { headings.append(heading) }
        if !rows.isEmpty { rows[rows.count - 1][heading] = cell }
    }

    /// The table, each of its lines ended.
    ///
    /// - Parameter dress: colours a cell; widths are those of the bare text.
    func text(palette: Palette, dress: (_ heading: String, _ cell: String) -> String) -> String {
        let columns = headings.map { heading in
            let cells = rows.compactMap { $0[heading] }
            return (
                heading: heading, width: max(heading.count, cells.map(\.count).max() ?? 0),
                isNumeric: cells.allSatisfy { Int64($0) != nil })
        }
        var text = ""
        for row in [nil] + rows.map(Optional.some) {
            var line = ""
            for (index, column) in columns.enumerated() {
                let cell = row.map { $0[column.heading] ?? "" } ?? column.heading
                let gap = String(repeating: " ", count: column.width - cell.count)
                let dressed = row == nil ? palette.faint(cell) : dress(column.heading, cell)
                line += (index == 0 ? "" : "  ") + (column.isNumeric ? gap + dressed : dressed + gap)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            text += line + "\n"
        }
        return text
    }
}

extension String {
    /// With spaces up to `width` characters: behind it, or before it for numbers.
    func padded(to width: Int, right: Bool = false) -> String {
        let gap = String(repeating: " ", count: max(0, width - count))
        return right ? gap + self : self + gap
    }
}

/// Unix milliseconds as a date and time of day in UTC, `2026-11-21T07:33:48Z`; beyond the year 9999, the number.
func dateText(_ milliseconds: Int64) -> String {
    var seconds = time_t(milliseconds / 1_000)
    var parts = tm()
    guard (0...253_402_300_799_999).contains(milliseconds), gmtime_r(&seconds, &parts) != nil else {
        return String(milliseconds)
    }
    var text = [CChar](repeating: 0, count: 32)
    let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
