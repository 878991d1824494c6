// Comma-separated values as RFC 4180 has them and as spreadsheets write them: fields may stand in quotes, a quote in
// quotes is written twice, lines end in LF or CR LF, and a byte-order mark may come first. What is not of that form
// spoils its own record only: reading goes on with the next line.

/// Reads a file of records, one at a time; memory does not grow with the file.
public struct CSVReader: ~Copyable {
    /// What `next` found.
    public enum Item: Equatable, Sendable {
        /// A record that begins in this line, the first being 1; its fields are there until the next call.
        case record(line: Int)
        /// A record that begins in this line and is none.
        case malformed(line: Int, problem: String)
        case end
    }

    /// A record may have this many bytes; a quote that is never closed must not swallow a whole file.
    public static let longestRecord = 1 << 16

    private let source: ByteSource
    private var buffer: [UInt8] = []
    private var position = 0
    private var hasBegun = false
    private var line = 1
    /// The bytes of all fields of the record, and where each ends.
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    private enum State { case fieldStart, plain, quoted, quoteInQuoted, skipping }

    public init(_ source: ByteSource) {
        self.source = source
    }

    // MARK: The record

    public var fieldCount: Int { ends.count }

    /// The bytes of a field, without its quotes; empty for one that the record does not have.
    public func field(_ index: Int) -> ArraySlice<UInt8> {
        guard ends.indices.contains(index) else { return [] }
        return bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    public func text(_ index: Int) -> String { String(decoding: field(index), as: UTF8.self) }

    // MARK: Reading

    /// Goes on to the next record; empty lines are passed over.
    public mutating func next() throws(ToolError) -> Item {
        if !hasBegun { try begin() }
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        var first = line
        var problem = ""
        var state = State.fieldStart
        while let byte = try nextByte() {
            switch (state, byte) {
            case (.fieldStart, UInt8(ascii: "\"")):
                state = .quoted
            case (.quoted, UInt8(ascii: "\"")):
                state = .quoteInQuoted
            case (.quoted, _):
                if byte == UInt8(ascii: "\n") { line += 1 }
                bytes.append(byte)
                if bytes.count > Self.longestRecord {
                    problem = "a quote that is not closed within \(Self.longestRecord) bytes"
                    state = .skipping
                }
            case (.quoteInQuoted, UInt8(ascii: "\"")):
                bytes.append(byte)
                state = .quoted
            case (_, UInt8(ascii: "\n")), (_, UInt8(ascii: "\r")):
                if byte == UInt8(ascii: "\r") { try skipLineFeed() }
                line += 1
                if state == .skipping { return .malformed(line: first, problem: problem) }
                if state == .fieldStart, ends.isEmpty {
                    first = line
                    continue
                }
                ends.append(bytes.count)
                return .record(line: first)
            case (.skipping, _):
                continue
            case (_, UInt8(ascii: ",")):
                ends.append(bytes.count)
                state = .fieldStart
            case (.quoteInQuoted, _):
                problem = "something follows a closing quote; a quote in quotes is written twice"
                state = .skipping
            case (_, UInt8(ascii: "\"")):
                problem = "a quote in a field that does not begin with one"
                state = .skipping
            default:
                bytes.append(byte)
                state = .plain
                if bytes.count > Self.longestRecord {
                    problem = "more than \(Self.longestRecord) bytes"
                    state = .skipping
                }
            }
        }
        switch state {
        case .fieldStart where ends.isEmpty: return .end
        case .skipping: return .malformed(line: first, problem: problem)
        case .quoted: return .malformed(line: first, problem: "a quote that is never closed")
        default: break
        }
        ends.append(bytes.count)
        return .record(line: first)
    }

    private mutating func begin() throws(ToolError) {
        hasBegun = true
        try source.read(into: &buffer)
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if buffer.starts(with: [0xFF, 0xFE]) || buffer.starts(with: [0xFE, 0xFF]) {
            throw ToolError(.badInput, "\(source.name) is UTF-16; save it as CSV in UTF-8")
        }
    }

    @inline(__always)
    private mutating func nextByte() throws(ToolError) -> UInt8? {
        if position == buffer.count, try !refill() { return nil }
        defer { position &+= 1 }
        return buffer[position]
    }

    private mutating func skipLineFeed() throws(ToolError) {
        if position == buffer.count, try !refill() { return }
        if buffer[position] == UInt8(ascii: "\n") { position += 1 }
    }

    private mutating func refill() throws(ToolError) -> Bool {
        position = 0
        try source.read(into: &buffer)
        return !buffer.isEmpty
    }
}
