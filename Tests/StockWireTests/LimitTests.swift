// Every limit of the wire at its edge, from both sides.

import StockModel
import StockWire
import Testing

@Suite("Limits of the wire")
struct LimitTests {
    private func x(_ count: Int) -> String { String(repeating: "x", count: count) }

    @Test("A token has 1 to 128 bytes", arguments: ["GET ", "LOOKUP ", "PING ", "DEDUCT o a 1 buyer=", "CANCEL o reason=", "SKUS prefix="])
    func tokens(start: String) {
        #expect(!parse(start + x(128)).hasPrefix("-"))
        #expect(parse(start + x(129)).hasPrefix("-SYNTAX "))
    }

    @Test("A token has the bytes ! to ~ without =")
    func tokenBytes() {
        for byte in 0...255 {
            let inRule = byte > 0x20 && byte < 0x7F && byte != 0x3D
            let answer = parseAll(array([Array("GET".utf8), [0x61, UInt8(byte), 0x61]]))
            #expect(answer.count == 1)
            #expect(answer[0].hasPrefix("GET ") == inRule, "byte \(byte) gives \(answer)")
            #expect(answer[0].hasPrefix("-SYNTAX ") == !inRule)
        }
    }

    @Test("A line has at most 262144 bytes, whichever its end")
    func lineLength() {
        let most = "GET a" + String(repeating: " ", count: Limits.requestLength - 5)
        for end in ["\n", "\r\n"] {
            #expect(parseAll(Array((most + end).utf8)) == ["GET a"])
            #expect(parseAll(Array((most + " " + end).utf8)) == ["fatal -TOOLONG a request has at most 262144 bytes"])
        }
        #expect(parseAll(Array(most.utf8)) == ["incomplete"])
        #expect(parseAll(Array((most + "\r").utf8)) == ["incomplete"])
        #expect(parseAll(Array((most + " ").utf8))[0].hasPrefix("fatal -TOOLONG"))
        #expect(parseAll(Array((most + "\r ").utf8))[0].hasPrefix("fatal -TOOLONG"))
    }

    @Test("The longest lines are parsed: many words, one word, only blanks")
    func longestLines() {
        let many = "MGET" + String(repeating: " a", count: (Limits.requestLength - 4) / 2)
        #expect(parse(many).hasPrefix("-RANGE"))
        let most = "MGET" + String(repeating: " a", count: Limits.pageEntries)
        #expect(parse(most).count == most.utf8.count)
        #expect(parse(most + " a").hasPrefix("-RANGE"))
        #expect(parse(x(Limits.requestLength)) == "-UNKNOWN")
        #expect(parse(String(repeating: " ", count: Limits.requestLength)) == "ignored")
        #expect(parse(String(repeating: "a ", count: Limits.requestLength / 2)) == "-UNKNOWN a")
    }

    @Test("The arguments of an array have at most 262144 bytes in sum")
    func arrayLength() {
        func words(_ secret: Int) -> [UInt8] {
            array([Array("PING".utf8), Array(x(secret).utf8)])
        }
        #expect(parseAll(words(Limits.requestLength - 4))[0].hasPrefix("-SYNTAX"))
        #expect(parseAll(words(Limits.requestLength - 3))[0].hasPrefix("fatal -TOOLONG"))
        // It is told at once, not when the bytes have come.
        #expect(parseAll(Array("*2\r\n$4\r\nPING\r\n$262141\r\n".utf8))[0].hasPrefix("fatal -TOOLONG"))
        #expect(parseAll(Array("*2\r\n$4\r\nPING\r\n$262140\r\n".utf8)) == ["incomplete"])
    }

    @Test("An array has at most as many words as a line can")
    func arrayWords() {
        let most = Limits.words
        let words = [[UInt8]](repeating: [], count: most)
        #expect(parseAll(array(words)) == ["-UNKNOWN"])
        #expect(parseAll(Array("*\(most)\r\n".utf8)) == ["incomplete"])
        #expect(parseAll(Array("*\(most + 1)\r\n".utf8))[0].hasPrefix("fatal -TOOLONG"))
    }

    @Test("An order has at most 1024 pairs, counted as they are named")
    func pairs() {
        func order(_ pairs: Int, distinct: Int) -> String {
            "DEDUCT o" + (0..<pairs).map { " s\($0 % distinct) 1" }.joined()
        }
        #expect(parse(order(1_024, distinct: 1_024)).hasPrefix("DEDUCT o [s0 1 s1 1 "))
        #expect(parse(order(1_024, distinct: 1)) == "DEDUCT o [s0 1024] buyer=nil born=nil")
        #expect(parse(order(1_025, distinct: 1_025)) == "-RANGE an order has at most 1024 pairs")
        #expect(parse(order(1_025, distinct: 1)) == "-RANGE an order has at most 1024 pairs")
        #expect(parse(order(1_025, distinct: 1) + " x").hasPrefix("-SYNTAX "))
        #expect(parse(order(1_025, distinct: 1) + " x y").hasPrefix("-SYNTAX "))
    }

    @Test("Repeated SKUs are summed at the place of their first mention, however many there are")
    func repeated() {
        for count in [2, 15, 16, 17, 18, 32, 33, 100, 513, 1_024] {
            for distinct in [1, 2, count / 2 + 1, count] {
                let names = (0..<count).map { "sku-\($0 * 7 % distinct)" }
                var expected: [(String, Int)] = []
                for (position, name) in names.enumerated() {
                    if let place = expected.firstIndex(where: { $0.0 == name }) {
                        expected[place].1 += position + 1
                    } else {
                        expected.append((name, position + 1))
                    }
                }
                let pairs = names.enumerated().map { " \($1) \($0 + 1)" }.joined()
                let lines = expected.map { "\($0.0) \($0.1)" }.joined(separator: " ")
                #expect(parse("DEDUCT o" + pairs) == "DEDUCT o [\(lines)] buyer=nil born=nil")
            }
        }
    }

    @Test("A SKU's pairs sum up to 10^12 at most, with few pairs and with many")
    func sums() {
        for others in [0, 40] {
            let rest = (0..<others).map { " s\($0) 1" }.joined()
            #expect(parse("DEDUCT o a 999999999999" + rest + " a 1").hasPrefix("DEDUCT o [a 1000000000000"))
            #expect(parse("DEDUCT o a 999999999999" + rest + " a 2").hasPrefix("-RANGE the pairs of one sku"))
        }
        let full = String(repeating: " a 1000000000000", count: 1_024)
        #expect(parse("DEDUCT o" + full).hasPrefix("-RANGE the pairs of one sku"))
    }

    @Test("A number is taken at its bounds and refused one beyond", arguments: [
        ("DEDUCT o a ", "1", "1000000000000", "0", "1000000000001"),
        ("CREATE a ", "0", "9000000000000000", "0000000000000000000000009000000000000001", "9000000000000001"),
        ("CREATE a 1 floor=", "-9000000000000000", "9000000000000000", "-9000000000000001", "9000000000000001"),
        ("CREATE a 1 limit=", "0", "1000000000000", "99999999999999999999", "1000000000001"),
        ("CREATE a 1 closes=", "0", "9000000000000000", "99999999999999999999", "9000000000000001"),
        ("ADJUST x a ", "-9000000000000000", "9000000000000000", "0", "9000000000000001"),
        ("COUNT a 1 if=", "-9000000000000000", "9000000000000000", "-9000000000000001", "9000000000000001"),
        ("EXTEND o ", "1ms", "2592000000ms", "0ms", "2592000001ms"),
        ("EXTEND o ", "1", "2592000", "0", "2592001"),
        ("EXTEND o ", "1m", "43200m", "0m", "43201m"),
        ("EXTEND o ", "1h", "720h", "0h", "721h"),
        ("EXTEND o ", "1d", "30d", "0d", "31d"),
        ("SKUS count=", "1", "1000", "0", "1001"),
        ("DEDUCT o a 1 born=", "0", "9000000000000000", "99999999999999999999", "9000000000000001"),
    ])
    func numbers(start: String, lowest: String, highest: String, below: String, above: String) {
        #expect(!parse(start + lowest).hasPrefix("-"))
        #expect(!parse(start + highest).hasPrefix("-"))
        #expect(parse(start + below).hasPrefix("-RANGE "))
        #expect(parse(start + above).hasPrefix("-RANGE "))
        // Leading zeros change nothing.
        let zeros = String(repeating: "0", count: 90)
        let padded = highest.hasPrefix("-") ? "-" + zeros + highest.dropFirst() : zeros + highest
        #expect(parse(start + padded) == parse(start + highest))
    }

    @Test("A secret has at most 1024 bytes, in an array of any kind")
    func secrets() {
        #expect(parse("AUTH " + x(1_024)) == "AUTH nil/" + x(1_024))
        #expect(parse("AUTH " + x(1_025)).hasPrefix("-SYNTAX "))
        #expect(parseAll(array([Array("AUTH".utf8), Array("a b\r\n\0=".utf8)])) == ["AUTH nil/a b\r\n\0="])
    }
}
