// The bytes that end a run of token bytes, found 64 at a time and one by one.

import CMachine
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
                let isMarked = ByteKind.of(byte) != ByteKind.token
                #expect(cmachine_marks(bytes) == (isMarked ? 1 << UInt64(place) : 0))
                #expect(cmachine_marks_portable(bytes) == cmachine_marks(bytes))
                bytes[place] = UInt8(ascii: "a")
            }
        }
    }

    @Test("Random bytes are marked alike", arguments: [UInt64(1), 2, 3])
    func randomBytes(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        for _ in 0..<2_000 {
            let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(cmachine_marks(bytes) == cmachine_marks_portable(bytes))
        }
    }
}
