// How the oracle reads a request line: words separated by spaces, options
// (`name=value`) last. The form of the whole line is judged before any limit,
// so a line with both kinds of fault is `-SYNTAX`.

/// A refusal, as the reply line that says it.
struct Refusal: Error {
    let line: String

    init(_ line: String) { self.line = line }

    /// Only the code is modelled; the words after it are the server's own.
    static let syntax = Refusal("-SYNTAX")
    static let range = Refusal("-RANGE")
}

/// The limits of the protocol's table "Tokens and limits".
struct OracleLimits {
    var tokenBytes = 128
    var quantity: Int64 = 1_000_000_000_000
    /// No counter ever leaves −counter … counter.
    var counter: Int64 = 9_000_000_000_000_000
    var pairs = 1_024
    /// Milliseconds: 30 days.
    var duration: Int64 = 30 * 86_400_000

    var signed: ClosedRange<Int64> { -counter...counter }
    var unsigned: ClosedRange<Int64> { 0...counter }
}

/// A SKU by name and a number of its units.
struct Pair: Equatable {
    var sku: String
    var quantity: Int64
}

/// One request line, taken apart from left to right.
///
/// Every method throws `-SYNTAX` at once and keeps `-RANGE` back until
/// `finish()`, which must be called before the request is carried out.
struct OracleRequest {
    /// In capitals.
    let verb: String
    private var words: [String] = []
    /// By name in small letters; each is removed when read.
    private var options: [String: String] = [:]
    private var isOutsideLimits = false
    private let limits: OracleLimits

    init(_ line: String, limits: OracleLimits) throws(Refusal) {
        self.limits = limits
        let all = line.utf8.split(separator: 0x20).map { String(Substring($0)) }
        verb = all.first?.uppercased() ?? ""
        for word in all.dropFirst() {
            guard let equals = word.firstIndex(of: "=") else {
                // Arguments stand before options.
                guard options.isEmpty else { throw .syntax }
                words.append(word)
                continue
            }
            let name = word[..<equals].lowercased()
            guard options[name] == nil else { throw .syntax }
            options[name] = String(word[word.index(after: equals)...])
        }
    }

    // MARK: Arguments by position

    var hasArguments: Bool { !words.isEmpty }

    mutating func token() throws(Refusal) -> String {
        try token(in: nextWord())
    }

    mutating func number(in allowed: ClosedRange<Int64>) throws(Refusal) -> Int64 {
        try number(in: nextWord(), allowed)
    }

    /// A quantity of a line: 1 … 10^12.
    mutating func quantity() throws(Refusal) -> Int64 {
        try number(in: 1...limits.quantity)
    }

    /// A duration in milliseconds; without a unit it is seconds.
    mutating func duration() throws(Refusal) -> Int64 {
        let word = try nextWord()
        let digits = word.prefix { $0.isASCII && $0.isNumber }
        let unit: Int64
        switch word.dropFirst(digits.count) {
        case "ms": unit = 1
        case "", "s": unit = 1_000
        case "m": unit = 60_000
        case "h": unit = 3_600_000
        case "d": unit = 86_400_000
        default: throw .syntax
        }
        // Cut far above the limit, so that the product stays small.
        let milliseconds = min(try value(of: String(digits), isSigned: false), 10_000_000_000) * unit
        return within(1...limits.duration, milliseconds)
    }

    /// All arguments that are left, as pairs: the same SKU named twice counts
    /// as the sum and stands where it was first named.
    mutating func pairs() throws(Refusal) -> [Pair] {
        var sums: [Pair] = []
        if words.count / 2 > limits.pairs { isOutsideLimits = true }
        while hasArguments {
            let sku = try token()
            let quantity = try quantity()
            if let place = sums.firstIndex(where: { $0.sku == sku }) {
                sums[place].quantity = within(1...limits.quantity, sums[place].quantity + quantity)
            } else {
                sums.append(Pair(sku: sku, quantity: quantity))
            }
        }
        return sums
    }

    // MARK: Options

    mutating func optionalToken(_ name: String) throws(Refusal) -> String? {
        guard let text = options.removeValue(forKey: name) else { return nil }
        return try token(in: text)
    }

    mutating func optionalNumber(_ name: String, in allowed: ClosedRange<Int64>) throws(Refusal) -> Int64? {
        guard let text = options.removeValue(forKey: name) else { return nil }
        return try number(in: text, allowed)
    }

    /// A time in Unix milliseconds.
    mutating func optionalTime(_ name: String) throws(Refusal) -> Int64? {
        try optionalNumber(name, in: limits.unsigned)
    }

    mutating func optionalFlag(_ name: String) throws(Refusal) -> Bool? {
        switch options.removeValue(forKey: name) {
        case nil: return nil
        case "0": return false
        case "1": return true
        default: throw .syntax
        }
    }

    /// Nothing may be left unread, and everything read must be within its limits.
    func finish() throws(Refusal) {
        guard words.isEmpty, options.isEmpty else { throw .syntax }
        guard !isOutsideLimits else { throw .range }
    }

    // MARK: Leaves

    private mutating func nextWord() throws(Refusal) -> String {
        guard hasArguments else { throw .syntax }
        return words.removeFirst()
    }

    private func token(in text: String) throws(Refusal) -> String {
        guard (1...limits.tokenBytes).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 >= 0x21 && $0 <= 0x7E && $0 != UInt8(ascii: "=") })
        else { throw .syntax }
        return text
    }

    private mutating func number(in text: String, _ allowed: ClosedRange<Int64>) throws(Refusal) -> Int64 {
        within(allowed, try value(of: text, isSigned: allowed.lowerBound < 0))
    }

    /// The number if it is allowed, else notes the fault and gives a harmless one.
    private mutating func within(_ allowed: ClosedRange<Int64>, _ number: Int64) -> Int64 {
        if allowed.contains(number) { return number }
        isOutsideLimits = true
        return allowed.lowerBound
    }

    private func value(of text: String, isSigned: Bool) throws(Refusal) -> Int64 {
        var digits = text.utf8[...]
        let isNegative = isSigned && digits.first == UInt8(ascii: "-")
        if isNegative || (isSigned && digits.first == UInt8(ascii: "+")) { digits.removeFirst() }
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { throw .syntax }
        // 10^17 is beyond every limit and far from overflow.
        let value = digits.reduce(Int64(0)) { min($0 * 10 + Int64($1 - 0x30), 100_000_000_000_000_000) }
        return isNegative ? -value : value
    }
}
