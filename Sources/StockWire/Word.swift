// A word of a request, as the framing hands it to the meaning: where it stands, how long it is, and which kinds of
// bytes were seen in it, so that no later step has to look at each byte again.

import CMachine

/// What was seen in a word, but for bytes of tokens (`!`…`~` but `=`). The kinds are bits, so that they can be gathered
/// with an or.
enum ByteKind {
    static let token: UInt8 = 0
    static let equals: UInt8 = 1
    static let other: UInt8 = 2
}

/// One word of the request that is being parsed.
@usableFromInline
struct Word {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let length: UInt32
    let seen: Seen

    @inline(__always)
    init(base: UnsafeRawPointer, end: UnsafeRawPointer, seen: Seen) {
        self.base = base
        length = UInt32(truncatingIfNeeded: end - base)
        self.seen = seen
    }

    @inlinable
    var count: Int { Int(length) }

    /// Whether it has a `=`: then it is an option and cannot be a token.
    @inline(__always)
    var isOption: Bool { seen.kinds & ByteKind.equals != 0 }

    @inlinable
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}

/// What was seen in a word, so far or at its end: one number, so that a word is two machine words.
struct Seen {
    /// Bytes before the first `=`, shifted by eight, and the kinds of all bytes.
    private var bits: UInt32 = 0

    /// An or of `ByteKind`; every `=` but the first counts as `other`.
    @inline(__always)
    var kinds: UInt8 { UInt8(truncatingIfNeeded: bits) }

    /// Bytes before the first `=`, if there is one.
    @inline(__always)
    var nameLength: Int { Int(bits &>> 8) }

    /// Adds a byte that is not of the kind `token`, `offset` bytes into the word; `Limits.requestLength` fits 24 bits.
    @inline(__always)
    mutating func add(_ byte: UInt8, at offset: Int) {
        if byte == UInt8(ascii: "="), kinds & ByteKind.equals == 0 {
            bits |= UInt32(truncatingIfNeeded: offset) &<< 8 | UInt32(ByteKind.equals)
        } else {
            bits |= UInt32(ByteKind.other)
        }
    }
}

/// Which of the next bytes are not of the kind `token`, 64 of them in one go. A pass over marks takes a `DEDUCT` of 36 bytes
/// a third of the instructions of a pass over words, and that a half of those of a pass over bytes.
struct Marks: ~Copyable {
    static let width = 64
    /// Bytes that end within 64, where they may be read beyond their end.
    private let tail: UnsafeMutableRawPointer

    init() {
        tail = .allocate(byteCount: Marks.width, alignment: Marks.width)
        tail.initializeMemory(as: UInt8.self, repeating: 0, count: Marks.width)
    }

    deinit {
        tail.deallocate()
    }

    /// A bit for each of the `width` bytes from `start` on, the first of them lowest; none from `end` on.
    ///
    /// - Parameters:
    ///   - end: behind `start`.
    ///   - readableEnd: the end of the bytes that may be looked at, not before `end`.
    @inline(__always)
    func of(_ start: UnsafeRawPointer, end: UnsafeRawPointer, readableEnd: UnsafeRawPointer) -> UInt64 {
        let marks = readableEnd - start >= Marks.width ? cmachine_marks(start) : ofTail(start, count: readableEnd - start)
        return end - start >= Marks.width ? marks : marks & ((1 &<< UInt64(truncatingIfNeeded: end - start)) &- 1)
    }

    @inline(never)
    private func ofTail(_ start: UnsafeRawPointer, count: Int) -> UInt64 {
        tail.copyMemory(from: start, byteCount: count)
        return cmachine_marks(tail)
    }
}
