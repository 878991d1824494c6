// A request as bytes. Every word that a caller chose passes the token rule here, before anything is sent: a blank in
// an order id must not become two words of another request.

import StockModel
import StockWire

/// What kind of reply a request has.
enum ReplyShape: Sendable {
    /// One line.
    case line
    /// `*N` and N lines; a refusal is still one line.
    case array
}

/// One request line, ready to be sent, as often as it takes.
struct Request: Sendable {
    /// With its line end.
    var bytes: [UInt8]
    /// Where in `bytes` the word stands that a `+` reply must repeat as its second word; empty if it need not. It is
    /// how a reply that belongs to another request is noticed.
    var echo: Range<Int>
    var shape: ReplyShape
    /// Whether it may change the ledger. If it may, a lost reply leaves something to find out.
    var isChange: Bool
    var verb: Verb

    /// The request without its line end, for messages.
    var text: String { String(decoding: bytes.dropLast(), as: UTF8.self) }
}

/// Writes one request, word by word.
struct RequestWriter {
    private let verb: Verb
    private var bytes: [UInt8]
    private var echo = 0..<0
    /// What was wrong first. Kept until `finish`, so that a request reads as one sentence at its call site.
    private var complaint: String?

    init(_ verb: Verb) {
        self.verb = verb
        bytes = []
        bytes.reserveCapacity(96)
        append(verb.name)
    }

    // MARK: Words

    /// - Parameters:
    ///   - what: how a message names it: "order id".
    ///   - isEchoed: a `+` reply repeats this word as its second.
    mutating func token(_ word: String, _ what: StaticString, isEchoed: Bool = false) {
        bytes.append(UInt8(ascii: " "))
        let start = bytes.count
        appendToken(word, what)
        if isEchoed { echo = start..<bytes.count }
    }

    mutating func number(_ value: Int64, _ what: StaticString, in range: ClosedRange<Int64>) {
        check(value, what, range)
        bytes.append(UInt8(ascii: " "))
        append(value)
    }

    mutating func items(_ items: [OrderItem]) {
        if items.count > Limits.pairs { complain("an order has at most \(Limits.pairs) items") }
        for item in items {
            token(item.sku, "SKU")
            number(item.quantity, "quantity", in: 1...Limits.quantity)
        }
    }

    /// A duration in milliseconds.
    mutating func duration(_ time: HoldTime) {
        let range = Limits.shortestHold...Limits.longestHold
        check(time.milliseconds, "time of a hold in milliseconds", range)
        bytes.append(UInt8(ascii: " "))
        append(time.milliseconds)
        bytes.append(contentsOf: "ms".utf8)
    }

    // MARK: Options, left out when they are `nil`

    mutating func option(_ name: StaticString, _ word: String?, _ what: StaticString) {
        guard let word else { return }
        appendName(name)
        appendToken(word, what)
    }

    mutating func option(_ name: StaticString, _ value: Int64?, in range: ClosedRange<Int64>) {
        guard let value else { return }
        check(value, name, range)
        appendName(name)
        append(value)
    }

    mutating func flag(_ name: StaticString, _ isSet: Bool) {
        if isSet { option(name, 1, in: 1...1) }
    }

    // MARK: The whole

    consuming func finish(
        _ shape: ReplyShape = .line, isChange: Bool = true
    ) throws(StockadeError) -> Request {
        if let complaint { throw .invalid(complaint) }
        guard bytes.count <= Limits.requestLength else {
            throw .invalid("the request has \(bytes.count) bytes, at most \(Limits.requestLength) are allowed")
        }
        bytes.append(UInt8(ascii: "\n"))
        return Request(bytes: bytes, echo: echo, shape: shape, isChange: isChange, verb: verb)
    }

    private mutating func complain(_ text: String) {
        if complaint == nil { complaint = text }
    }

    private mutating func check(_ value: Int64, _ what: StaticString, _ range: ClosedRange<Int64>) {
        if !range.contains(value) {
            complain("\(what) is \(value), it must be \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private mutating func appendToken(_ word: String, _ what: StaticString) {
        let start = bytes.count
        bytes.append(contentsOf: word.utf8)
        let isToken = bytes.count > start && bytes.count - start <= Limits.tokenLength
        guard isToken, bytes[start...].allSatisfy(isTokenByte) else {
            return complain("\(what) must be 1 to 128 bytes from ! to ~ without =; it is \"\(word.prefix(160))\"")
        }
    }

    private mutating func appendName(_ name: StaticString) {
        bytes.append(UInt8(ascii: " "))
        append(name)
        bytes.append(UInt8(ascii: "="))
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ value: Int64) {
        bytes.append(contentsOf: String(value).utf8)
    }
}

extension Request {
    /// `AUTH secret`. A secret is not a token: in a line it may have any bytes but blanks and line ends.
    static func login(_ secret: String) throws(StockadeError) -> Request {
        let bytes = Array(secret.utf8)
        let isWord = !bytes.isEmpty && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        guard isWord, bytes.count <= 1_024 else {
            throw .invalid("a password must be 1 to 1024 bytes without blanks and control characters")
        }
        return Request(
            bytes: Array("AUTH ".utf8) + bytes + [UInt8(ascii: "\n")], echo: 0..<0, shape: .line, isChange: false,
            verb: .auth)
    }
}
