// Where the folder keeps names: bytes that never move, so that a `Token` may point to them and SQLite may read them
// where they stand.

import Glibc
import StockModel

/// Copies of tokens, all given back at once.
struct ByteArena: ~Copyable {
    private static let chunkSize = 1 << 18
    private var chunks: [UnsafeMutableRawPointer] = []
    /// The chunk in use, and the bytes taken of it.
    private var current = -1
    private var used = ByteArena.chunkSize

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// A copy that lives until `removeAll`.
    mutating func copy(_ token: Token) -> Token {
        copy(token.bytes)
    }

    mutating func copy(_ text: String) -> Token {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) -> Token {
        invariant(bytes.count <= ByteArena.chunkSize, "a name is far smaller than a chunk")
        if used + bytes.count > ByteArena.chunkSize {
            current += 1
            used = 0
            if current == chunks.count { chunks.append(.allocate(byteCount: ByteArena.chunkSize, alignment: 16)) }
        }
        let place = chunks[current] + used
        if let base = bytes.baseAddress { place.copyMemory(from: base, byteCount: bytes.count) }
        used += bytes.count
        return Token(base: place, count: bytes.count)
    }

    /// Forgets all copies; keeps some of the memory for the next.
    mutating func removeAll() {
        while chunks.count > 64 { chunks.removeLast().deallocate() }
        current = -1
        used = ByteArena.chunkSize
    }
}

extension Token {
    /// The first eight bytes as a number that sorts like them: most comparisons of names end here.
    var prefix: UInt64 {
        guard count < 8 else { return UInt64(bigEndian: base.loadUnaligned(as: UInt64.self)) }
        var value: UInt64 = 0
        for index in 0..<8 { value = value << 8 | (index < count ? UInt64(self[index]) : 0) }
        return value
    }

    /// Byte order, as SQLite compares text.
    func precedes(_ other: Token) -> Bool {
        let order = memcmp(base, other.base, min(count, other.count))
        return order == 0 ? count < other.count : order < 0
    }
}
