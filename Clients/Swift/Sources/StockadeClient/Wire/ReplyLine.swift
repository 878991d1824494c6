// A reply line: `+WORD word… key=value…` or `-CODE word… key=value…`. It is kept as bytes and looked into where the
// call waits for it, not on the event loop. Keys that nobody asks for are ignored: that is how the protocol grows.

/// One reply line without its line end.
struct ReplyLine: Sendable, Equatable {
    /// Never empty: the connection sees to that.
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// What was asked for is so.
    var isPositive: Bool { bytes.first == UInt8(ascii: "+") }
    /// It is not so, and nothing changed.
    var isNegative: Bool { bytes.first == UInt8(ascii: "-") }

    /// The first word, without `+` or `-`.
    var code: String {
        word(0).map { String(decoding: bytes[$0].dropFirst(), as: UTF8.self) } ?? ""
    }

    /// Whether the first word is this, sign included: `+HELD`.
    func begins(with word: StaticString) -> Bool {
        guard let range = self.word(0), range.count == word.utf8CodeUnitCount else { return false }
        let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        return bytes[range].elementsEqual(expected)
    }

    /// Where the word stands that has `index` words before it.
    func word(_ index: Int) -> Range<Int>? {
        var cursor = Words(bytes, from: 0)
        for _ in 0..<index where cursor.next() == nil { return nil }
        return cursor.next()
    }

    /// A word by its place, as text.
    func text(_ index: Int) -> String? {
        word(index).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// The value of `key=…` as text.
    func text(of key: StaticString) -> String? {
        value(of: key).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// The value of `key=…` as a number; `nil` if there is none, or if it is not one that fits.
    func number(of key: StaticString) -> Int64? {
        value(of: key).flatMap { number(at: $0) }
    }

    func flag(_ key: StaticString) -> Bool { number(of: key) == 1 }

    /// The pairs behind `lines=N`; `nil` unless there are exactly N well-formed ones.
    func items() -> [OrderItem]? {
        guard let lines = value(of: "lines"), let count = number(at: lines), count >= 0 else { return nil }
        var cursor = Words(bytes, from: lines.upperBound)
        var items: [OrderItem] = []
        while let sku = cursor.next() {
            guard let quantity = cursor.next().flatMap({ number(at: $0) }) else { return nil }
            items.append(OrderItem(String(decoding: bytes[sku], as: UTF8.self), quantity))
        }
        return items.count == count ? items : nil
    }

    /// Where the value of `key=…` stands. What follows `lines=` are pairs, which have no `=`.
    private func value(of key: StaticString) -> Range<Int>? {
        let name = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        var cursor = Words(bytes, from: 0)
        while let word = cursor.next() {
            let end = word.lowerBound + name.count
            guard word.count > name.count, bytes[end] == UInt8(ascii: "=") else { continue }
            if bytes[word.lowerBound..<end].elementsEqual(name) { return end + 1..<word.upperBound }
        }
        return nil
    }

    /// Decimal, with an optional `-`. The bytes are a server's, but they are checked as anyone's.
    private func number(at range: Range<Int>) -> Int64? {
        var digits = bytes[range]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty, digits.count <= 18 else {
            // Sequences are 64 bits wide; so long a number is rare, and the standard library's way will do.
            return Int64(String(decoding: bytes[range], as: UTF8.self))
        }
        var value: Int64 = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return isNegative ? -value : value
    }

    /// Walks over the words of a line.
    private struct Words {
        private let bytes: [UInt8]
        private var position: Int

        init(_ bytes: [UInt8], from position: Int) {
            self.bytes = bytes
            self.position = position
        }

        mutating func next() -> Range<Int>? {
            while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
            guard position < bytes.count else { return nil }
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: " ") { position += 1 }
            return start..<position
        }
    }
}

/// A whole reply.
enum Reply: Sendable, Equatable {
    case line(ReplyLine)
    case array([ReplyLine])
}
