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
    @inline(__always)
    public mutating func combine(_ token: Token) { token.forEachWord { combine($0) } }

    @inlinable
    public func finish() -> UInt64 {
        let product = (state ^ 0x8ebc_6af0_9c88_c6e3).multipliedFullWidth(by: 0x5895_58f4_11b5_9d0b)
        return product.high ^ product.low
    }
}

/// Hashes one item as it was and as it will be. A step of a hash has to wait for the multiplication of the step before it;
/// side by side, two hashes take hardly longer than one.
@frozen
public struct ItemHasherPair {
    @usableFromInline var before: ItemHasher
    @usableFromInline var after: ItemHasher

    @inlinable
    public init(_ kind: ItemKind) {
        before = ItemHasher(kind)
        after = ItemHasher(kind)
    }

    /// A field that changes.
    @inlinable
    @inline(__always)
    public mutating func combine(_ old: UInt64, _ new: UInt64) {
        before.combine(old)
        after.combine(new)
    }

    /// A field that stays.
    @inlinable
    @inline(__always)
    public mutating func combine(_ value: UInt64) { combine(value, value) }

    @inlinable
    @inline(__always)
    public mutating func combine(_ value: Int64) { combine(UInt64(bitPattern: value)) }

    @inlinable
    @inline(__always)
    public mutating func combine(_ token: Token) { token.forEachWord { combine($0) } }

    @inlinable
    public func finish() -> (before: UInt64, after: UInt64) { (before.finish(), after.finish()) }
}

/// The kinds of items that the state consists of.
public enum ItemKind: UInt8, Sendable {
    case sku = 1
    case order, operation, buyerCount, ledger
}

extension Token {
    /// What is hashed of a token: its length, then its bytes, eight at a time.
    @inlinable
    @inline(__always)
    func forEachWord(_ body: (UInt64) -> Void) {
        body(UInt64(truncatingIfNeeded: count))
        var offset = 0
        while offset &+ 8 <= count {
            body(base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset &+= 8
        }
        if offset < count { body(lastBytes(base, count: count)) }
    }
}

// What is hashed of each kind of item, field by field: memory, replay and database all go through these.
extension ItemHasher {
    /// The fields of a remembered id but its lines. `ttl` is 0 unless a RESERVE began it.
    @inlinable
    public mutating func combineRecord(
        state: IDState, flags: RecordFlags, lineCount: Int, ttl: UInt32, sequence: UInt64, at: Int64, moment: Int64,
        id: Token, buyer: Token?
    ) {
        combine(
            UInt64(state.rawValue) | UInt64(flags.rawValue) << 8 | UInt64(truncatingIfNeeded: lineCount) << 16
                | UInt64(ttl) << 32)
        combine(sequence)
        combine(at)
        combine(moment)
        combine(id)
        if let buyer { combine(buyer) }
    }

    @inlinable
    public mutating func combineLine(ordinal: UInt32, asked: Int64, sold: Int64, returned: Int64) {
        combine(UInt64(ordinal))
        combine(asked)
        combine(sold)
        combine(returned)
    }

    /// A whole SKU, its buyers' counts aside.
    @inlinable
    public mutating func combineSKU(_ row: SKURow) {
        combine(UInt64(row.ordinal) | (row.isDropped ? 1 << 32 : 0) | (row.settings.paused ? 1 << 33 : 0))
        combine(row.key)
        combine(row.onhand)
        combine(row.held)
        combine(row.sold)
        combine(row.settled)
        combine(row.loaded)
        combine(row.settings.floor)
        combine(row.settings.limit)
        combine(row.settings.opens)
        combine(row.settings.closes)
    }

    /// The units that one buyer has of one SKU.
    @inlinable
    public mutating func combineBuyer(ordinal: UInt32, units: Int64, buyer: Token) {
        combine(UInt64(ordinal))
        combine(units)
        combine(buyer)
    }

    /// What a ledger remembers beside its items: SKUs ever created, and what it has forgotten.
    public mutating func combineLedger(newestOrdinal: UInt32, forgottenBy: Timestamp, forgottenCount: UInt64) {
        combine(UInt64(newestOrdinal))
        combine(forgottenBy.milliseconds)
        combine(forgottenCount)
    }
}

/// Of a remembered id, what changes when an order ends or is prolonged.
@frozen
public struct RecordHead {
    public var state: IDState
    public var sequence: UInt64
    public var moment: Int64

    @inlinable
    public init(state: IDState, sequence: UInt64, moment: Int64) {
        self.state = state
        self.sequence = sequence
        self.moment = moment
    }
}

// The same fields in the same order as `ItemHasher` has them.
extension ItemHasherPair {
    /// A remembered id whose head changes.
    @inlinable
    @inline(__always)
    public mutating func combineRecord(
        _ old: RecordHead, _ new: RecordHead, flags: RecordFlags, lineCount: Int, ttl: UInt32, at: Int64, id: Token,
        buyer: Token?
    ) {
        let kept = UInt64(flags.rawValue) << 8 | UInt64(truncatingIfNeeded: lineCount) << 16 | UInt64(ttl) << 32
        combine(UInt64(old.state.rawValue) | kept, UInt64(new.state.rawValue) | kept)
        combine(old.sequence, new.sequence)
        combine(at)
        combine(UInt64(bitPattern: old.moment), UInt64(bitPattern: new.moment))
        combine(id)
        if let buyer { combine(buyer) }
    }

    @inlinable
    @inline(__always)
    public mutating func combineLine(ordinal: UInt32, asked: Int64, sold: Int64, returned: Int64) {
        combine(UInt64(ordinal))
        combine(asked)
        combine(sold)
        combine(returned)
    }
}
