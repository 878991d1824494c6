// Replies as JSON, one object on a line for each line of a reply, so that `jq` and programs need not know how a reply
// is written:
//
//     +SOLD o-1 seq=2 available=1     {"ok":true,"code":"SOLD","id":"o-1","seq":2,"available":1}
//     -NOSKU phone                    {"ok":false,"code":"NOSKU","sku":"phone"}
//     *2                              {"ok":true,"count":2}       and two more objects
//     :7                              {"ok":true,"value":7}
//     +uptime_s=12                    {"ok":true,"uptime_s":12}
//
// Numbers are JSON numbers: no counter of the protocol is beyond the 2^53 that a double holds exactly. Values of keys
// that name things are always strings, also when a buyer is called 42.

import StockConnection

extension ReplyLine {
    /// The JSON object of this line, without a line end.
    ///
    /// - Parameter input: which line of a script asked for it, from 1; shown as `"line"`.
    public func json(answering input: Int? = nil) -> String {
        var object = JSONObject()
        object.add("ok", literal: isRefusal ? "false" : "true")
        switch text.utf8.first {
        case UInt8(ascii: "*"): object.add("count", value: text.dropFirst())
        case UInt8(ascii: "%"): object.add("pairs", value: text.dropFirst())
        case UInt8(ascii: ":"): object.add("value", value: text.dropFirst())
        default: addWords(to: &object)
        }
        if let input { object.add("line", literal: String(input)) }
        return object.text
    }

    private func addWords(to object: inout JSONObject) {
        if !word.contains("=") { object.add("code", string: word) }
        if let name = subjectName {
            // `-RANGE a delta is …`: words for people, not values.
            if name == "message" {
                object.add(name, string: text.dropFirst(1 + word.utf8.count).drop { $0 == " " })
                return
            }
            for (index, subject) in positional.enumerated() {
                object.add(index == 0 ? name : "word\(index + 1)", string: subject)
            }
        }
        for pair in pairs where pair.key != "lines" { object.add(pair.key, value: pair.value) }
        if let lines = orderLines {
            let items = lines.map { line in
                var item = JSONObject()
                item.add("sku", string: line.sku)
                item.add("quantity", literal: String(line.quantity))
                return item.text
            }
            object.add("lines", literal: "[" + items.joined(separator: ",") + "]")
        }
    }

    /// What the first word after the code names; nil when there is none.
    var subjectName: String? {
        guard !positional.isEmpty else { return nil }
        switch word {
        case "SYNTAX", "TOOLONG", "READONLY", "NOAUTH", "DENIED", "BUSY": return "message"
        case "RANGE": return self["have"] == nil ? "message" : "sku"
        case "UNKNOWN": return "verb"
        case "NEXT": return "after"
        case "FULL": return "what"
        case "CREATED", "STOCK", "DROPPED", "NOSKU", "EXISTS", "INUSE", "MISMATCH", "UPCOMING", "ENDED", "PAUSED",
            "QUOTA", "BUYER", "INSUFFICIENT", "SOLDOUT":
            return "sku"
        default: return "id"
        }
    }

    /// The `key=value` words in their order, without the pairs of an order's lines.
    var pairs: [(key: Substring, value: Substring)] {
        var pairs: [(key: Substring, value: Substring)] = []
        for word in text.dropFirst().split(separator: " ") {
            guard let equals = word.firstIndex(of: "=") else { continue }
            pairs.append((word[..<equals], word[word.index(after: equals)...]))
            // What follows are skus and quantities, and tokens have no `=`.
            if pairs.last?.key == "lines" { break }
        }
        return pairs
    }
}

/// A JSON object that is being written.
struct JSONObject {
    private var members = ""

    var text: String { "{\(members)}" }

    mutating func add(_ name: some StringProtocol, string: some StringProtocol) {
        add(name, literal: Self.quoted(string))
    }

    /// A value as the protocol writes it: a number where that is what the key holds, `true` for the marks that only
    /// stand in a reply when they are so.
    mutating func add(_ name: some StringProtocol, value: some StringProtocol) {
        if Self.marks.contains(String(name)), value == "1" {
            add(name, literal: "true")
        } else if !Self.names.contains(String(name)), let number = Int64(value), String(number) == value {
            add(name, literal: String(number))
        } else {
            add(name, string: value)
        }
    }

    mutating func add(_ name: some StringProtocol, literal: String) {
        if !members.isEmpty { members += "," }
        members += Self.quoted(name) + ":" + literal
    }

    /// Keys whose values are words, even if they look like numbers.
    private static let names: Set<String> = [
        "sku", "id", "buyer", "reason", "state", "status", "after", "digest", "version", "listening",
    ]
    private static let marks: Set<String> = ["replay", "empty", "paused"]

    static func quoted(_ text: some StringProtocol) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
