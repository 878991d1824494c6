// Announced commands change nothing but time: the right ones, the wrong ones, and those that never come.

import StockModel
import Testing

@testable import StockLedger

@Suite("Announced commands")
struct ExpectationTests {
    @Test("What was announced has the hashes that it would have, and nothing else is mistaken for it")
    func hashes() {
        let text = Array("o-1 o-2 o-3 o-22 phone".utf8)
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            func token(_ offset: Int, _ count: Int) -> Token { Token(base: base + offset, count: count) }
            var ledger = Ledger(hashKey: HashKey(k0: 1, k1: 2))
            let ids = [token(0, 3), token(4, 3), token(8, 3), token(12, 4)]
            let phone = token(17, 5)
            func announceAll() {
                ledger.expectNothing()
                for id in ids { ledger.expect(.lookup(id: id)) }
                ledger.fetchExpected()
            }
            announceAll()
            // The first is passed over, as after a request that was refused by the parser.
            #expect(ledger.hash(of: ids[1]) == ledger.hashKey.hash(ids[1]))
            // A word that starts at an announced place and is longer is another.
            #expect(ledger.hash(of: token(8, 8)) == ledger.hashKey.hash(token(8, 8)))
            #expect(ledger.hash(of: ids[3]) == ledger.hashKey.hash(ids[3]))
            #expect(ledger.hash(of: ids[0]) == ledger.hashKey.hash(ids[0]))
            announceAll()
            ledger.expectNothing()
            #expect(ledger.expected.takeHash(ofID: ids[0]) == nil)

            let line = OrderLine(sku: phone, quantity: 1)
            withUnsafePointer(to: line) { line in
                NewOrder.with(id: ids[0], lines: OrderLines(start: line, count: 1)) { ledger.expect(.deduct($0)) }
            }
            #expect(ledger.expected.known(of: phone).hash == 0, "its order has not come yet")
            #expect(ledger.expected.takeHash(ofID: ids[0]) == ledger.hashKey.hash(ids[0]))
            #expect(ledger.expected.known(of: phone).hash == ledger.hashKey.hash(phone))
            #expect(ledger.expected.known(of: token(17, 4)).hash == 0)
        }
    }

    @Test("More than fit are left out")
    func tooMany() {
        let text = Array(repeating: UInt8(ascii: "x"), count: 100)
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var ledger = Ledger(hashKey: HashKey(k0: 1, k1: 2))
            for place in 0..<100 { ledger.expect(.lookup(id: Token(base: base + place, count: 1))) }
            ledger.fetchExpected()
            #expect(ledger.expected.all.count == ExpectedKeys.capacity)
            #expect(ledger.expected.takeHash(ofID: Token(base: base + 99, count: 1)) == nil)
        }
    }

    @Test("A SKU that sold lately is known without a hash, and is not mistaken once it was dropped and made again")
    func recent() {
        var ledger = Ledger(hashKey: HashKey(k0: 1, k1: 2))
        var events = EventBuffer()
        let text = Array("o-1 o-2 o-3 phone".utf8)
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            let phone = Token(base: base + 12, count: 5)
            func execute(_ command: Command) -> Outcome {
                ledger.execute(command, at: Timestamp(milliseconds: 1), admission: .open, events: &events)
            }
            /// Announces a sale, lets `between` happen, sells; the SKU's ordinal then, 0 for a refusal.
            func sell(_ number: Int, between: () -> Void = {}) -> UInt32 {
                let line = OrderLine(sku: phone, quantity: 1)
                return withUnsafePointer(to: line) { line in
                    NewOrder.with(id: Token(base: base + 4 * number, count: 3), lines: OrderLines(start: line, count: 1)) { order in
                        ledger.expectNothing()
                        ledger.expect(.deduct(order))
                        ledger.fetchExpected()
                        between()
                        guard case .sold = execute(.deduct(order)) else { return 0 }
                        return ledger.resolved[0]
                    }
                }
            }
            func create() { _ = execute(.create(sku: phone, onhand: 5, settings: StockSettings())) }
            create()
            #expect(ledger.stocks.guess(phone) == 0)
            #expect(sell(0) == 1)
            #expect(ledger.stocks.guess(phone) == 1)
            #expect(sell(1, between: { _ = execute(.drop(sku: phone)) }) == 0, "the guess is of a SKU that is gone")
            create()
            #expect(ledger.stocks.guess(phone) == 1, "nobody has looked for it since")
            #expect(sell(1) == 2)
            #expect(ledger.stocks.guess(phone) == 2)
            #expect(sell(2) == 2)
        }
    }
}
