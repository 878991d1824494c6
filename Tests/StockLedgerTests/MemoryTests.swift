// The memory under the tables: where blocks and tables lie, and what is made ready before it is needed.

import StockModel
import Testing

@testable import StockLedger

@Suite("Memory of the tables")
struct MemoryTests {
    @Test("Blocks are zero, apart from each other, and made ready before they are taken", arguments: [512 << 10, 106_496])
    func blocks(blockBytes: Int) {
        var source = BlockSource(blockBytes: blockBytes)
        var taken: [Range<UInt>] = []
        var ready: [Range<UInt>] = []
        var unreadyAtTaking = 0
        for _ in 0..<400 {
            let block = UnsafeMutableRawBufferPointer(start: source.take(), count: blockBytes)
            #expect(block.allSatisfy { $0 == 0 })
            block.initializeMemory(as: UInt8.self, repeating: 0xA5)
            let range = range(of: UnsafeMutableRawBufferPointer(block))
            #expect(range.lowerBound % 16 == 0)
            if source.bytes > MemoryTests.beginning, !isCovered(range, by: ready) { unreadyAtTaking += 1 }
            taken.append(range)
            while let memory = source.takeUnready() {
                #expect(memory.count > 0 && memory.count <= MappedMemory.hugePage)
                ready.append(self.range(of: memory))
            }
        }
        #expect(source.bytes == 400 * blockBytes)
        #expect(unreadyAtTaking == 0)
        #expect(areApart(taken) && areApart(ready))
        let ahead = ready.reduce(0) { $0 + $1.count } + MemoryTests.beginning - source.bytes
        #expect(ahead < 16 << 20, "no more than a little is made ready beyond what is used")
    }

    /// A store that is smaller touches its memory itself.
    private static let beginning = 9 << 20

    @Test("A small store makes nothing ready")
    func small() {
        var source = BlockSource(blockBytes: 512 << 10)
        for _ in 0..<8 {
            _ = source.take()
            #expect(source.takeUnready() == nil)
        }
        var memory = TableMemory()
        _ = memory.take(8, shard: 0)
        #expect(memory.takeUnready(entries: 8 * 256 * 3 / 4) == nil)
    }

    @Test("Tables of a level are empty and apart, whichever of them are left; the next level is made ready before it is needed")
    func tables() {
        var memory = TableMemory()
        var capacity: UInt32 = 8
        var tables = (0..<Shard.count).map { memory.take(capacity, shard: $0) }
        while capacity < 8_192 {
            let slots = Int(capacity) * Shard.count
            // The first level that is worth it is in use when it is first looked at.
            #expect((memory.takeUnready(entries: slots * 6 / 10) != nil) == (slots * 8 == MappedMemory.hugePage))
            var ready: [Range<UInt>] = []
            while let piece = memory.takeUnready(entries: slots * 3 / 4) { ready.append(range(of: piece)) }
            #expect(areApart(ready))
            var places: [Range<UInt>] = []
            // From the last shard to the first and back: the order does not matter.
            for shard in (0..<Shard.count).sorted(by: { ($0 % 2, $0) < ($1 % 2, $1) }) {
                tables[shard].update(repeating: .max, count: Int(capacity))
                let larger = memory.take(capacity * 2, shard: shard)
                let table = UnsafeMutableRawBufferPointer(start: larger, count: Int(capacity) * 16)
                #expect(table.allSatisfy { $0 == 0 } && Int(bitPattern: larger) % 64 == 0)
                if slots * 8 >= MappedMemory.hugePage { #expect(isCovered(range(of: table), by: ready)) }
                places.append(range(of: table))
                memory.giveBack(capacity, shard: shard)
                tables[shard] = larger
            }
            #expect(areApart(places))
            capacity *= 2
        }
    }

    private func range(of memory: UnsafeMutableRawBufferPointer) -> Range<UInt> {
        let start = UInt(bitPattern: memory.baseAddress)
        return start..<start + UInt(memory.count)
    }

    private func areApart(_ ranges: [Range<UInt>]) -> Bool {
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        return zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound }
    }

    private func isCovered(_ range: Range<UInt>, by ranges: [Range<UInt>]) -> Bool {
        var place = range.lowerBound
        for other in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where other.contains(place) {
            place = other.upperBound
        }
        return place >= range.upperBound
    }
}
