// Releasing and forgetting many at once, read ahead, is the same as doing it one after the other.

import StockModel
import Testing

@testable import StockLedger

@Suite("Looking ahead of the clock")
struct LookAheadTests {
    private static let start = Timestamp(milliseconds: 1_763_690_400_000)
    private static let skus = 40
    /// Several batches, the last one not full.
    private static let orders = 7 * RecordsAhead.capacity + 5

    /// A shop whose orders have one to three lines, with and without buyers, of whom some come again for the same SKU.
    private func shop() -> Ledger {
        var options = LedgerOptions()
        options.retention = 1_000
        var ledger = Ledger(hashKey: HashKey(k0: 3, k1: 4), options: options)
        var events = EventBuffer()
        let names = Words((0..<Self.skus).map { "sku-\($0)" })
        for sku in 0..<Self.skus {
            _ = ledger.execute(
                .create(sku: names[sku], onhand: 1_000_000, settings: StockSettings()), at: Self.start, admission: .open,
                events: &events)
        }
        let ids = Words((0..<Self.orders).map { "order-\($0)" })
        let buyers = Words((0..<9).map { "buyer-\($0)" })
        for order in 0..<Self.orders {
            let lines = (0...order % 3).map { OrderLine(sku: names[(order * 7 + $0) % Self.skus], quantity: 1 + Int64($0)) }
            lines.withUnsafeBufferPointer { lines in
                NewOrder.with(id: ids[order], lines: lines, buyer: order.isMultiple(of: 4) ? nil : buyers[order % 9]) { new in
                    // Every fifth is sold at once, and so never released.
                    let command: Command = order.isMultiple(of: 5) ? .deduct(new) : .reserve(new, ttl: 1_000)
                    let outcome = ledger.execute(command, at: Self.start, admission: .open, events: &events)
                    if case .refused = outcome { Issue.record("order \(order) was refused: \(outcome)") }
                }
            }
        }
        // Of every third SKU buyers keep their counts when orders are forgotten. (Orders without a buyer were made before.)
        var limited = StockSettings()
        limited.limit = 1_000_000
        for sku in stride(from: 0, to: Self.skus, by: 3) {
            _ = ledger.execute(
                .configure(sku: names[sku], settings: limited), at: Self.start, admission: .open, events: &events)
        }
        return ledger
    }

    @Test("Holds that are due are released as if one after the other, in events and in state", arguments: [2, 31, 33, 1_000])
    func release(limit: Int) {
        var one = shop()
        var many = shop()
        var oneByOne = EventBuffer()
        var together = EventBuffer()
        let due = Self.start + 1_000
        while one.expire(at: due, limit: 1, events: &oneByOne) == 1 {}
        while many.expire(at: due, limit: limit, events: &together) >= limit {}
        #expect(one.holdCount == 0)
        #expect(many.holdCount == 0)
        #expect(oneByOne.eventCount == Self.orders - Self.orders / 5 - 1)
        #expect(Array(oneByOne.bytes) == Array(together.bytes))
        #expect(one.digest() == many.digest())
        #expect(many.brokenLaw() == nil)
    }

    @Test("No hold is looked at, and none released, before it is due")
    func early() {
        var ledger = shop()
        var events = EventBuffer()
        _ = ledger.expire(at: Self.start + 999, limit: 10_000, events: &events)
        #expect(events.eventCount == 0)
        #expect(ledger.ahead.count == 0)
        #expect(ledger.brokenLaw() == nil)
    }

    @Test("A walk over the laws that is under way goes on over what is released and forgotten", arguments: [1, 50, 150])
    func walk(visited: Int) {
        var ledger = shop()
        var events = EventBuffer()
        ledger.startVerification()
        #expect(ledger.continueVerification(limit: visited) == .more)
        _ = ledger.expire(at: Self.start + 1_000, limit: 100, events: &events)
        _ = ledger.continueVerification(limit: visited)
        _ = ledger.expire(at: Self.start + 1_000, limit: 10_000, events: &events)
        _ = ledger.forget(at: Self.start + 2_000, limit: 10_000, events: &events)
        while true {
            let verification = ledger.continueVerification(limit: 64)
            if verification == .more { continue }
            #expect(verification == .lawful)
            break
        }
    }

    @Test("Orders are forgotten as if one after the other", arguments: [2, 31, 33, 1_000])
    func forget(limit: Int) {
        var one = shop()
        var many = shop()
        var events = EventBuffer()
        let due = Self.start + 1_000
        while one.expire(at: due, limit: 100, events: &events) >= 100 {}
        while many.expire(at: due, limit: 100, events: &events) >= 100 {}
        let over = due + 1_000
        while one.forget(at: over, limit: 1, events: &events) >= 1 {}
        while many.forget(at: over, limit: limit, events: &events) >= limit {}
        #expect(one.orderCount == 0)
        #expect(many.orderCount == 0)
        #expect(many.forgottenCount == UInt64(Self.orders))
        #expect(many.shardDigests() == one.shardDigests())
        #expect(many.brokenLaw() == nil)
    }
}

/// Words that stay where they are.
private final class Words {
    private let bytes: UnsafeMutablePointer<UInt8>
    private var places: [(offset: Int, count: Int)] = []

    init(_ words: [String]) {
        let text = words.flatMap { Array($0.utf8) }
        bytes = .allocate(capacity: text.count)
        bytes.initialize(from: text, count: text.count)
        var offset = 0
        for word in words {
            places.append((offset, word.utf8.count))
            offset += word.utf8.count
        }
    }

    deinit { bytes.deallocate() }

    subscript(index: Int) -> Token { Token(base: bytes + places[index].offset, count: places[index].count) }
}
