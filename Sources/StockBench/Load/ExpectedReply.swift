// What a request's reply must look like, in a form that is checked with one load and one compare: the first bytes
// of the line, up to eight of them.

/// The test of a reply line. A plain value.
struct ExpectedReply: Equatable {
    private let value: UInt64
    private let mask: UInt64
    private let kind: Kind

    private enum Kind: UInt8 { case prefix, number, replay }

    /// `replay=1`, its first byte lowest.
    private static let replayMark: UInt64 = 0x313D_7961_6C70_6572

    /// The line begins with `text`, of which the first eight bytes count.
    static func starts(_ text: StaticString) -> ExpectedReply { ExpectedReply(text, .prefix) }

    /// As `starts`, and the line says that it answers a retry.
    static func replay(_ text: StaticString) -> ExpectedReply { ExpectedReply(text, .replay) }

    /// A RESP number that is not below zero.
    static let number = ExpectedReply(":", .number)

    private init(_ text: StaticString, _ kind: Kind) {
        var value: UInt64 = 0
        var mask: UInt64 = 0
        for index in 0..<min(text.utf8CodeUnitCount, 8) {
            value |= UInt64(text.utf8Start[index]) << (8 * UInt64(index))
            mask |= 0xFF << (8 * UInt64(index))
        }
        self.value = value
        self.mask = mask
        self.kind = kind
    }

    /// Whether `line` (with or without its line end) is such a reply. `limit` is where reading must end: bytes
    /// between the line's end and there are loaded, and ignored.
    @inline(__always)
    func holds(for line: UnsafeRawPointer, count: Int, limit: UnsafeRawPointer) -> Bool {
        let head: UInt64
        if limit - line >= 8 {
            head = UInt64(littleEndian: line.loadUnaligned(as: UInt64.self))
        } else {
            var gathered: UInt64 = 0
            for index in 0..<min(count, 8) {
                gathered |= UInt64(line.load(fromByteOffset: index, as: UInt8.self)) << (8 * UInt64(index))
            }
            head = gathered
        }
        guard head & mask == value else { return false }
        switch kind {
        case .prefix: return true
        case .number: return count > 1 && line.load(fromByteOffset: 1, as: UInt8.self) &- UInt8(ascii: "0") < 10
        case .replay:
            // From the end, where it stands unless the protocol has grown another key.
            var offset = count - 8
            while offset > 0 {
                if UInt64(littleEndian: line.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) == Self.replayMark {
                    return line.load(fromByteOffset: offset - 1, as: UInt8.self) == UInt8(ascii: " ")
                }
                offset -= 1
            }
            return false
        }
    }
}
