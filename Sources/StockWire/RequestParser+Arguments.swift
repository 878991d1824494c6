// The steps that the verbs share: how many words there are, one token, one number, the options at the end.

import StockModel

extension RequestParser {
    // MARK: How many

    @inline(__always)
    func exactly(_ count: Int) throws(Complaint) {
        guard wordCount == count else { throw .usage }
    }

    @inline(__always)
    func atLeast(_ count: Int) throws(Complaint) {
        guard wordCount >= count else { throw .usage }
    }

    // MARK: Tokens

    /// The token rule. The bytes were looked at by the framing.
    @inline(__always)
    func isToken(_ word: Word) -> Bool {
        word.seen.kinds == ByteKind.token && word.length >= 1 && word.length <= UInt32(Limits.tokenLength)
    }

    /// The word at `index` as a token.
    @inline(__always)
    func token(_ index: Int, _ field: Field) throws(Complaint) -> Token {
        guard index < wordCount else { throw .usage }
        let word = words[index]
        guard isToken(word) else { throw .form(field) }
        return Token(base: word.base, count: word.count)
    }

    /// The last word, at `index`, if there is one.
    func optionalToken(_ index: Int, _ field: Field) throws(Complaint) -> Token? {
        guard wordCount <= index + 1 else { throw .usage }
        return wordCount > index ? try token(index, field) : nil
    }

    /// All words from `index` on, at least one.
    mutating func tokens(from index: Int, _ field: Field) throws(Complaint) -> TokenList {
        try atLeast(index + 1)
        lendsWords = true
        for position in index..<wordCount {
            guard isToken(words[position]) else { throw .form(field) }
        }
        return TokenList(words: UnsafePointer(words + index), count: wordCount - index)
    }

    // MARK: Numbers

    /// Keeps the first complaint about a number out of range until the form of all the rest is known.
    @inline(__always)
    mutating func note(_ complaint: Complaint) {
        if outOfRange == nil { outOfRange = complaint }
    }

    /// The word at `index` as a number within the range of `field`.
    @inline(__always)
    mutating func number(_ index: Int, _ field: Field) throws(Complaint) -> Int64 {
        guard index < wordCount else { throw .usage }
        return try number(words[index].base, count: words[index].count, field)
    }

    @inline(__always)
    mutating func number(_ base: UnsafeRawPointer, count: Int, _ field: Field) throws(Complaint) -> Int64 {
        let value: Int64
        if field.isSigned {
            guard let signed = signedDecimal(base, count: count) else { throw .form(field) }
            value = signed
        } else {
            value = decimal(base, count: count)
            guard value >= 0 else { throw .form(field) }
        }
        return within(field, value)
    }

    /// The word at `index` as a duration in milliseconds.
    @inline(__always)
    mutating func ttl(_ index: Int) throws(Complaint) -> Int64 {
        guard index < wordCount else { throw .usage }
        let value = duration(words[index].base, count: words[index].count)
        guard value >= 0 else { throw .form(.ttl) }
        return within(.ttl, value)
    }

    /// `value`, or, when it is out of range, a complaint noted and the nearest value that is in range.
    @inline(__always)
    private mutating func within(_ field: Field, _ value: Int64) -> Int64 {
        let range = field.range
        if value < range.lowerBound || value > range.upperBound {
            note(.range(field))
            return min(max(value, range.lowerBound), range.upperBound)
        }
        return value
    }

    // MARK: Options

    /// All words from `index` on as options of the kinds in `allowed`, each once.
    @inline(__always)
    mutating func options(from index: Int, allowed: UInt32) throws(Complaint) {
        try atLeast(index)
        if index < wordCount { try someOptions(from: index, allowed: allowed) }
    }

    @inline(never)
    private mutating func someOptions(from index: Int, allowed: UInt32) throws(Complaint) {
        for position in index..<wordCount {
            let word = words[position]
            guard word.isOption else { throw .usage }
            let nameLength = word.seen.nameLength
            guard
                let field = optionNames.find(word.base, count: nameLength, readable: readableEnd - word.base),
                allowed & Options.bit(field) != 0
            else { throw .usage }
            guard options.has & Options.bit(field) == 0 else { throw .optionTwice }
            try option(field, word)
            options.has |= Options.bit(field)
        }
    }

    /// Reads the value of one option into `options`.
    @inline(__always)
    private mutating func option(_ field: Field, _ word: Word) throws(Complaint) {
        let base = word.base + (word.seen.nameLength &+ 1)
        let count = word.count &- word.seen.nameLength &- 1
        switch field {
        case .sku, .id, .buyer, .reason, .prefix:
            options.set(field, try optionToken(field, word, base, count: count))
        case .floor, .limit, .opens, .closes, .born, .ifOnhand, .count:
            options.set(field, try number(base, count: count, field))
        case .after:
            let token = try optionToken(field, word, base, count: count)
            // A word that is no number is still of the form of a page token, but none that was ever given.
            let value = decimal(token.base, count: token.count)
            options.set(field, within(field, value))
        case .force, .late, .paused:
            guard count == 1 else { throw .form(field) }
            let digit = base.load(as: UInt8.self) &- UInt8(ascii: "0")
            guard digit <= 1 else { throw .form(field) }
            options.set(field, Int64(digit))
        case .word, .user, .quantity, .onhand, .delta, .ttl, .version, .database, .secret:
            throw .usage
        }
    }

    /// The value of an option as a token. One more `=` counted as a byte of another kind.
    @inline(__always)
    private func optionToken(
        _ field: Field, _ word: Word, _ base: UnsafeRawPointer, count: Int
    ) throws(Complaint) -> Token {
        guard word.seen.kinds == ByteKind.equals, count >= 1, count <= Limits.tokenLength else { throw .form(field) }
        return Token(base: base, count: count)
    }
}
