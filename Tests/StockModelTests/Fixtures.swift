// Tokens for tests: a token is a view, so something has to keep its bytes.

import StockModel

/// Keeps the bytes of tokens for as long as a test runs.
final class Words {
    private var kept: [UnsafeMutableRawBufferPointer] = []

    deinit {
        for buffer in kept { buffer.deallocate() }
    }

    func token(_ text: String) -> Token {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(text.utf8.count, 1), alignment: 1)
        buffer.copyBytes(from: Array(text.utf8))
        kept.append(buffer)
        return Token(base: UnsafeRawPointer(buffer.baseAddress!), count: text.utf8.count)
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014): a seed names every value of a test.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
