// Lines, arrays, and bytes that come in pieces: however a request is framed and cut, it is the same request.

import StockModel
import StockWire
import Testing

@Suite("Framing")
struct FramingTests {
    @Test("Blank lines and empty arrays are ignored", arguments: [
        "\n", "\r\n", "   \n", "  \r\n", "*0\r\n", "*-1\r\n",
    ])
    func ignored(bytes: String) {
        #expect(parseAll(Array(bytes.utf8)) == ["ignored"])
        #expect(parseAll(Array((bytes + "PING\n").utf8)) == ["ignored", "PING nil"])
    }

    @Test("Both framings may be mixed, and a refusal does not stop what follows")
    func mixed() {
        let bytes = Array("GET a\n".utf8) + array("GET b") + Array("\r\nNOSUCH\nGET\r\n".utf8) + array("PING c d") + Array("GET e\r\n".utf8)
        #expect(parseAll(bytes) == [
            "GET a", "GET b", "ignored", "-UNKNOWN NOSUCH", "-SYNTAX expected: GET sku",
            "-SYNTAX expected: PING [word]", "GET e",
        ])
    }

    @Test("A broken array is answered once and ends the connection", arguments: [
        "*abc\r\n", "*\r\n", "*1\n", "*1 \r\n", "*+1\r\n", "*01\r\n", "*-2\r\n", "*-\r\n", "*-1\n", "*1\r\nx", "*1\r\n\r\n",
        "*1\r\n*1\r\n", "*1\r\n$abc\r\n", "*1\r\n$\r\n", "*1\r\n$-1\r\n", "*1\r\n$+4\r\nPING\r\n", "*1\r\n$04\r\nPING\r\n",
        "*1\r\n$4\nPING\r\n", "*1\r\n$4\rxPING\r\n", "*1\r\n$4\r\nPINGx\n", "*1\r\n$4\r\nPING\n\n", "*1\r\n$4\r\nPING\rx",
        "*1\r\n$3\r\nPING\r\n", "*1\r\n:4\r\n", "*1\r\n+PING\r\n", "*1\r\n$ 4\r\nPING\r\n", "*1\r\n$00\r\n\r\n",
    ])
    func broken(bytes: String) {
        let answer = parseAll(Array(bytes.utf8) + Array("GET a\n".utf8))
        #expect(answer.count == 1)
        #expect(answer[0].hasPrefix("fatal -SYNTAX expected: an array"), "\(answer)")
    }

    @Test("A length or count beyond every limit is too long, however large it is", arguments: [
        "*131074\r\n", "*99999999\r\n", "*9999999999999999999999\r\n", "*9223372036854775808\r\n",
        "*1\r\n$262145\r\n", "*1\r\n$9999999999999999999999\r\n", "*1\r\n$18446744073709551616\r\n",
    ])
    func huge(bytes: String) {
        #expect(parseAll(Array(bytes.utf8)) == ["fatal -TOOLONG a request has at most 262144 bytes"])
    }

    @Test("A word of an array that breaks the token rule is refused and never echoed", arguments: [
        ["GET", ""], ["GET", "a b"], ["GET", "a\r\nb"], ["PING", "a\nb"], ["DEDUCT", "o", "a", "1 "],
        ["DEDUCT", "o", "a", "1", "buyer=a b"], ["DEDUCT", "o", "a", "1", "buyer=ann\r\n"], ["CANCEL", "o", "reason=\u{E9}"],
        ["DEDUCT", "o", "a", " 1"], ["CONFIG", "GET", "a\nb"],
    ])
    func smuggled(words: [String]) {
        let answer = parseAll(array(words.map { Array($0.utf8) }))
        #expect(answer.count == 1)
        #expect(answer[0].hasPrefix("-SYNTAX expected: "), "\(answer)")
        #expect(!answer[0].contains { $0.isNewline })
    }

    @Test("A verb of an array that breaks the token rule is unknown and never echoed", arguments: ["", "GET a", "GET\r\n", "a=b"])
    func smuggledVerb(verb: String) {
        #expect(parseAll(array([Array(verb.utf8), Array("a".utf8)])) == ["-UNKNOWN"])
    }

    private static let samples = [
        "DEDUCT o-1 a 2 b 1 a 1 buyer=ann born=1763690400000", "RESERVE o-1 15m phone 1", "CONFIRM o-1 a 1 late=1",
        "CREATE a 5 floor=-2 limit=3", "MGET a b c d e f", "PING", "NOSUCH verb", "GET", "DEDUCT o a 0", "SKUS count=5",
        "AUTH user secret", "HELLO 3 AUTH u p SETNAME me", "TRANSFER t a a 1", "DEDUCT o a 1 buyer=a=b",
    ]

    @Test("A request that is cut anywhere is incomplete until it is whole, and then the same")
    func split() {
        for line in Self.samples {
            for bytes in [Array((line + "\n").utf8), Array((line + "\r\n").utf8), array(line)] {
                let whole = parseAll(bytes)
                #expect(whole.count == 1)
                for cut in 0..<bytes.count { #expect(inParts(bytes, cuts: [cut]) == whole) }
                #expect(inParts(bytes, cuts: Array(1..<bytes.count)) == whole)
            }
        }
    }

    @Test("Broken and too long arrays are found byte by byte too")
    func splitBroken() {
        for text in ["*1\r\n$4\r\nPINGx", "*1\r\n$-", "*2\r\n$1\r\na\r\n$x", "*1\r\n$262145\r\n", "*-2"] {
            let bytes = Array(text.utf8)
            let whole = parseAll(bytes)
            #expect(whole.count == 1 && whole[0].hasPrefix("fatal"), "\(text) gives \(whole)")
            #expect(inParts(bytes, cuts: Array(1..<bytes.count)) == whole)
        }
        #expect(inParts(Array("*-1\r\n*0\r\n".utf8), cuts: Array(1..<9)) == ["ignored", "ignored"])
    }

    @Test("A huge request that comes in bit by bit costs no more than its bytes, in either framing", .timeLimit(.minutes(1)))
    func dribbled() {
        // Looked at from the beginning each time, this would be 10^10 steps and run into the time limit.
        let words = 40_000
        let line = "MGET" + String(repeating: " sku", count: words)
        let expected = parse(line)
        #expect(inParts(Array((line + "\n").utf8), cuts: Array(1...line.utf8.count)) == [expected])
        let bytes = array(line)
        #expect(inParts(bytes, cuts: Array(1..<bytes.count)) == [expected])
        let secret = array([Array("PING".utf8), [UInt8](repeating: 0x78, count: 200_000)])
        #expect(inParts(secret, cuts: Array(1..<secret.count))[0].hasPrefix("-SYNTAX"))
        let endless = [UInt8](repeating: 0x78, count: Limits.requestLength + 2)
        #expect(inParts(endless, cuts: Array(1..<endless.count))[0].hasPrefix("fatal -TOOLONG"))
    }

    /// As `parseAll`, but the bytes come in parts that end at `cuts`, each time in other memory.
    private func inParts(_ bytes: [UInt8], cuts: [Int]) -> [String] {
        var parser = RequestParser(hashKey: testKey)
        var items: [String] = []
        var offset = 0
        var progress = ParseProgress()
        bytes.withUnsafeBytes { bytes in
            for cut in cuts + [bytes.count] {
                while offset < cut {
                    // The view ends at the cut: what stands behind it must not be looked at.
                    let view = UnsafeRawBufferPointer(rebasing: bytes[offset..<cut])
                    let parsed = parser.next(in: view, from: 0, progress: &progress)
                    if case .incomplete = parsed { break }
                    items.append(text(parsed))
                    guard let consumed = consumed(parsed) else { return }
                    offset += consumed
                }
            }
        }
        return items
    }
}
