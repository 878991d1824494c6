// Verbs and option names are found by one load of eight bytes, folded to capitals, and one probe of a small table.
// The table is made once, when the parser is.

import StockModel

/// Up to 32 keywords of 1…9 letters, each with what it stands for.
struct Keywords<Value>: ~Copyable {
    private struct Entry {
        /// The first eight letters, little endian, padded with zeros; 0: the slot is free.
        var letters: UInt64 = 0
        /// The ninth letter, if there is one.
        var ninth: UInt8 = 0
        var value: Value?
    }

    private static var slots: Int { 64 }
    private let entries: UnsafeMutablePointer<Entry>

    init() {
        entries = .allocate(capacity: Self.slots)
        entries.initialize(repeating: Entry(), count: Self.slots)
    }

    deinit {
        entries.deallocate()
    }

    mutating func insert(_ name: StaticString, value: Value) {
        let count = name.utf8CodeUnitCount
        invariant(count >= 1 && count <= 9, "a keyword has 1 to 9 letters")
        let base = UnsafeRawPointer(name.utf8Start)
        let letters = Self.letters(base, count: count, readable: count)
        var slot = Self.slot(letters)
        while entries[slot].letters != 0 { slot = (slot &+ 1) & (Self.slots - 1) }
        entries[slot] = Entry(letters: letters, ninth: Self.ninth(base, count: count), value: value)
    }

    /// What the keyword stands for that these bytes spell, in any mixture of cases.
    ///
    /// - Parameter readable: bytes from `base` on that may be looked at, at least `count`.
    @inline(__always)
    func find(_ base: UnsafeRawPointer, count: Int, readable: Int) -> Value? {
        guard count >= 1, count <= 9 else { return nil }
        let letters = Self.letters(base, count: count, readable: readable)
        let ninth = Self.ninth(base, count: count)
        var slot = Self.slot(letters)
        while true {
            let entry = entries[slot]
            if entry.letters == letters && entry.ninth == ninth { return entry.value }
            if entry.letters == 0 { return nil }
            slot = (slot &+ 1) & (Self.slots - 1)
        }
    }

    /// Clearing this bit makes a small letter a capital and leaves a capital as it is; no other byte becomes one.
    private static var caseBit: UInt8 { 0x20 }

    @inline(__always)
    private static func letters(_ base: UnsafeRawPointer, count: Int, readable: Int) -> UInt64 {
        var word: UInt64 = 0
        if readable >= 8 {
            word = UInt64(littleEndian: base.loadUnaligned(as: UInt64.self))
            if count < 8 { word &= (1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1 }
        } else {
            for index in 0..<min(count, 8) {
                let letter = UInt64(base.load(fromByteOffset: index, as: UInt8.self))
                word |= letter &<< UInt64(truncatingIfNeeded: index &* 8)
            }
        }
        return word & ~(0x0101_0101_0101_0101 &* UInt64(caseBit))
    }

    @inline(__always)
    private static func ninth(_ base: UnsafeRawPointer, count: Int) -> UInt8 {
        count == 9 ? base.load(fromByteOffset: 8, as: UInt8.self) & ~caseBit : 0
    }

    /// Fibonacci hashing: the top six bits of a product with 2^64 divided by the golden ratio.
    @inline(__always)
    private static func slot(_ letters: UInt64) -> Int {
        Int(truncatingIfNeeded: (letters &* 0x9E37_79B9_7F4A_7C15) &>> 58)
    }
}
