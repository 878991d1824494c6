// Two copies of the state are the same when their digests are: the sum of a hash of every item, so that it does not
// depend on any order and can be kept up change by change. Memory, replay and database all count with the hashes
// of this file. They are not keyed: a digest compares honest copies, it does not defend against a forger.

/// Hashes one item of the state, a field at a time.
///
/// The mixing step is the folded 64×64→128-bit product of wyhash (Wang Yi, public domain).
@frozen
public struct ItemHasher {
    @usableFromInline var state: UInt64

    /// - Parameter kind: what is hashed, so that items of different kinds with like fields differ.
    @inlinable
    public init(_ kind: ItemKind) {
        state = 0x9e37_79b9_7f4a_7c15 ^ UInt64(kind.rawValue)
    }

    @inlinable
    @inline(__always)
    public mutating func combine(_ value: UInt64) {
        let product = (state ^ value ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db ^ (state << 1 | 1))
        state = product.high ^ product.low ^ value
    }

    @inlinable
    @inline(__always)
    public mutating func combine(_ value: Int64) {
        combine(UInt64(bitPattern: value))
    }

    /// The length and the bytes.
    @inlinable
    public mutating func combine(_ token: Token) {
        combine(UInt64(truncatingIfNeeded: token.count))
        var offset = 0
        while offset &+ 8 <= token.count {
            combine(token.base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset &+= 8
        }
        guard offset < token.count else { return }
        var last: UInt64 = 0
        var shift: UInt64 = 0
        while offset < token.count {
            last |= UInt64(token[offset]) << shift
            shift &+= 8
            offset &+= 1
        }
        combine(last)
    }

    @inlinable
    public func finish() -> UInt64 {
        let product = (state ^ 0x8ebc_6af0_9c88_c6e3).multipliedFullWidth(by: 0x5895_58f4_11b5_9d0b)
        return product.high ^ product.low
    }
}

/// The kinds of items that the state consists of.
public enum ItemKind: UInt8, Sendable {
    case sku = 1
    case order, operation, buyerCount, ledger
}
