// How the parts of an event become bytes: integers, tokens, lines. What an event consists of stands in
// EventBuffer.swift; Protocol/log-format.md has the table and an example.

/// Writes one event at a place that has room for it. The parts of an event follow each other without checks, since
/// `EventBuffer.begin` made room for the longest.
struct EventEncoder {
    /// Five integers of at most 10 bytes.
    static let longestLine = 50

    private let start: UnsafeMutableRawPointer
    private var cursor: UnsafeMutableRawPointer
    private let kind: EventKind
    private var flags: UInt8 = 0

    init(start: UnsafeMutableRawPointer, kind: EventKind) {
        self.start = start
        self.kind = kind
        cursor = start + 4
    }

    /// Fills in length, kind and flags; returns the event's length.
    func finish() -> Int {
        let length = cursor - start
        invariant(length <= Int(UInt16.max), "the largest event, of 1,024 lines, fits its length field")
        start.storeBytes(of: UInt16(truncatingIfNeeded: length).littleEndian, as: UInt16.self)
        start.storeBytes(of: kind.rawValue, toByteOffset: 2, as: UInt8.self)
        start.storeBytes(of: flags, toByteOffset: 3, as: UInt8.self)
        return length
    }

    @inline(__always)
    mutating func set(_ flag: UInt8, when condition: Bool) {
        if condition { flags |= flag }
    }

    @inline(__always)
    mutating func unsigned(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            cursor.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            cursor += 1
            rest >>= 7
        }
        cursor.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        cursor += 1
    }

    @inline(__always)
    mutating func signed(_ value: Int64) {
        unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    @inline(__always)
    mutating func token(_ token: Token) {
        invariant(token.count <= Int(UInt8.max), "a token's length fits one byte")
        cursor.storeBytes(of: UInt8(truncatingIfNeeded: token.count), as: UInt8.self)
        (cursor + 1).copyMemory(from: token.base, byteCount: token.count)
        cursor += token.count &+ 1
    }

    @inline(__always)
    mutating func optional(_ token: Token?, flag: UInt8) {
        guard let token else { return }
        flags |= flag
        self.token(token)
    }

    @inline(__always)
    mutating func optional(_ time: Timestamp?, flag: UInt8) {
        guard let time else { return }
        flags |= flag
        signed(time.milliseconds)
    }

    @inline(__always)
    mutating func line(_ line: EventLine) {
        unsigned(UInt64(line.ordinal))
        signed(line.quantity)
        signed(line.after.onhand)
        signed(line.after.held)
        signed(line.after.sold)
    }

    @inline(__always)
    mutating func lines(_ lines: EventLines) {
        unsigned(UInt64(lines.count))
        for line in lines { self.line(line) }
    }

    mutating func settings(_ settings: SettingsAfter) {
        signed(settings.floor)
        signed(settings.limit)
        signed(settings.opens)
        signed(settings.closes)
        set(EventFlags.first, when: settings.paused)
    }
}
