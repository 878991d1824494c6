// The bottom of every reply: bytes and decimal numbers into memory that was reserved for the whole line, so that
// nothing is checked or grown on the way.

import StockModel

/// Writes one reply line into memory that has room for it.
struct LineWriter {
    /// Room that every line has besides its tokens and texts: more than all keys of the longest reply and its ten
    /// numbers of at most 20 digits.
    static let fixedRoom = 448

    /// Where the next byte goes.
    var next: UnsafeMutableRawPointer

    @inline(__always)
    init(next: UnsafeMutableRawPointer) {
        self.next = next
    }

    /// A literal; of known length once inlined, so a few stores.
    @inline(__always)
    mutating func put(_ text: StaticString) {
        next.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        next += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func put(_ token: Token) {
        next.copyMemory(from: token.base, byteCount: token.count)
        next += token.count
    }

    /// Text that is not a literal: whatever is in it, it stays one line.
    mutating func put(cleaned text: String) {
        for byte in text.utf8 {
            next.storeBytes(of: byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte, as: UInt8.self)
            next += 1
        }
    }

    @inline(__always)
    mutating func put(_ value: Int64) {
        if value < 0 {
            next.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
            next += 1
        }
        put(value.magnitude)
    }

    @inline(__always)
    mutating func put(_ value: UInt64) {
        if value < 100_000_000 {
            putLeading(value)
        } else {
            putLong(value)
        }
    }

    /// A number of 9…20 digits.
    private mutating func putLong(_ value: UInt64) {
        let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
        if high < 100_000_000 {
            putLeading(high)
        } else {
            let (highest, middle) = high.quotientAndRemainder(dividingBy: 100_000_000)
            putLeading(highest)
            putEight(middle)
        }
        putEight(low)
    }

    /// A number below 10^8 without leading zeros. Eight bytes are stored; those behind the number are room.
    @inline(__always)
    private mutating func putLeading(_ value: UInt64) {
        let digits = eightDigits(value)
        // The last digit stays, so that 0 is written as `0`.
        let zeros = (digits | 1 &<< 63).trailingZeroBitCount &>> 3
        let text = (digits | 0x3030_3030_3030_3030) &>> UInt64(truncatingIfNeeded: zeros &* 8)
        next.storeBytes(of: text.littleEndian, as: UInt64.self)
        next += 8 &- zeros
    }

    /// A number below 10^8 with its leading zeros.
    @inline(__always)
    private mutating func putEight(_ value: UInt64) {
        next.storeBytes(of: (eightDigits(value) | 0x3030_3030_3030_3030).littleEndian, as: UInt64.self)
        next += 8
    }
}

/// The eight decimal digits of a number below 10^8, the first of them in the lowest byte: it is split into halves
/// three times, each time all parts at once. The factors are reciprocals, exact for parts of that size. A `+SOLD`
/// line of two numbers takes 26 ns with it and 43 ns digit by digit.
@inline(__always)
private func eightDigits(_ value: UInt64) -> UInt64 {
    let (high, low) = value.quotientAndRemainder(dividingBy: 10_000)
    let fours = high | low &<< 32
    let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007F_0000_007F
    let twos = hundreds | (fours &- hundreds &* 100) &<< 16
    let tens = (twos &* 103) &>> 10 & 0x000F_000F_000F_000F
    return tens | (twos &- tens &* 10) &<< 8
}
