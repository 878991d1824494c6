// A look ahead. In a deep pipeline the requests behind the one that is answered are already there, and the memory that
// their ids lead to can be fetched while there is other work. Only a hint: what a request means is the parser's to say.

import StockModel

extension RequestParser {
    /// The second word of the request in line framing at `offset`, in nearly all requests an id or a SKU, and where the
    /// next line begins; `nil` when the line is not whole, is no line, or has no second word.
    ///
    /// Complexity: O(line), eight bytes at a time.
    public func glance(
        in bytes: UnsafeRawBufferPointer, from offset: Int
    ) -> (word: Token, next: Int)? {
        guard let base = bytes.baseAddress, offset < bytes.count,
            bytes[offset] != UInt8(ascii: "*")
        else { return nil }
        let end = bytes.count
        var place = firstByte(in: base, from: offset, to: end) { Self.bytes(in: $0, below: 0x21) }
        guard place < end, bytes[place] == UInt8(ascii: " ") else { return nil }
        let start = place + 1
        place = firstByte(in: base, from: start, to: end) { Self.bytes(in: $0, below: 0x21) }
        guard place < end, place > start, place - start <= Limits.tokenLength else { return nil }
        let word = Token(base: base + start, count: place - start)
        place = firstByte(in: base, from: place, to: end) { Self.bytes(in: $0 ^ 0x0A0A_0A0A_0A0A_0A0A, below: 1) }
        guard place < end else { return nil }
        return (word, place + 1)
    }

    /// The first place whose byte `marks` has its high bit set; `end` when there is none.
    @inline(__always)
    private func firstByte(
        in base: UnsafeRawPointer, from start: Int, to end: Int, marks: (UInt64) -> UInt64
    ) -> Int {
        var place = start
        while place &+ 8 <= end {
            let found = marks(base.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            if found != 0 { return place &+ found.trailingZeroBitCount >> 3 }
            place &+= 8
        }
        while place < end {
            // One byte, with seven behind it that are never marked.
            let byte = UInt64(base.load(fromByteOffset: place, as: UInt8.self))
            if marks(byte | 0x7F7F_7F7F_7F7F_7F00) & 0x80 != 0 { return place }
            place &+= 1
        }
        return end
    }

    /// The high bit of each byte that is less than `limit` (at most 128); the lowest one set is exact (Anderson, "Bit
    /// Twiddling Hacks", determine if a word has a byte less than n).
    @inline(__always)
    private static func bytes(in word: UInt64, below limit: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101 &* limit) & ~word & 0x8080_8080_8080_8080
    }
}
