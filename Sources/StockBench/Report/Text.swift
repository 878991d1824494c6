// Numbers as people read them, and JSON, without a library: reports are a page of both.

import Glibc

/// 1234567 as `1,234,567`.
public func grouped(_ number: Int) -> String {
    var groups = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
        if index > 0, index.isMultiple(of: 3) { groups.append(",") }
        groups.append(digit)
    }
    return (number < 0 ? "-" : "") + String(groups.reversed())
}

/// `value` with so many decimals, rounded.
public func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "–" }
    let scale = pow(10, Double(decimals))
    let whole = (value.magnitude * scale).rounded()
    let digits = String(UInt64(whole))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = value < 0 && whole > 0 ? "-" : ""
    if decimals == 0 { return sign + padded }
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
}

/// A time as a person would say it: `412 µs`, `1.24 ms`, `2.50 s`.
public func duration(_ nanoseconds: Int64) -> String {
    switch Double(nanoseconds) {
    case ..<100_000: fixed(Double(nanoseconds) / 1e3, 1) + " µs"
    case ..<1_000_000: fixed(Double(nanoseconds) / 1e3, 0) + " µs"
    case ..<1_000_000_000: fixed(Double(nanoseconds) / 1e6, 2) + " ms"
    default: fixed(Double(nanoseconds) / 1e9, 2) + " s"
    }
}

/// A rate: `1,234,567/s`.
public func rate(_ perSecond: Double) -> String {
    perSecond.isFinite ? grouped(Int(perSecond.rounded())) + "/s" : "–"
}

/// `text` with spaces before or behind it, `width` characters in all.
package func padded(_ text: String, to width: Int, left: Bool = false) -> String {
    let spaces = String(repeating: " ", count: max(0, width - text.count))
    return left ? spaces + text : text + spaces
}

/// A Markdown table with columns as wide as their widest cell.
func markdownTable(_ head: [String], _ rows: [[String]]) -> [String] {
    let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
        "| " + cells.enumerated().map { padded($1, to: widths[$0]) }.joined(separator: " | ") + " |"
    }
    return [line(head), "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|"]
        + rows.map(line)
}

/// A JSON value. An object keeps the order of its keys.
package indirect enum JSON {
    case text(String), number(Double), integer(Int), flag(Bool), null
    case list([JSON])
    case object([(String, JSON)])

    /// The value as JSON text, indented by two spaces a level.
    package func rendered(indent: Int = 0) -> String {
        let inner = String(repeating: " ", count: indent + 2)
        let outer = String(repeating: " ", count: indent)
        switch self {
        case .text(let text): return Self.quoted(text)
        case .number(let number): return number.isFinite ? fixed(number, 3) : "null"
        case .integer(let number): return String(number)
        case .flag(let flag): return flag ? "true" : "false"
        case .null: return "null"
        case .list(let items):
            if items.isEmpty { return "[]" }
            return "[\n" + items.map { inner + $0.rendered(indent: indent + 2) }.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let pairs):
            if pairs.isEmpty { return "{}" }
            let lines = pairs.map { "\(inner)\(Self.quoted($0)): \($1.rendered(indent: indent + 2))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
