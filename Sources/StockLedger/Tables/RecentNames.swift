// What sold a moment ago sells again: most orders of a sale name one of a few thousand SKUs. Their names are found here
// first, by a fingerprint that costs a fifth of the keyed hash, and without a probe of the index.

import StockModel

/// A guess at the ordinal of a name that was found lately. Whoever takes it compares the names: the fingerprint has no key,
/// and two names may share one. All that can be done with chosen names is to make the guesses useless.
struct RecentNames: ~Copyable {
    /// A tag in the high half, an ordinal in the low.
    private let slots: UnsafeMutablePointer<UInt64>

    /// 32 KiB: as much as a core has next to it for a while.
    private static let capacity = 4_096
    private static let shift: UInt64 = 64 - 12

    init() {
        slots = .allocate(capacity: RecentNames.capacity)
        slots.initialize(repeating: 0, count: RecentNames.capacity)
    }

    deinit {
        slots.deallocate()
    }

    /// The ordinal that was noted for this name, or perhaps for another one; 0: none.
    @inline(__always)
    func guess(_ name: Token) -> UInt32 {
        let print = RecentNames.fingerprint(name)
        let slot = slots[Int(truncatingIfNeeded: print &>> RecentNames.shift)]
        return slot &>> 32 == print & 0xFFFF_FFFF ? UInt32(truncatingIfNeeded: slot) : 0
    }

    /// Notes what a name was found to be, in the place of another one.
    @inline(__always)
    func note(_ name: Token, _ ordinal: UInt32) {
        let print = RecentNames.fingerprint(name)
        slots[Int(truncatingIfNeeded: print &>> RecentNames.shift)] = print &<< 32 | UInt64(ordinal)
    }

    /// Multiplications by 2^64 divided by the golden ratio, one for each eight bytes.
    @inline(__always)
    private static func fingerprint(_ name: Token) -> UInt64 {
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var print = UInt64(truncatingIfNeeded: name.count)
        var offset = 0
        while offset &+ 8 <= name.count {
            print = (print ^ name.base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* factor
            print ^= print &>> 32
            offset &+= 8
        }
        print = (print ^ lastBytes(name.base, count: name.count)) &* factor
        return print ^ print &>> 32
    }
}
