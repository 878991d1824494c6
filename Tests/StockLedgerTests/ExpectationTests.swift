// Announced ids change nothing but time: the right ones, the wrong ones, and those that never come.

import StockModel
import Testing

@testable import StockLedger

@Suite("Announced ids")
struct ExpectationTests {
    @Test("An announced id has the hash that it would have, and others are not mistaken for it")
    func hashes() {
        let text = Array("o-1 o-2 o-3 o-22 ".utf8)
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            func token(_ offset: Int, _ count: Int) -> Token { Token(base: base + offset, count: count) }
            var ledger = Ledger(hashKey: HashKey(k0: 1, k1: 2))
            let ids = [token(0, 3), token(4, 3), token(8, 3), token(12, 4)]
            for id in ids { ledger.expect(id, nil) }
            // The first is passed over, as after a request that was refused by the parser.
            #expect(ledger.hash(of: ids[1]) == ledger.hashKey.hash(ids[1]))
            // A word that starts at an announced place and is longer is another.
            #expect(ledger.hash(of: token(8, 8)) == ledger.hashKey.hash(token(8, 8)))
            #expect(ledger.hash(of: ids[3]) == ledger.hashKey.hash(ids[3]))
            #expect(ledger.hash(of: ids[0]) == ledger.hashKey.hash(ids[0]))
            ledger.expectNothing()
            for id in ids { ledger.expect(id, nil) }
            ledger.expectNothing()
            #expect(ledger.expected.takeHash(ofID: ids[0]) == nil)
        }
    }
}
