// A batch holds what the parser finds one after the other, all of it good at the same time.

import SeededRandom
import StockModel
import StockWire
import Testing

@Suite("A batch of requests")
struct BatchTests {
    /// Everything that `bytes` hold, parsed in batches and told only when each batch is complete.
    private func parseInBatches(_ bytes: [UInt8], with parser: inout RequestParser) -> [String] {
        var items: [String] = []
        var batch = RequestBatch()
        bytes.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                parser.fill(&batch, in: bytes, from: offset, progress: ParseProgress())
                #expect(batch.count >= 1 && batch.count <= RequestBatch.capacity)
                for index in 0..<batch.count {
                    let item = batch[index].pointee
                    items.append(text(item.parsed))
                    guard let consumed = consumed(item.parsed) else { return }
                    #expect(item.end == offset + consumed)
                    offset = item.end
                }
            }
        }
        return items
    }

    @Test("It has the same items as parsing one by one, whatever the bytes", arguments: [21, 22, 23] as [UInt64])
    func sameAsOneByOne(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var parser = RequestParser(hashKey: testKey)
        let pieces = [
            "DEDUCT o-1 phone 1\n", "DEDUCT o-2 phone 2 case 1 phone 3 buyer=ann born=5\r\n", "MGET a b c\n", "\n",
            "RESERVE o-3 15m phone 1\r\n", "GET phone\n", "NOSUCH\n", "CONFIG GET save appendonly\n", "PING", " hello\n",
            "CONFIRM o-1 phone 1 late=1\n", "*2\r\n$3\r\nGET\r\n$5\r\nphone\r\n", "DEDUCT o-4 phone 0\n", "*1\r\n$x",
            "DEDUCT o-5" + String(repeating: " sku 1", count: 600) + "\n",
            "DEDUCT o-6 " + (0..<1_024).map { "s\($0) 1" }.joined(separator: " ") + "\n",
        ]
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...80, using: &generator) {
                bytes += Array(pieces.randomElement(using: &generator)!.utf8)
            }
            bytes.removeLast(Int.random(in: 0...min(5, bytes.count - 1), using: &generator))
            #expect(parseInBatches(bytes, with: &parser) == parseAll(bytes))
        }
    }

    @Test("A request that lends the parser's words is the last of its batch")
    func lentWords() {
        var parser = RequestParser(hashKey: testKey)
        var batch = RequestBatch()
        Array("GET a\nMGET a b\nMGET c d\n".utf8).withUnsafeBytes { bytes in
            parser.fill(&batch, in: bytes, from: 0, progress: ParseProgress())
            #expect(batch.count == 2)
            #expect(text(batch[1].pointee.parsed).contains("a,b"))
        }
    }

    @Test("What a half-come request was looked at is kept until it is whole")
    func progress() {
        var parser = RequestParser(hashKey: testKey)
        var batch = RequestBatch()
        let bytes = Array("GET a\n*2\r\n$3\r\nGET\r\n$5\r\nphone\r\nPING\n".utf8)
        bytes.withUnsafeBytes { bytes in
            parser.fill(&batch, in: UnsafeRawBufferPointer(rebasing: bytes[..<20]), from: 0, progress: ParseProgress())
            #expect(batch.count == 2)
            guard case .incomplete = batch[1].pointee.parsed else {
                Issue.record("the array is not whole")
                return
            }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[batch[0].pointee.end...])
            parser.fill(&batch, in: rest, from: 0, progress: batch.progress)
            #expect(batch.count == 2)
            #expect(text(batch[0].pointee.parsed) == "GET phone")
            #expect(text(batch[1].pointee.parsed).hasPrefix("PING"))
        }
    }
}
