// A word of a request, as the framing hands it to the meaning: where it stands, how long it is, and which kinds of
// bytes were seen in it, so that no later step has to look at each byte again.

/// What a byte may be part of. The kinds are bits, so that those of a word's bytes can be gathered with an or.
enum ByteKind {
    /// `!`…`~` but `=`.
    static let token: UInt8 = 0
    static let equals: UInt8 = 1
    /// Outside of the token rule, and with no meaning for the framing.
    static let other: UInt8 = 2
    static let space: UInt8 = 4
    static let carriageReturn: UInt8 = 8
    static let lineFeed: UInt8 = 16

    /// From this one on, a byte may end a word of a line.
    static let firstEnd = space

    static func of(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "="): equals
        case UInt8(ascii: " "): space
        case UInt8(ascii: "\r"): carriageReturn
        case UInt8(ascii: "\n"): lineFeed
        case 0x21...0x7E: token
        default: other
        }
    }
}

/// One word of the request that is being parsed.
@usableFromInline
struct Word {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let length: UInt32
    /// The kinds of its bytes, an or of `ByteKind`.
    let kinds: UInt32

    @inline(__always)
    init(base: UnsafeRawPointer, count: Int, kinds: UInt8) {
        self.base = base
        length = UInt32(truncatingIfNeeded: count)
        self.kinds = UInt32(kinds)
    }

    @inlinable
    var count: Int { Int(length) }

    /// Whether it has a `=`: then it is an option and cannot be a token.
    @inline(__always)
    var isOption: Bool { kinds & UInt32(ByteKind.equals) != 0 }

    @inlinable
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
