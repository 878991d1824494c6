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

    mutating func put(_ value: UInt64) {
        var buffer: (UInt64, UInt64, UInt64) = (0, 0, 0)
        let bytes = withUnsafeMutableBytes(of: &buffer) { digits -> Int in
            var rest = value
            var position = digits.count
            repeat {
                position -= 1
                digits[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest != 0
            let count = digits.count - position
            next.copyMemory(from: digits.baseAddress.unsafelyUnwrapped + position, byteCount: count)
            return count
        }
        next += bytes
    }
}
