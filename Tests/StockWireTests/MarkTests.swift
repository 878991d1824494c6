// The bytes that end a run of token bytes, found 64 at a time and one by one.

import CMachine
import SeededRandom
import Testing

@testable import StockWire

@Suite("Marked bytes")
struct MarkTests {
    @Test("Each byte is marked or not, wherever it stands, by the instruction and without it")
    func everyByte() {
        for byte in UInt8.min...UInt8.max {
            var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 64)
            for place in 0..<64 {
                bytes[place] = byte
                let isMarked = byte < 0x21 || byte > 0x7E || byte == UInt8(ascii: "=")
                #expect(cmachine_marks(bytes) == (isMarked ? 1 << UInt64(place) : 0))
                #expect(cmachine_marks_portable(bytes) == cmachine_marks(bytes))
                bytes[place] = UInt8(ascii: "a")
            }
        }
    }

    @Test("Random bytes are marked alike", arguments: [UInt64(1), 2, 3])
    func randomBytes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(cmachine_marks(bytes) == cmachine_marks_portable(bytes))
        }
    }

    @Test("Bytes behind the end are not marked, whether they may be read or not")
    func ends() {
        let marks = Marks()
        let bytes = [UInt8](repeating: UInt8(ascii: "="), count: 130)
        for start in 0..<bytes.count {
            for end in (start + 1)...bytes.count {
                // Memory of exactly that size: a look beyond it would be seen by the address sanitizer.
                let expected = end - start >= 64 ? UInt64.max : 1 << UInt64(end - start) - 1
                Array(bytes[start..<end]).withUnsafeBytes { exact in
                    guard let base = exact.baseAddress else { return }
                    let exactEnd = base + exact.count
                    #expect(marks.of(base, end: exactEnd, readableEnd: exactEnd) == expected)
                }
                bytes.withUnsafeBytes { all in
                    guard let base = all.baseAddress else { return }
                    #expect(marks.of(base + start, end: base + end, readableEnd: base + all.count) == expected)
                }
            }
        }
    }

    @Test("Words are cut alike wherever they stand among the 64 bytes that are looked at", arguments: ["\n", "\r\n"])
    func windows(lineEnd: String) {
        for blanks in 0..<140 {
            let gap = String(repeating: " ", count: blanks)
            #expect(parseAll(Array((gap + "DEDUCT o sku 1 buyer=ann" + lineEnd + "GET a\n").utf8))
                == parseAll(Array("DEDUCT o sku 1 buyer=ann\nGET a\n".utf8)))
            let name = String(repeating: "n", count: max(1, min(blanks, 128)))
            #expect(parseAll(Array(("GET " + name + lineEnd + "GET b\n").utf8)) == ["GET \(name)", "GET b"])
            #expect(parseAll(Array((gap + "GET a\rb" + lineEnd).utf8)) == parseAll(Array("GET a\rb\n".utf8)))
            #expect(parseAll(Array((gap + "GET a").utf8)) == ["incomplete"])
        }
    }
}
