// Reads back what EventBuffer wrote: for replay, for `log dump`, for the archive. The bytes come from a file, so
// nothing is believed: every length is checked before it is used, and every number before it is counted with.

/// Bytes that are not events as `EventBuffer` writes them.
public struct MalformedEvent: Error, Equatable, CustomStringConvertible {
    /// Where in the payload the event begins.
    public let offset: Int
    public let problem: String

    public var description: String { "malformed event at byte \(offset) of the payload: \(problem)" }
}

/// Walks over the events of one frame's payload.
///
/// The events' tokens point into the payload and their lines into the reader: an event is valid until the next one
/// is read. For events that are to stay, somebody else gives the place for their lines.
public struct EventReader: ~Copyable {
    private let payload: UnsafeRawBufferPointer
    /// Where the next event begins.
    public private(set) var offset = 0
    /// Lines that were put into the place that was given.
    public private(set) var keptLines = 0
    private let lines: UnsafeMutablePointer<EventLine>
    private let lineCapacity: Int
    private let keepsLines: Bool

    // The event that is being read.
    private var cursor = 0
    private var end = 0
    private var flags: UInt8 = 0

    /// - Parameter payload: whole events, as `EventBuffer.bytes` gave them; they must outlive the reader.
    public init(_ payload: UnsafeRawBufferPointer) {
        self.payload = payload
        lines = .allocate(capacity: Limits.pairs)
        lineCapacity = Limits.pairs
        keepsLines = false
    }

    /// A reader whose events are valid as long as the payload and `place`, which has room for `lineLimit(of:)` lines.
    public init(_ payload: UnsafeRawBufferPointer, keepingLinesIn place: UnsafeMutableBufferPointer<EventLine>) {
        self.payload = payload
        lines = place.baseAddress ?? .allocate(capacity: 1)
        lineCapacity = place.count
        keepsLines = place.baseAddress != nil
    }

    deinit {
        if !keepsLines { lines.deallocate() }
    }

    /// No payload of so many bytes has more lines: each takes a byte for each of its five numbers.
    public static func lineLimit(of bytes: Int) -> Int { bytes / 5 }

    /// The next event, or `nil` at the end of the payload.
    public mutating func next() throws(MalformedEvent) -> Event? {
        guard offset < payload.count else { return nil }
        guard payload.count - offset >= 4 else { throw malformed("shorter than its head") }
        let length = Int(UInt16(littleEndian: payload.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        guard length >= 4, length <= payload.count - offset else { throw malformed("a length beyond the payload") }
        guard let kind = EventKind(rawValue: payload[offset + 2]) else {
            throw malformed("kind \(payload[offset + 2]) is not known to this version")
        }
        flags = payload[offset + 3]
        cursor = offset + 4
        end = offset + length
        let event = try parts(of: kind)
        guard cursor == end else { throw malformed("bytes left over") }
        offset = end
        return event
    }

    private mutating func parts(of kind: EventKind) throws(MalformedEvent) -> Event {
        switch kind {
        case .created:
            return .created(ordinal: try ordinal(), sku: try token(), onhand: try counter(), settings: try settings())
        case .adjusted:
            return .adjusted(
                id: try token(), line: try line(), forced: has(EventFlags.first), reason: try reason())
        case .counted:
            return .counted(
                id: has(EventFlags.id) ? try token() : nil, line: try line(), forced: has(EventFlags.first))
        case .configured:
            return .configured(ordinal: try ordinal(), settings: try settings())
        case .transferred:
            return .transferred(id: try token(), from: try line(), to: try line())
        case .dropped:
            return .dropped(ordinal: try ordinal())
        case .deducted:
            return .deducted(id: try token(), lines: try eventLines(), buyer: try buyer(), born: try born())
        case .reserved:
            return .reserved(
                id: try token(), lines: try eventLines(), buyer: try buyer(), born: try born(),
                ttl: try duration(), expires: try time())
        case .confirmed:
            return .confirmed(id: try token(), lines: try eventLines(), late: has(EventFlags.first))
        case .cancelled:
            return .cancelled(id: try token(), lines: try eventLines(), reason: try reason())
        case .emptyCancelled:
            return .emptyCancelled(id: try token(), born: try born(), reason: try reason())
        case .extended:
            return .extended(id: try token(), expires: try time())
        case .returned:
            return .returned(
                key: try token(), order: try token(), lines: try eventLines(), whole: has(EventFlags.first),
                complete: has(EventFlags.second))
        case .expired:
            return .expired(id: try token(), lines: try eventLines())
        case .forgot:
            return .forgot(through: try unsigned(), endedBy: try time(), count: try unsigned())
        }
    }

    // MARK: Parts

    private func malformed(_ problem: String) -> MalformedEvent {
        MalformedEvent(offset: offset, problem: problem)
    }

    private func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

    @inline(__always)
    private mutating func unsigned() throws(MalformedEvent) -> UInt64 {
        // Most numbers have one byte.
        if cursor < end, payload[cursor] < 0x80 {
            cursor &+= 1
            return UInt64(payload[cursor &- 1])
        }
        return try longUnsigned()
    }

    private mutating func longUnsigned() throws(MalformedEvent) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard cursor < end else { throw malformed("a number runs out of the event") }
            let byte = payload[cursor]
            cursor &+= 1
            guard shift < 63 || byte <= 1 else { throw malformed("a number of more than 64 bits") }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
    }

    private mutating func signed() throws(MalformedEvent) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    private mutating func counter() throws(MalformedEvent) -> Int64 {
        let value = try signed()
        guard value >= -Limits.counter, value <= Limits.counter else { throw malformed("a counter out of range") }
        return value
    }

    private mutating func time() throws(MalformedEvent) -> Timestamp {
        let value = try signed()
        guard value >= -2 * Limits.timestamp, value <= 2 * Limits.timestamp else {
            throw malformed("a time out of range")
        }
        return Timestamp(milliseconds: value)
    }

    private mutating func duration() throws(MalformedEvent) -> Int64 {
        let value = try signed()
        guard value >= Limits.shortestHold, value <= Limits.longestHold else {
            throw malformed("a duration out of range")
        }
        return value
    }

    private mutating func ordinal() throws(MalformedEvent) -> UInt32 {
        guard let value = UInt32(exactly: try unsigned()) else { throw malformed("an ordinal of more than 32 bits") }
        return value
    }

    private mutating func token() throws(MalformedEvent) -> Token {
        guard cursor < end else { throw malformed("a token runs out of the event") }
        let length = Int(payload[cursor])
        guard length >= 1, length <= Limits.tokenLength, length <= end - cursor - 1,
            let base = payload.baseAddress
        else { throw malformed("a token of \(length) bytes") }
        let token = Token(base: base + cursor + 1, count: length)
        guard hasOnlyTokenBytes(token) else { throw malformed("a byte that no token has") }
        cursor += 1 + length
        return token
    }

    private mutating func buyer() throws(MalformedEvent) -> Token? {
        has(EventFlags.buyer) ? try token() : nil
    }

    private mutating func reason() throws(MalformedEvent) -> Token? {
        has(EventFlags.reason) ? try token() : nil
    }

    private mutating func born() throws(MalformedEvent) -> Timestamp? {
        has(EventFlags.born) ? try time() : nil
    }

    private mutating func line() throws(MalformedEvent) -> EventLine {
        EventLine(
            ordinal: try ordinal(), quantity: try movement(),
            after: CountersAfter(onhand: try counter(), held: try counter(), sold: try counter()))
    }

    /// The difference of two counters.
    private mutating func movement() throws(MalformedEvent) -> Int64 {
        let value = try signed()
        guard value >= -2 * Limits.counter, value <= 2 * Limits.counter else {
            throw malformed("a quantity out of range")
        }
        return value
    }

    private mutating func eventLines() throws(MalformedEvent) -> EventLines {
        let count = try unsigned()
        guard count >= 1, count <= Limits.pairs, Int(count) <= lineCapacity &- keptLines else {
            throw malformed("\(count) lines")
        }
        let first = lines + keptLines
        for index in 0..<Int(count) {
            (first + index).initialize(to: try line())
        }
        if keepsLines { keptLines &+= Int(count) }
        return EventLines(start: first, count: Int(count))
    }

    private mutating func settings() throws(MalformedEvent) -> SettingsAfter {
        SettingsAfter(
            floor: try counter(), limit: try counter(), opens: try time().milliseconds,
            closes: try time().milliseconds, paused: has(EventFlags.first))
    }
}
