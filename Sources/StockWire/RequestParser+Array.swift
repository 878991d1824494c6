// Array framing: `*N\r\n` and N times `$length\r\nbytes\r\n`, as every client of Redis sends its commands. A frame
// that is broken cannot be found again, so anything unexpected here is fatal to the connection.

import StockModel

extension RequestParser {
    /// A number of the framing and the line end behind it.
    private enum Header {
        /// `end` is behind the line end.
        case value(Int, end: UnsafeRawPointer)
        case incomplete
        case broken
        case huge
    }

    /// Larger than any length or count that passes the limits, and short enough to be held.
    private static let longestHeader = 9

    mutating func array(from start: UnsafeRawPointer, progress: inout ParseProgress) -> Parsed {
        // A request that came in parts is first walked to its end from where the last part left off, and only then
        // read from its beginning.
        if progress.scanned > 0 {
            switch arguments(from: start, progress: &progress, collecting: false) {
            case .incomplete: return .incomplete
            case .broken(let refusal): return .fatal(refusal)
            case .whole: progress = ParseProgress()
            }
        }
        switch header(start + 1) {
        case .incomplete: return .incomplete
        case .broken:
            guard let end = emptyArray(start) else { return .fatal(Self.brokenArray) }
            return end > readableEnd ? .incomplete : .ignored(consumed: end - start)
        case .huge: return .fatal(Self.tooLong)
        case .value(let count, let end):
            if count == 0 { return .ignored(consumed: end - start) }
            guard count <= Limits.words else { return .fatal(Self.tooLong) }
            progress = ParseProgress()
            progress.scanned = end - start
            progress.argumentsLeft = count
        }
        wordCount = 0
        isArray = true
        switch arguments(from: start, progress: &progress, collecting: true) {
        case .incomplete: return .incomplete
        case .broken(let refusal): return .fatal(refusal)
        case .whole(let end):
            progress = ParseProgress()
            return meaning(consumed: end - start)
        }
    }

    private enum Arguments {
        case whole(end: UnsafeRawPointer)
        /// `progress` stands before the first argument that is not whole.
        case incomplete
        case broken(ParseRefusal)
    }

    /// Walks over the arguments that `progress` says are left.
    @inline(__always)
    private mutating func arguments(
        from start: UnsafeRawPointer, progress: inout ParseProgress, collecting: Bool
    ) -> Arguments {
        var cursor = start + progress.scanned
        var left = progress.argumentsLeft
        var sum = progress.argumentBytes
        defer {
            progress.scanned = cursor - start
            progress.argumentsLeft = left
            progress.argumentBytes = sum
        }
        while left > 0 {
            guard cursor < readableEnd else { return .incomplete }
            guard cursor.load(as: UInt8.self) == UInt8(ascii: "$") else { return .broken(Self.brokenArray) }
            let length: Int
            let base: UnsafeRawPointer
            switch header(cursor + 1) {
            case .incomplete: return .incomplete
            case .broken: return .broken(Self.brokenArray)
            case .huge: return .broken(Self.tooLong)
            case .value(let value, let end):
                length = value
                base = end
            }
            guard sum &+ length <= Limits.requestLength else { return .broken(Self.tooLong) }
            let following = readableEnd - base
            guard following >= length &+ 2 else {
                // A wrong line end is broken as soon as it is seen.
                if following > length, base.load(fromByteOffset: length, as: UInt8.self) != UInt8(ascii: "\r") {
                    return .broken(Self.brokenArray)
                }
                return .incomplete
            }
            guard isLineEnd(base + length) else { return .broken(Self.brokenArray) }
            if collecting {
                words[wordCount] = word(from: base, to: base + length)
                wordCount &+= 1
            }
            cursor = base + (length &+ 2)
            sum &+= length
            left &-= 1
        }
        return .whole(end: cursor)
    }

    /// The word between two places.
    @inline(__always)
    private func word(from base: UnsafeRawPointer, to end: UnsafeRawPointer) -> Word {
        var seen = Seen()
        var window = base
        while window < end {
            var left = marks.of(window, end: end, readableEnd: readableEnd)
            while left != 0 {
                let cursor = window + left.trailingZeroBitCount
                left &= left &- 1
                seen.add(cursor.load(as: UInt8.self), at: cursor - base)
            }
            window += Marks.width
        }
        return Word(base: base, end: end, seen: seen)
    }

    /// The number at `start`: digits without a sign or a leading zero, then `\r\n`.
    @inline(__always)
    private func header(_ start: UnsafeRawPointer) -> Header {
        var cursor = start
        var value = 0
        while cursor < readableEnd {
            let byte = cursor.load(as: UInt8.self)
            let digit = byte &- UInt8(ascii: "0")
            if digit <= 9 {
                if value == 0, cursor > start { return .broken }
                value = value &* 10 &+ Int(digit)
                cursor += 1
                if cursor - start > Self.longestHeader { return .huge }
                continue
            }
            guard cursor > start, byte == UInt8(ascii: "\r") else { return .broken }
            guard cursor + 1 < readableEnd else { return .incomplete }
            guard isLineEnd(cursor) else { return .broken }
            return .value(value, end: cursor + 2)
        }
        return .incomplete
    }

    /// Whether the two bytes at `base` are `\r\n`.
    @inline(__always)
    private func isLineEnd(_ base: UnsafeRawPointer) -> Bool {
        UInt16(littleEndian: base.loadUnaligned(as: UInt16.self)) == 0x0A0D
    }

    /// The end of `*-1\r\n` when what has come of the array at `start` begins like it; beyond `readableEnd` when
    /// more is needed.
    private func emptyArray(_ start: UnsafeRawPointer) -> UnsafeRawPointer? {
        let expected: StaticString = "*-1\r\n"
        let count = min(readableEnd - start, expected.utf8CodeUnitCount)
        guard equalBytes(start, expected.utf8Start, count: count) else { return nil }
        return start + expected.utf8CodeUnitCount
    }

    private static var brokenArray: ParseRefusal {
        ParseRefusal(
            code: .syntax, word: nil,
            explanation: "expected: an array of bulk strings, *N and then N times $length")
    }
}
