// The queue of bytes under replies and requests: numbers, growth, and bytes that leave at the front while others come
// in at the end.

import SeededRandom
import StockModel
import StockWire
import Testing

@Suite("The queue of bytes")
struct ByteQueueTests {
    @Test("Numbers are written as everyone writes them")
    func numbers() {
        var generator = SeededGenerator(seed: 5)
        var values: [Int64] = [0, 1, 9, 10, 99, 100, .max, .min, -1, -10]
        var power: Int64 = 1
        for _ in 0..<19 {
            values += [power - 1, power, power + 1, -power]
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        for bits in 0..<64 { values.append(Int64(bitPattern: generator.next() >> UInt64(bits))) }
        values += Array(0...20_000)
        for value in values { #expect(reply { $0.writeInteger(value) } == ":\(value)") }
        for bits in 0..<64 {
            let value = generator.next() >> UInt64(bits)
            #expect(reply { $0.writeNextPage(token: value) } == "+NEXT \(value)")
        }
    }

    @Test("What comes out is what went in, however it is taken")
    func consuming() {
        var generator = SeededGenerator(seed: 6)
        var output = ByteQueue()
        var expected: [UInt8] = []
        for round in 0..<20_000 {
            let chunk = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            chunk.withUnsafeBytes { output.append($0) }
            expected += chunk
            if round % 3 == 0 {
                let taken = Int.random(in: 0...expected.count, using: &generator)
                #expect(output.bytes.elementsEqual(expected))
                output.consume(taken)
                expected.removeFirst(taken)
            }
            #expect(output.count == expected.count)
            let isEmpty = output.isEmpty
            #expect(isEmpty == expected.isEmpty)
        }
        #expect(output.bytes.elementsEqual(expected))
    }

    @Test("An emptied queue is as good as a new one, whether it keeps its memory or not")
    func emptied() {
        var output = ByteQueue()
        for keeping in [0, 1 << 20] {
            for _ in 0..<1_000 { output.writeSimple("something to send") }
            output.consume(5)
            output.removeAll(keepingCapacity: keeping)
            let isEmpty = output.isEmpty
            #expect(isEmpty)
            output.writeSimple("PONG")
            #expect(output.bytes.elementsEqual(Array("+PONG\r\n".utf8)))
            output.removeAll()
        }
    }
}
