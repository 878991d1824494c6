// The events of one turn, in the bytes that the log keeps. The ledger appends events here and the journal puts its
// frame around them in place and writes once: nothing is copied on the way to the disk.
//
// One event is
//     length   u16, little endian: bytes of the event, this field included
//     kind     u8, `EventKind`
//     flags    u8, `EventFlags`: which optional parts follow
//     parts    in the order of `EventBuffer.append`
// Integers in the parts are LEB128, the signed ones zigzag-coded first (as in DWARF and Protocol Buffers);
// a token is its length in one byte and its bytes; lines are their number and then, each, ordinal, quantity, and
// the SKU's onhand, held and sold after the event. Protocol/log-format.md has the table and an example.

/// Which optional parts an event has, and its yes-or-no facts.
@usableFromInline
enum EventFlags {
    @usableFromInline static let buyer: UInt8 = 1
    @usableFromInline static let born: UInt8 = 2
    @usableFromInline static let reason: UInt8 = 4
    @usableFromInline static let id: UInt8 = 8
    /// adjusted, counted: forced; confirmed: late; returned: whole; created, configured: paused.
    @usableFromInline static let first: UInt8 = 16
    /// returned: complete.
    @usableFromInline static let second: UInt8 = 32
}

/// A growable buffer of encoded events with room before and after them for the journal's frame.
public struct EventBuffer: ~Copyable {
    /// The whole allocation; events start `headroom` bytes in.
    public private(set) var base: UnsafeMutableRawPointer
    private var capacity: Int
    /// Bytes kept free in front of the events.
    public let headroom: Int
    /// Bytes kept free behind them.
    public let tailroom: Int
    /// Bytes of events.
    public private(set) var count = 0
    /// Number of events.
    public private(set) var eventCount = 0

    /// - Parameters:
    ///   - headroom: bytes to keep free in front, a multiple of 8.
    ///   - tailroom: bytes to keep free behind.
    public init(headroom: Int = 0, tailroom: Int = 0, capacity: Int = 65_536) {
        invariant(headroom >= 0 && tailroom >= 0 && capacity > 0, "sizes of an event buffer are not negative")
        self.headroom = headroom
        self.tailroom = tailroom
        self.capacity = capacity
        base = .allocate(byteCount: headroom + capacity + tailroom, alignment: 16)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: headroom)
    }

    deinit {
        base.deallocate()
    }

    /// The encoded events.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + headroom, count: count)
    }

    /// Empties the buffer and keeps its memory, unless one huge turn made it larger than `keeping` bytes.
    public mutating func removeAll(keeping: Int = 4 << 20) {
        count = 0
        eventCount = 0
        if capacity > keeping {
            base.deallocate()
            capacity = 65_536
            base = .allocate(byteCount: headroom + capacity + tailroom, alignment: 16)
            base.initializeMemory(as: UInt8.self, repeating: 0, count: headroom)
        }
    }

    private mutating func reserve(_ needed: Int) {
        if count &+ needed <= capacity { return }
        var larger = capacity
        while larger < count + needed { larger *= 2 }
        let moved = UnsafeMutableRawPointer.allocate(byteCount: headroom + larger + tailroom, alignment: 16)
        moved.copyMemory(from: base, byteCount: headroom + count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    /// Appends one event.
    public mutating func append(_ event: borrowing Event) {
        switch event {
        case .deducted(let id, let lines, let buyer, let born):
            appendDeducted(id: id, lines: lines, buyer: buyer, born: born)
        case .reserved(let id, let lines, let buyer, let born, let ttl, let expires):
            var out = begin(.reserved, lines: lines.count)
            out.token(id)
            out.lines(lines)
            out.optional(buyer, flag: EventFlags.buyer)
            out.optional(born, flag: EventFlags.born)
            out.signed(ttl)
            out.signed(expires.milliseconds)
            end(out)
        case .confirmed(let id, let lines, let late):
            var out = begin(.confirmed, lines: lines.count)
            out.token(id)
            out.lines(lines)
            out.set(EventFlags.first, when: late)
            end(out)
        case .cancelled(let id, let lines, let reason):
            var out = begin(.cancelled, lines: lines.count)
            out.token(id)
            out.lines(lines)
            out.optional(reason, flag: EventFlags.reason)
            end(out)
        case .expired(let id, let lines):
            appendExpired(id: id, lines: lines)
        case .emptyCancelled(let id, let born, let reason):
            var out = begin(.emptyCancelled, lines: 0)
            out.token(id)
            out.optional(born, flag: EventFlags.born)
            out.optional(reason, flag: EventFlags.reason)
            end(out)
        case .extended(let id, let expires):
            var out = begin(.extended, lines: 0)
            out.token(id)
            out.signed(expires.milliseconds)
            end(out)
        case .returned(let key, let order, let lines, let whole, let complete):
            var out = begin(.returned, lines: lines.count)
            out.token(key)
            out.token(order)
            out.lines(lines)
            out.set(EventFlags.first, when: whole)
            out.set(EventFlags.second, when: complete)
            end(out)
        case .forgot(let through, let endedBy, let count):
            var out = begin(.forgot, lines: 0)
            out.unsigned(through)
            out.signed(endedBy.milliseconds)
            out.unsigned(count)
            end(out)
        case .created(let ordinal, let sku, let onhand, let settings):
            var out = begin(.created, lines: 0)
            out.unsigned(UInt64(ordinal))
            out.token(sku)
            out.signed(onhand)
            out.settings(settings)
            end(out)
        case .configured(let ordinal, let settings):
            var out = begin(.configured, lines: 0)
            out.unsigned(UInt64(ordinal))
            out.settings(settings)
            end(out)
        case .adjusted(let id, let line, let forced, let reason):
            var out = begin(.adjusted, lines: 1)
            out.token(id)
            out.line(line)
            out.set(EventFlags.first, when: forced)
            out.optional(reason, flag: EventFlags.reason)
            end(out)
        case .counted(let id, let line, let forced):
            var out = begin(.counted, lines: 1)
            out.optional(id, flag: EventFlags.id)
            out.line(line)
            out.set(EventFlags.first, when: forced)
            end(out)
        case .transferred(let id, let from, let to):
            var out = begin(.transferred, lines: 2)
            out.token(id)
            out.line(from)
            out.line(to)
            end(out)
        case .dropped(let ordinal):
            var out = begin(.dropped, lines: 0)
            out.unsigned(UInt64(ordinal))
            end(out)
        }
    }

    /// As `append(.deducted(…))`. An `Event` has the size of its largest case, and making one for each sale was a
    /// twentieth of all instructions.
    public mutating func appendDeducted(id: Token, lines: EventLines, buyer: Token?, born: Timestamp?) {
        var out = begin(.deducted, lines: lines.count)
        out.token(id)
        out.lines(lines)
        out.optional(buyer, flag: EventFlags.buyer)
        out.optional(born, flag: EventFlags.born)
        end(out)
    }

    /// As `append(.expired(…))`, for the same reason: a million of them may come at once.
    public mutating func appendExpired(id: Token, lines: EventLines) {
        var out = begin(.expired, lines: lines.count)
        out.token(id)
        out.lines(lines)
        end(out)
    }

    /// Room for the largest event with that many lines: fixed part, three tokens, a few integers, then the lines.
    private mutating func begin(_ kind: EventKind, lines: Int) -> EventEncoder {
        invariant(lines <= Limits.pairs, "an event has at most as many lines as a request has pairs")
        reserve(512 &+ lines &* EventEncoder.longestLine)
        return EventEncoder(start: base + (headroom &+ count), kind: kind)
    }

    private mutating func end(_ encoder: EventEncoder) {
        count &+= encoder.finish()
        eventCount &+= 1
    }
}
