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
