// What the server answered, in the shape that Protocol gives it: one line, or `*N` and N lines. A line begins
// with `+` (what you asked for is so), `-` (it is not so, and nothing changed) or `:` (a number); then come
// words, then `key=value` pairs.

/// One line of a reply, without its `\r\n`.
public struct ReplyLine: Hashable, Sendable {
    /// The whole line, its first sign included: `+SOLD o-1 seq=2 available=1`.
    public let text: String

    public init(_ text: String) { self.text = text }

    /// What was asked for is not so, and nothing changed.
    public var isRefusal: Bool { text.utf8.first == UInt8(ascii: "-") }

    /// The first word without its sign: `SOLD`.
    public var word: Substring { text.dropFirst().prefix { $0 != " " } }

    /// The words that follow `word` and come before the first `key=value`: `["o-1"]`.
    public var positional: [Substring] {
        Array(words.dropFirst().prefix { !$0.contains("=") })
    }

    /// The value of the first `key=value` with that key, or nil.
    public subscript(key: String) -> Substring? {
        for word in words {
            guard let equals = word.firstIndex(of: "="), word[..<equals] == key else { continue }
            return word[word.index(after: equals)...]
        }
        return nil
    }

    /// The value of `key` as a number, or nil when it is absent or none.
    public func number(_ key: String) -> Int64? { self[key].flatMap { Int64($0) } }

    /// The change had already been made: this is the answer to a retry.
    public var isReplay: Bool { self["replay"] == "1" }

    /// The lines of an order, which stand last as `lines=N` and N pairs; nil when they are absent or broken.
    public var orderLines: [(sku: Substring, quantity: Int64)]? {
        let all = words
        guard let mark = all.firstIndex(where: { $0.hasPrefix("lines=") }),
            let count = Int(all[mark].dropFirst("lines=".count)), count >= 0
        else { return nil }
        let pairs = all[(mark + 1)...]
        guard pairs.count.isMultiple(of: 2), pairs.count / 2 == count else { return nil }
        var lines: [(sku: Substring, quantity: Int64)] = []
        for index in stride(from: pairs.startIndex, to: pairs.endIndex, by: 2) {
            guard let quantity = Int64(pairs[index + 1]) else { return nil }
            lines.append((pairs[index], quantity))
        }
        return lines
    }

    private var words: [Substring] { text.dropFirst().split(separator: " ") }
}

extension ReplyLine: CustomStringConvertible {
    public var description: String { text }
}

/// A whole reply: its first line, and the lines that `*N` (or the `%N` of RESP3) announced.
public struct Reply: Hashable, Sendable {
    public let head: ReplyLine
    /// Empty for a reply of one line.
    public let items: [ReplyLine]

    public init(head: ReplyLine, items: [ReplyLine] = []) {
        self.head = head
        self.items = items
    }

    /// Every line in the order in which it came.
    public var lines: [ReplyLine] { [head] + items }

    public var isRefusal: Bool { head.isRefusal }

    /// How many lines follow a head of that text: N for `*N`, 2N for the map `%N`, else 0.
    ///
    /// - Throws: `ConnectionError.protocolError` when the number is missing or beyond `limit`.
    static func itemCount(announcedBy head: String, limit: Int) throws(ConnectionError) -> Int {
        guard let sign = head.utf8.first, sign == UInt8(ascii: "*") || sign == UInt8(ascii: "%") else { return 0 }
        guard let count = Int(head.dropFirst()), (0...limit).contains(count) else {
            throw .protocolError("'\(head.prefix(64))' announces no number of lines from 0 to \(limit)")
        }
        return sign == UInt8(ascii: "%") ? 2 * count : count
    }
}

extension Reply: CustomStringConvertible {
    public var description: String { lines.map(\.text).joined(separator: "\n") }
}
