// Seeded random requests: words that mean something in both framings, and bytes that mean nothing at all.

import SeededRandom
import StockModel
import StockWire
import Testing

@Suite("Random requests")
struct RandomTests {
    private static let vocabulary = [
        "a", "b", "sku-7", "o-1", "1", "0", "-1", "+5", "007", "1000000000000", "1000000000001", "9000000000000000",
        "15m", "30d", "31d", "1ms", "x=", "=x", "buyer=ann", "BUYER=bob", "buyer=a=b", "born=5", "born=x", "late=1",
        "late=2", "reason=r", "force=1", "floor=-2", "limit=3", "opens=4", "closes=0", "paused=1", "if=5", "id=c",
        "sku=a", "prefix=p", "after=9", "count=10", "count=0", "colour=red", "3", "AUTH", "SETNAME", "GET", "SETINFO",
        "COUNT", "\u{E9}", "99999999999999999999999",
    ]

    @Test("The same words give the same request in both framings", arguments: [1, 2, 3, 4] as [UInt64])
    func sameInBoth(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var parser = RequestParser(hashKey: testKey)
        let verbs = Verb.allCases.map { "\($0.name)" } + ["get", "Deduct", "NOSUCH", "a=b"]
        for _ in 0..<5_000 {
            var words = [verbs.randomElement(using: &generator)!]
            for _ in 0..<Int.random(in: 0...9, using: &generator) {
                words.append(Self.vocabulary.randomElement(using: &generator)!)
            }
            let separator = String(repeating: " ", count: Int.random(in: 1...3, using: &generator))
            let line = words.joined(separator: separator)
            let asLine = parseAll(Array((line + "\n").utf8), with: &parser)
            let asArray = parseAll(array(words.map { Array($0.utf8) }), with: &parser)
            #expect(asLine == asArray, "\(line)")
            #expect(asLine.count == 1)
        }
    }

    @Test("Garbage never traps, always moves on, and is never echoed outside of the token rule", arguments: [11, 12] as [UInt64])
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var parser = RequestParser(hashKey: testKey)
        let pieces = Self.vocabulary + ["*", "$", "*1\r\n", "*2\r\n$3\r\nGET\r\n$1\r\n", "\r\n", "\n", " ", "\r", "DEDUCT ", "MGET ", "RESERVE o 5m "]
        for _ in 0..<2_000 {
            var bytes: [UInt8] = []
            while bytes.count < 500 {
                if Bool.random(using: &generator) {
                    bytes += Array(pieces.randomElement(using: &generator)!.utf8)
                } else {
                    bytes.append(UInt8(truncatingIfNeeded: generator.next()))
                }
            }
            // `parseAll` checks that each item but the last consumes something.
            for item in parseAll(bytes, with: &parser) where item.hasPrefix("-") {
                #expect(item.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
            }
        }
    }
}
