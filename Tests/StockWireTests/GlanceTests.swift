// A glance tells the second word of a line and where the next begins, or nothing.

import StockModel
import StockWire
import Testing

@Suite("A glance at what comes next")
struct GlanceTests {
    private func glance(_ text: String, from offset: Int = 0) -> String? {
        let parser = RequestParser(hashKey: HashKey(k0: 1, k1: 2))
        return Array(text.utf8).withUnsafeBytes { bytes in
            parser.glance(in: bytes, from: offset).map { "\($0.word.text) \($0.next)" }
        }
    }

    @Test("The second word and the next line are told, wherever the line stands", arguments: 0..<40)
    func told(padding: Int) {
        let front = String(repeating: "x", count: padding)
        #expect(glance(front + "DEDUCT o-1 phone 2\nPING\n", from: padding) == "o-1 \(padding + 19)")
        #expect(glance(front + "GET phone\n", from: padding) == "phone \(padding + 10)")
        #expect(glance(front + "GET phone\r\n", from: padding) == "phone \(padding + 11)")
        #expect(glance(front + "RESERVE order-0123456789-0123456789 15m a 1\n", from: padding) == "order-0123456789-0123456789 \(padding + 44)")
    }

    @Test("Nothing is told of what is not whole, has no second word, or is an array")
    func nothing() {
        for text in ["", "\n", "PING\n", "GET phone", "GET ", "GET  phone\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "PING\r\n",
            "GET " + String(repeating: "a", count: 129) + "\n"]
        {
            #expect(glance(text) == nil, "\(text)")
        }
    }

    @Test("Bytes of any kind are only looked at within their bounds")
    func garbage() {
        let parser = RequestParser(hashKey: HashKey(k0: 1, k1: 2))
        var state: UInt64 = 5
        for _ in 0..<20_000 {
            let count = Int(state >> 40 & 63)
            let bytes = (0..<count).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return [32, 10, 65, UInt8(truncatingIfNeeded: state >> 33), 13, 128][Int(state >> 60) % 6]
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1
            bytes.withUnsafeBytes { bytes in
                guard let told = parser.glance(in: bytes, from: 0) else { return }
                #expect(told.next <= count && told.word.count >= 1)
                #expect(bytes[told.next - 1] == 10)
            }
        }
    }
}
