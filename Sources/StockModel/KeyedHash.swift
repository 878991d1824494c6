// The hash of the tables. It is keyed, with a key drawn once per store, so that nobody can choose ids that all fall
// into one place; and it is written down in the log and the database, so that shards are the same in each process.

/// The 128-bit key of a store's hash.
public struct HashKey: Equatable, Sendable {
    public var k0: UInt64
    public var k1: UInt64

    public init(k0: UInt64, k1: UInt64) {
        self.k0 = k0
        self.k1 = k1
    }

    /// SipHash-1-3 of `bytes` (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
    ///
    /// Complexity: one round for every 8 bytes, and four more.
    @inlinable
    public func hash(_ bytes: Token) -> UInt64 {
        hash(bytes.base, count: bytes.count, extra: nil)
    }

    /// The hash of a token together with a number, such as a buyer and the ordinal of a SKU.
    @inlinable
    public func hash(_ bytes: Token, and number: UInt64) -> UInt64 {
        hash(bytes.base, count: bytes.count, extra: number)
    }

    @inlinable
    @inline(__always)
    func hash(_ base: UnsafeRawPointer, count: Int, extra: UInt64?) -> UInt64 {
        var state = SipState(key: self)
        if let extra { state.absorb(extra) }
        var offset = 0
        while offset &+ 8 <= count {
            state.absorb(base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset &+= 8
        }
        let length = UInt64(truncatingIfNeeded: count &+ (extra == nil ? 0 : 8))
        state.absorb(length << 56 | lastBytes(base, count: count))
        return state.finish()
    }
}

/// The parts that a store is divided into: of its tables, and of its digest.
public enum Shard {
    public static let count = 256

    /// The shard of a key with this hash: its top byte.
    @inlinable
    @inline(__always)
    public static func of(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 56) }
}

@usableFromInline
struct SipState {
    @usableFromInline var v0: UInt64
    @usableFromInline var v1: UInt64
    @usableFromInline var v2: UInt64
    @usableFromInline var v3: UInt64

    @inlinable
    init(key: HashKey) {
        v0 = key.k0 ^ 0x736f_6d65_7073_6575
        v1 = key.k1 ^ 0x646f_7261_6e64_6f6d
        v2 = key.k0 ^ 0x6c79_6765_6e65_7261
        v3 = key.k1 ^ 0x7465_6462_7974_6573
    }

    @inlinable
    @inline(__always)
    mutating func round() {
        v0 = v0 &+ v1
        v1 = (v1 << 13) | (v1 >> 51)
        v1 ^= v0
        v0 = (v0 << 32) | (v0 >> 32)
        v2 = v2 &+ v3
        v3 = (v3 << 16) | (v3 >> 48)
        v3 ^= v2
        v0 = v0 &+ v3
        v3 = (v3 << 21) | (v3 >> 43)
        v3 ^= v0
        v2 = v2 &+ v1
        v1 = (v1 << 17) | (v1 >> 47)
        v1 ^= v2
        v2 = (v2 << 32) | (v2 >> 32)
    }

    @inlinable
    @inline(__always)
    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    @inlinable
    @inline(__always)
    mutating func finish() -> UInt64 {
        v2 ^= 0xff
        round()
        round()
        round()
        return v0 ^ v1 ^ v2 ^ v3
    }
}
