// How replies look: as the protocol has them, as JSON, or for the eye. For the eye, lines of one kind that follow each
// other become a table with its keys as headings, times are dates, and colours say what was done and what was not.

import StockConnection

/// A way to print replies.
public enum ReplyStyle: Equatable, Sendable {
    /// The reply's lines as they came.
    case plain
    case json
    case aligned(Palette)

    /// The reply as text, each line of it ended.
    ///
    /// - Parameter line: which line of a script asked for it; only JSON shows it.
    public func text(of reply: Reply, answering line: Int? = nil) -> String {
        switch self {
        case .plain: reply.lines.map { $0.text + "\n" }.joined()
        case .json: reply.lines.map { $0.json(answering: line) + "\n" }.joined()
        case .aligned(let palette): ReplyTable(palette: palette).text(of: reply)
        }
    }
}

/// Replies for the eye.
struct ReplyTable {
    let palette: Palette

    func text(of reply: Reply) -> String {
        if reply.items.isEmpty { return (reply.head.text == "*0" ? palette.faint("(none)") : line(reply.head)) + "\n" }
        var text = ""
        var items = reply.items[...]
        while let first = items.first {
            let run = items.prefix { Self.kind(of: $0) == Self.kind(of: first) }
            items = items.dropFirst(run.count)
            switch Self.kind(of: first) {
            case .row: text += table(Array(run))
            case .statistic: text += statistics(Array(run))
            case .other: text += run.map { line($0) + "\n" }.joined()
            }
        }
        return text
    }

    private enum Kind: Equatable { case row, statistic, other }

    private static func kind(of line: ReplyLine) -> Kind {
        switch line.word {
        case "STOCK", "ORDER": line.isRefusal ? .other : .row
        default: line.word.contains("=") ? .statistic : .other
        }
    }

    // MARK: One line

    private func line(_ line: ReplyLine) -> String {
        let code = String(line.text.prefix(1 + line.word.count))
        let rest = String(line.text.dropFirst(code.count))
        switch (line.text.utf8.first, line.word) {
        case (UInt8(ascii: "-"), _): return palette.refused(code) + Self.printable(rest)
        case (UInt8(ascii: "+"), "NEXT"):
            return palette.faint("more: the same with after=\(Self.printable(line.positional.first ?? ""))")
        case (UInt8(ascii: "+"), "END"): return palette.faint("(end)")
        case (UInt8(ascii: "+"), _): return palette.done(Self.printable(code)) + Self.printable(rest)
        default: return Self.printable(line.text)
        }
    }

    /// A reply is text of a server that may be anybody's: it must not steer the terminal.
    static func printable(_ text: some StringProtocol) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map {
            $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
        }))
    }

    // MARK: Statistics

    private func statistics(_ lines: [ReplyLine]) -> String {
        let pairs = lines.compactMap(\.pairs.first)
        let width = pairs.map(\.key.count).max() ?? 0
        return pairs.map { key, value in
            palette.faint(Self.printable(key).padded(to: width)) + "  " + Self.printable(value) + "\n"
        }.joined()
    }

    // MARK: Tables

    private func table(_ rows: [ReplyLine]) -> String {
        var table = TextTable()
        for row in rows {
            table.startRow()
            table.set(row.word == "STOCK" ? "sku" : "order", to: Self.printable(row.positional.first ?? ""))
            for (key, value) in row.pairs where key != "lines" {
                table.set(String(key), to: cell(String(key), value))
            }
            if let lines = row.orderLines {
                let words = lines.map { "\(Self.printable($0.sku)) × \($0.quantity)" }
                table.set("lines", to: words.joined(separator: ", "))
            }
        }
        return table.text(palette: palette) { heading, cell in
            // A SKU may be called "sold-out" too.
            guard heading == "status" || heading == "state" else { return cell }
            return switch cell {
            case "selling", "sold": palette.done(cell)
            case "sold-out", "ended", "cancelled", "expired": palette.refused(cell)
            default: palette.wary(cell)
            }
        }
    }

    private func cell(_ key: String, _ value: Substring) -> String {
        let isTime = ["opens", "closes", "at", "expires"].contains(key)
        if isTime, let milliseconds = Int64(value) { return dateText(milliseconds) }
        return Self.printable(value)
    }
}
