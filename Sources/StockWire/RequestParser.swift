// The parser turns a connection's unread bytes into requests. First the framing (a line, or an array as clients of
// Redis send it) cuts a request into words; then the meaning (RequestParser+Meaning.swift) makes one `Request` of
// the words, the same for both framings. One parser serves a whole loop: its scratch is reused, so parsing allocates
// nothing, and what a connection must remember of a half-come request fits in its `ParseProgress`.

import StockModel

/// Parses requests in line and array framing. Whatever the bytes, it never traps, and each of its answers but
/// `incomplete` moves on.
public struct RequestParser: ~Copyable {
    /// The words of the request that is being parsed, `wordCount` of them.
    let words: UnsafeMutablePointer<Word>
    var wordCount = 0
    /// Its lines: distinct SKUs with summed quantities. They stand behind those of the requests of the same batch.
    var lines: UnsafeMutablePointer<OrderLine>
    let lineMemory: UnsafeMutablePointer<OrderLine>
    /// The promises of a batch.
    let orders: UnsafeMutablePointer<NewOrder.Content>
    var orderCount = 0
    /// Whether a request is a view of `words`.
    var lendsWords = false
    /// Its options; `options.has` says which.
    var options = Options()
    /// The first number that was of the form but out of range. It waits until the whole request is known to be of
    /// the form, because a request that is not gets `-SYNTAX`.
    var outOfRange: Complaint?
    /// Whether the request came as an array.
    var isArray = false
    /// The end of the bytes that may be looked at.
    var readableEnd: UnsafeRawPointer

    let marks = Marks()
    var verbs = Keywords<Verb>()
    var optionNames = Keywords<Field>()
    var pairTable: PairTable

    /// Room for the words of the longest line, and one more.
    private static let wordCapacity = Limits.words + 1
    /// Room for the lines of the longest order behind those of a batch of ordinary ones.
    static let lineCapacity = 2 * Limits.pairs

    /// - Parameter hashKey: keys the table that finds repeated SKUs in a long order, so that nobody can choose SKUs
    ///   that make it slow.
    public init(hashKey: HashKey) {
        words = .allocate(capacity: Self.wordCapacity)
        readableEnd = UnsafeRawPointer(words)
        lineMemory = .allocate(capacity: Self.lineCapacity)
        lines = lineMemory
        orders = .allocate(capacity: RequestBatch.capacity)
        for verb in Verb.allCases { verbs.insert(verb.name, value: verb) }
        for field in Field.allCases {
            if let name = field.optionName { optionNames.insert(name, value: field) }
        }
        pairTable = PairTable(key: hashKey)
    }

    deinit {
        words.deallocate()
        lineMemory.deallocate()
        orders.deallocate()
    }

    /// The first request of `bytes` from `offset` on.
    ///
    /// - Parameter progress: of the connection that the bytes came from; its offsets count from `offset`. A new
    ///   request begins with a new one, and the parser leaves it new whenever it consumes anything.
    ///
    /// Complexity: each byte is looked at at most four times, however the bytes come.
    public mutating func next(
        in bytes: UnsafeRawBufferPointer, from offset: Int, progress: inout ParseProgress
    ) -> Parsed {
        beginBatch()
        return first(in: bytes, from: offset, progress: &progress)
    }

    /// From here on the scratch of earlier requests is used again.
    mutating func beginBatch() {
        lines = lineMemory
        orderCount = 0
        lendsWords = false
    }

    /// As `next`, in scratch behind that of the requests of the same batch.
    @inline(__always)
    mutating func first(
        in bytes: UnsafeRawBufferPointer, from offset: Int, progress: inout ParseProgress
    ) -> Parsed {
        guard let base = bytes.baseAddress, offset >= 0, offset < bytes.count else { return .incomplete }
        let start = base + offset
        readableEnd = base + bytes.count
        return start.load(as: UInt8.self) == UInt8(ascii: "*")
            ? array(from: start, progress: &progress)
            : line(from: start, progress: &progress)
    }

    // MARK: Line framing

    /// A line longer than this with its line end is too long.
    private static let longestLine = Limits.requestLength + 2

    // Inlined into its callers: a `DEDUCT` of 31 bytes takes 52 ns instead of 63 ns, as the answer is not copied once more.
    @inline(__always)
    private mutating func line(from start: UnsafeRawPointer, progress: inout ParseProgress) -> Parsed {
        let available = readableEnd - start
        // No line end stands beyond `stop` in a line that is not too long.
        let stop = start + min(available, Self.longestLine)
        if progress.scanned > 0 {
            var cursor = start + min(progress.scanned, available)
            while cursor < stop, cursor.load(as: UInt8.self) != UInt8(ascii: "\n") { cursor += 1 }
            if cursor == stop { return lineWithoutEnd(start, stop, &progress) }
        }

        isArray = false
        guard let end = cut(from: start, to: stop) else { return lineWithoutEnd(start, stop, &progress) }
        if end - start > Limits.requestLength, Self.contentLength(start, end) > Limits.requestLength {
            return .fatal(Self.tooLong)
        }
        progress = ParseProgress()
        return meaning(consumed: end - start)
    }

    /// Bytes of a line before its line end.
    private static func contentLength(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer) -> Int {
        let length = end - start
        let hasReturn = length >= 2 && (end - 2).load(as: UInt8.self) == UInt8(ascii: "\r")
        return length - (hasReturn ? 2 : 1)
    }

    /// Cuts a line into words; the place behind its end, or `nil` when that does not come before `stop`.
    // Out of line, so that its counters stay in registers.
    @inline(never)
    private mutating func cut(from start: UnsafeRawPointer, to stop: UnsafeRawPointer) -> UnsafeRawPointer? {
        var word = words
        var wordStart = start
        var seen = Seen()
        var window = start
        while window < stop {
            var left = marks.of(window, end: stop, readableEnd: readableEnd)
            while left != 0 {
                let cursor = window + left.trailingZeroBitCount
                left &= left &- 1
                let byte = cursor.load(as: UInt8.self)
                if byte == UInt8(ascii: " ") {
                    if cursor > wordStart {
                        word.initialize(to: Word(base: wordStart, end: cursor, seen: seen))
                        word += 1
                        seen = Seen()
                    }
                    wordStart = cursor + 1
                    continue
                }
                var end = cursor + 1
                if byte != UInt8(ascii: "\n") {
                    guard byte == UInt8(ascii: "\r") else {
                        seen.add(byte, at: cursor - wordStart)
                        continue
                    }
                    guard end < stop else { return nil }
                    guard end.load(as: UInt8.self) == UInt8(ascii: "\n") else {
                        seen.add(byte, at: cursor - wordStart)
                        continue
                    }
                    end += 1
                }
                if cursor > wordStart {
                    word.initialize(to: Word(base: wordStart, end: cursor, seen: seen))
                    word += 1
                }
                wordCount = word - words
                return end
            }
            window += Marks.width
        }
        return nil
    }

    /// More is to come, or so much has come that no line end can make it short enough.
    private func lineWithoutEnd(
        _ start: UnsafeRawPointer, _ stop: UnsafeRawPointer, _ progress: inout ParseProgress
    ) -> Parsed {
        let length = stop - start
        let mayEnd =
            length <= Limits.requestLength
            || length == Limits.requestLength + 1
                && start.load(fromByteOffset: length - 1, as: UInt8.self) == UInt8(ascii: "\r")
        guard mayEnd else { return .fatal(Self.tooLong) }
        progress.scanned = length
        return .incomplete
    }

    static var tooLong: ParseRefusal {
        ParseRefusal(code: .tooLong, word: nil, explanation: "a request has at most 262144 bytes")
    }
}
