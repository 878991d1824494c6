// A token is a word that clients name things by: a SKU, an order id, a buyer. On its way through the server it
// is never a String: it is a view of bytes that stand somewhere else (in the connection's input, in a table, in
// a log frame), so that looking at it costs no allocation and no reference count.

/// A borrowed run of bytes: 1…128 bytes of `!`…`~` without `=` once it has passed the token rule.
///
/// A token is valid as long as the bytes that it points to: those of a `Command` until the call that was given the
/// command returns, those of an `Outcome` until the ledger is called again.
@frozen
public struct Token {
    public let base: UnsafeRawPointer
    public let count: Int

    @inlinable
    public init(base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    @inlinable
    public subscript(index: Int) -> UInt8 {
        base.load(fromByteOffset: index, as: UInt8.self)
    }

    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: count)
    }

    /// A copy as text, for messages and tools; never on a request's way.
    public var text: String {
        String(decoding: bytes, as: UTF8.self)
    }
}

extension Token: Equatable {
    /// Compares bytes, eight at a time.
    @inlinable
    public static func == (a: Token, b: Token) -> Bool {
        guard a.count == b.count else { return false }
        return equalBytes(a.base, b.base, count: a.count)
    }
}

/// Whether two runs of `count` bytes are the same.
@inlinable
@inline(__always)
public func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, count: Int) -> Bool {
    var offset = 0
    while offset &+ 8 <= count {
        if a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        {
            return false
        }
        offset &+= 8
    }
    return offset == count || lastBytes(a, count: count) == lastBytes(b, count: count)
}

/// The last `count % 8` of `count` bytes, the first of them lowest, as one number; 0 when there are none.
///
/// Never reads outside of the bytes. With eight or more of them it is one load: hashing and comparing tokens took a tenth
/// fewer instructions of a sale than with a loop over bytes.
@inlinable
@inline(__always)
public func lastBytes(_ base: UnsafeRawPointer, count: Int) -> UInt64 {
    let rest = count & 7
    if rest == 0 { return 0 }
    if count >= 8 {
        let word = base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        return word &>> UInt64(truncatingIfNeeded: 64 &- rest &* 8)
    }
    if rest >= 4 {
        let low = UInt64(base.loadUnaligned(as: UInt32.self))
        let high = UInt64(base.loadUnaligned(fromByteOffset: rest &- 4, as: UInt32.self))
        return low | high &<< UInt64(truncatingIfNeeded: (rest &- 4) &* 8)
    }
    // One to three bytes: the first, the middle one, the last; some may be the same.
    let first = UInt64(base.load(as: UInt8.self))
    let middle = UInt64(base.load(fromByteOffset: rest &>> 1, as: UInt8.self))
    let last = UInt64(base.load(fromByteOffset: rest &- 1, as: UInt8.self))
    return first | middle &<< UInt64(truncatingIfNeeded: (rest &>> 1) &* 8)
        | last &<< UInt64(truncatingIfNeeded: (rest &- 1) &* 8)
}

/// The token rule: which bytes a SKU, an order id or a buyer may have.
@inlinable
public func isTokenByte(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "=")
}

/// Whether all bytes of a token follow the token rule, eight of them looked at together.
///
/// The tests are those of "Bit Twiddling Hacks" (Sean Eron Anderson) for a byte that is zero or less than another; they say
/// rightly whether there is one, and not always which.
public func hasOnlyTokenBytes(_ token: Token) -> Bool {
    let each: UInt64 = 0x0101_0101_0101_0101
    func anyOther(_ bytes: UInt64) -> UInt64 {
        let orEquals = bytes ^ (each &* UInt64(UInt8(ascii: "=")))
        let orDelete = bytes ^ (each &* 0x7F)
        let blanks = (bytes &- each &* 0x21) & ~bytes
        return (blanks | (orEquals &- each) & ~orEquals | (orDelete &- each) & ~orDelete | bytes) & (each &* 0x80)
    }
    var offset = 0
    var others: UInt64 = 0
    while offset &+ 8 <= token.count {
        others |= anyOther(token.base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        offset &+= 8
    }
    let rest = UInt64(truncatingIfNeeded: token.count &- offset)
    if rest > 0 {
        // Filled up with a byte that tokens have.
        let filling = (each &* UInt64(UInt8(ascii: "A"))) &<< (rest &* 8)
        others |= anyOther(lastBytes(token.base, count: token.count) | filling)
    }
    return others == 0
}
