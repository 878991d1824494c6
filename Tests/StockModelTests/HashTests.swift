// The two hashes: one keyed, for the tables, and one of the items of the state, for the digest.

import StockModel
import Testing

@Suite("Hashes")
struct HashTests {
    let key = HashKey(k0: 0x0706_0504_0302_0100, k1: 0x0f0e_0d0c_0b0a_0908)

    @Test("SipHash-1-3 of nothing is the published value")
    func publishedValue() {
        #expect(key.hash(Words().token("")) == 0xabac_0158_050f_c4dc)
    }

    @Test("Every byte, the length, the key and the number beside it count")
    func everythingCounts() {
        let words = Words()
        var seen: Set<UInt64> = []
        let texts = (0...40).map { String(repeating: "a", count: $0) } + ["b", "ab", "ba", "aaaaaaaab", "baaaaaaaa"]
        for text in texts { seen.insert(key.hash(words.token(text))) }
        for text in texts { seen.insert(HashKey(k0: 1, k1: 2).hash(words.token(text))) }
        for number: UInt64 in [0, 1, 2] {
            for text in texts { seen.insert(key.hash(words.token(text), and: number)) }
        }
        #expect(seen.count == texts.count * 5)
    }

    @Test("Two rows that differ in any one field have different digests")
    func rowsDiffer() {
        let words = Words()
        let base = SKURow(
            ordinal: 1, key: words.token("phone"), onhand: 1, held: 2, sold: 3, settled: 4, loaded: 5,
            settings: SettingsAfter(floor: 6, limit: 7, opens: 8, closes: 9, paused: false), isDropped: false)
        let changes: [(inout SKURow) -> Void] = [
            { _ in }, { $0.ordinal = 2 }, { $0.key = words.token("phones") }, { $0.onhand = 2 }, { $0.held = 3 },
            { $0.sold = 4 }, { $0.settled = 5 }, { $0.loaded = 6 }, { $0.settings.floor = 7 },
            { $0.settings.limit = 8 }, { $0.settings.opens = 9 }, { $0.settings.closes = 10 },
            { $0.settings.paused = true }, { $0.isDropped = true }, { swap(&$0.onhand, &$0.held) },
        ]
        let digests = changes.map { change in
            var row = base
            change(&row)
            return row.digest
        }
        #expect(Set(digests).count == changes.count)
    }
}

@Suite("The last bytes of a run")
struct LastBytesTests {
    @Test("They are those behind the last whole eight, lowest first, and none outside is read", arguments: 0...40)
    func lastBytesOf(count: Int) {
        // A buffer of exactly that size, so that a read outside is a finding of the sanitizer's.
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 1)
        defer { bytes.deallocate() }
        for index in 0..<count { bytes[index] = UInt8(index + 1) }
        var expected: UInt64 = 0
        for index in (count & ~7)..<max(count & ~7, count) { expected |= UInt64(index + 1) << UInt64((index & 7) * 8) }
        #expect(lastBytes(UnsafeRawPointer(bytes.baseAddress!), count: count) == expected)
    }

    @Test("Two runs are equal when all their bytes are", arguments: 1...40)
    func equality(count: Int) {
        let words = Words()
        let text = String(repeating: "a", count: count)
        let token = words.token(text)
        #expect(token == words.token(text))
        for index in 0..<count {
            var other = Array(text.utf8)
            other[index] ^= 1
            #expect(token != words.token(String(decoding: other, as: UTF8.self)))
        }
    }
}
