// Cuts the bytes of a connection into replies: lines, and arrays of lines. It does not know what was asked.

/// Collects bytes until a reply is whole.
struct ReplyScanner {
    /// Bytes of one line: the `+ORDER` of 1,024 pairs of longest words has 150,000.
    static let longestLine = 1 << 18
    /// Lines of one array: pages and `MGET` have 1,001 at most, and what else there is has fewer.
    static let mostLines = 1 << 16

    enum Result: Equatable {
        case reply(Reply)
        /// More bytes are needed.
        case incomplete
        /// Not the protocol; nobody can say where the next reply begins.
        case broken(String)
    }

    private var input: [UInt8] = []
    /// Where the line begins that is being looked for.
    private var start = 0
    /// Up to where no line end was found.
    private var scanned = 0
    /// The lines of an array that is under way, and how many there will be.
    private var lines: [ReplyLine] = []
    private var expected: Int?

    /// Adds what the connection has read. `next` is then called until it is `incomplete`.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if start > 0 {
            input.removeSubrange(0..<start)
            scanned -= start
            start = 0
        }
        input.append(contentsOf: bytes)
    }

    /// Whether a reply has begun and is not whole.
    var isAmidReply: Bool { start < input.count || expected != nil }

    mutating func next() -> Result {
        while true {
            guard let line = nextLine() else {
                guard input.count - start <= Self.longestLine else {
                    return .broken("a reply line has more than \(Self.longestLine) bytes")
                }
                return .incomplete
            }
            guard let first = line.bytes.first else { return .broken("an empty reply line") }
            if let expected {
                guard Self.isScalar(first) else { return .broken("an array holds \"\(Self.show(line))\"") }
                lines.append(line)
                if lines.count == expected { return .reply(finishArray()) }
            } else if Self.isScalar(first) {
                return .reply(.line(line))
            } else {
                guard first == UInt8(ascii: "*"), let count = Self.count(line) else {
                    return .broken("not a reply: \"\(Self.show(line))\"")
                }
                expected = count
                if count == 0 { return .reply(finishArray()) }
            }
        }
    }

    private mutating func nextLine() -> ReplyLine? {
        let found = input.withUnsafeBufferPointer { bytes -> Int? in
            var position = scanned
            while position < bytes.count {
                if bytes[position] == UInt8(ascii: "\n") { return position }
                position += 1
            }
            return nil
        }
        guard let newline = found else {
            scanned = input.count
            return nil
        }
        var end = newline
        if end > start, input[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        let line = ReplyLine(Array(input[start..<end]))
        start = newline + 1
        scanned = start
        return line
    }

    private mutating func finishArray() -> Reply {
        let reply = Reply.array(lines)
        lines = []
        expected = nil
        return reply
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ":")
    }

    private static func count(_ line: ReplyLine) -> Int? {
        guard let count = Int(String(decoding: line.bytes.dropFirst(), as: UTF8.self)) else { return nil }
        return (0...mostLines).contains(count) ? count : nil
    }

    private static func show(_ line: ReplyLine) -> String {
        String(decoding: line.bytes.prefix(80), as: UTF8.self)
    }
}
