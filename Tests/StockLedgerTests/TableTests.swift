// The tables under the ledger, each compared with something simple that does the same.

import SeededRandom
import StockModel
import Testing

@testable import StockLedger

@Suite("Tables")
struct TableTests {
    @Test("The arena hands out room that nobody else has, and uses freed room again")
    func arena() {
        var arena = Arena(granuleShift: 4)
        var random = SeededGenerator(seed: 3)
        var live: [(reference: UInt32, size: Int, fill: UInt8)] = []
        for step in 0..<30_000 {
            if live.count > 400 || (!live.isEmpty && Int.random(in: 0..<3, using: &random) == 0) {
                let gone = live.remove(at: Int.random(in: 0..<live.count, using: &random))
                let bytes = UnsafeRawBufferPointer(start: arena.pointer(gone.reference), count: gone.size)
                #expect(bytes.allSatisfy { $0 == gone.fill })
                arena.free(gone.reference, size: gone.size)
            } else {
                let size = step % 50 == 0 ? Int.random(in: 1...21_000, using: &random) : Int.random(in: 1...200, using: &random)
                let reference = arena.allocate(size)
                #expect(reference != 0 && Int(bitPattern: arena.pointer(reference)) % 16 == 0)
                let fill = UInt8(truncatingIfNeeded: step)
                arena.pointer(reference).initializeMemory(as: UInt8.self, repeating: fill, count: size)
                live.append((reference, size, fill))
            }
        }
        let before = arena.bytes
        for record in live { arena.free(record.reference, size: record.size) }
        let again = live.map { arena.allocate($0.size) }
        #expect(arena.bytes == before)
        #expect(Set(again) == Set(live.map(\.reference)))
    }

    @Test("A recent name is guessed by all of its bytes, and the newest note counts")
    func recentNames() {
        let recent = RecentNames()
        let names = (1...300).map { String(repeating: "x", count: $0 % 40) + "\($0)" } + ["\0", "\0\0", "\0\0\0"]
        func with<Result>(_ name: String, _ body: (Token) -> Result) -> Result {
            Array(name.utf8).withUnsafeBytes { body(Token(base: $0.baseAddress!, count: $0.count)) }
        }
        for (index, name) in names.enumerated() {
            with(name) {
                #expect(recent.guess($0) == 0)
                recent.note($0, UInt32(index + 1))
                #expect(recent.guess($0) == UInt32(index + 1))
                recent.note($0, UInt32(index + 1_000))
                #expect(recent.guess($0) == UInt32(index + 1_000))
            }
        }
        // Of so few, hardly two share a place.
        let kept = names.indices.filter { index in with(names[index]) { recent.guess($0) } == UInt32(index + 1_000) }
        #expect(kept.count > names.count * 8 / 10)
    }

    @Test("The index finds what is in it and nothing else, while it grows and shrinks", arguments: [UInt64(1), 2, 3])
    func index(seed: UInt64) {
        var index = ShardedIndex()
        var random = SeededGenerator(seed: seed)
        var present: [UInt32: UInt64] = [:]
        var hashes: [UInt32: UInt64] = [:]
        for step in 0..<60_000 {
            let reference = UInt32.random(in: 1...6_000, using: &random)
            // Few shards and few tags, so that runs, wraps and equal tags happen.
            let hash = hashes[reference] ?? (UInt64.random(in: 0..<3, using: &random) << 56 | UInt64.random(in: 0..<5_000, using: &random))
            hashes[reference] = hash
            let found = index.find(hash) { $0 == reference }
            #expect(found == (present[reference] == nil ? 0 : reference))
            // Grow for a while, then shrink, and so on.
            if found == 0 && (step / 10_000) % 2 == 0 {
                index.insert(hash, reference)
                present[reference] = hash
            } else if found != 0 && (step / 10_000) % 2 == 1 {
                index.remove(hash, reference)
                present[reference] = nil
            }
        }
        #expect(index.count == present.count)
        for (reference, hash) in present { #expect(index.find(hash) { $0 == reference } == reference) }
        var walked: Set<UInt32> = []
        for shard in 0..<Shard.count {
            for position in 0..<index.positions(ofShard: shard) {
                let reference = index.reference(shard: shard, position: position)
                if reference != 0 { #expect(walked.insert(reference).inserted) }
            }
        }
        #expect(walked == Set(present.keys))
    }

    @Test("The wheel hands every hold out on its millisecond, never early", arguments: [UInt64(1), 2, 3, 4])
    func wheel(seed: UInt64) {
        var wheel = TimingWheel()
        var random = SeededGenerator(seed: seed)
        var due: [UInt32: Int64] = [:]
        var slots: [UInt32: UInt32] = [:]
        var now: Int64 = 1_763_690_400_000
        var next: UInt32 = 1
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let spans: [Int64] = [3, 300, 70_000, 20_000_000, Limits.longestHold]
                let at = now + Int64.random(in: 1...(spans.randomElement(using: &random) ?? 3), using: &random)
                slots[next] = wheel.insert(next, due: Timestamp(milliseconds: at), now: Timestamp(milliseconds: now))
                due[next] = at
                next += 1
            case 5:
                guard let order = due.keys.min() else { continue }
                wheel.remove(slots[order] ?? 0)
                due[order] = nil
            case 6:
                guard let order = due.keys.max() else { continue }
                let at = now + Int64.random(in: 1...100_000, using: &random)
                wheel.move(slots[order] ?? 0, due: Timestamp(milliseconds: at))
                due[order] = at
            default:
                let spans: [Int64] = [1, 10, 500, 90_000, 30_000_000]
                now += Int64.random(in: 0...(spans.randomElement(using: &random) ?? 1), using: &random)
                if let step = wheel.nextStep?.milliseconds, let first = due.values.min() { #expect(step <= first) }
                var last = Int64.min
                steps: while true {
                    switch wheel.step(until: Timestamp(milliseconds: now)) {
                    case .idle: break steps
                    case .moved: continue
                    case .due(let slot):
                        let order = wheel.order(at: slot)
                        let at = due[order] ?? .max
                        #expect(at <= now && at >= last)
                        last = at
                        wheel.remove(slot)
                        due[order] = nil
                    }
                }
                #expect(!due.values.contains { $0 <= now })
            }
            #expect(wheel.count == due.count)
        }
    }

    /// Pairs of a buyer and a SKU, in a table that others change between two steps of a sweep.
    @Test("A sweep leaves no pair of a dropped SKU, though the table grows and shrinks meanwhile", arguments: [UInt64(1), 2, 3, 4])
    func sweep(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var buyers = BuyerCounts(hashKey: HashKey(k0: seed, k1: ~seed))
        func change(_ number: Int, _ ordinal: UInt32, _ units: Int64) {
            let name = Array("buyer-\(number)".utf8)
            name.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                let buyer = Token(base: base, count: bytes.count)
                _ = buyers.add(units, to: buyer, ordinal, buyers.hash(buyer, ordinal))
            }
        }
        // Ordinals 1 and 2; 1 is dropped when the shards are about to grow.
        let pairs = 256 * 46
        for number in 0..<pairs { change(number, UInt32(1 + number % 2), 1) }
        buyers.startSweep()
        var next = pairs
        var oldest = 1
        while buyers.isSweeping {
            _ = buyers.sweep(limit: 16) { $0 == 1 }
            for _ in 0..<4 {
                // The kept SKU has new buyers, and some of its old ones go.
                change(next * 2 + 1, 2, 1)
                next += 1
                if random.next() % 3 == 0 {
                    change(oldest, 2, -1)
                    oldest += 2
                }
            }
        }
        var left = 0
        buyers.forEach { _, ordinal, _ in if ordinal == 1 { left += 1 } }
        #expect(left == 0)
        #expect(buyers.count > 0)
    }
}
