// The steps that are done in memory: bytes to requests, requests to outcomes, outcomes to replies and to events.

import StockLedger
import StockModel
import StockWire

extension MicroBenchmark {
    // MARK: Parse

    static func parsing(_ items: Int) -> [MicroBenchmark] {
        let words = (0..<items).map { number in
            ["DEDUCT", "order-" + Material.padded(number), "sku-" + Material.padded(Material.sku(of: number)), "1"]
        }
        let lines = Bytes(words.flatMap { Array(($0.joined(separator: " ") + "\n").utf8) })
        let arrays = Bytes(
            words.flatMap { words in
                Array(("*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()).utf8)
            })
        return [
            MicroBenchmark(name: "parse-line", what: "a DEDUCT as a line to a request", items: items) { parse(lines) },
            MicroBenchmark(name: "parse-array", what: "a DEDUCT as an array to a request", items: items) { parse(arrays) },
        ]
    }

    private static func parse(_ text: Bytes) -> Int64 {
        var parser = RequestParser(hashKey: Material.key)
        var progress = ParseProgress()
        var offset = 0
        return timed {
            while offset < text.count {
                guard case .request(_, _, let consumed) = parser.next(in: text.bytes, from: offset, progress: &progress)
                else { return invariant(false, "every request of the benchmark is whole") }
                offset += consumed
            }
        }
    }

    // MARK: Decide and apply

    static func deciding(_ items: Int) -> [MicroBenchmark] {
        let orders = Names("order-", items)
        let skus = Names("sku-", Material.skus)
        return [
            MicroBenchmark(name: "decide-deduct", what: "a DEDUCT with a fresh id, decided and applied", items: items) {
                var events = EventBuffer()
                var ledger = Material.shop(skus, events: &events)
                return timed { sell(orders, skus, items, &ledger, &events) }
            },
            MicroBenchmark(name: "decide-retry", what: "a DEDUCT whose id was sold before", items: items) {
                var events = EventBuffer()
                var ledger = Material.shop(skus, events: &events)
                sell(orders, skus, items, &ledger, &events)
                return timed { sell(orders, skus, items, &ledger, &events) }
            },
            MicroBenchmark(name: "decide-hold", what: "a RESERVE and its CONFIRM, decided and applied", items: items) {
                var events = EventBuffer()
                var ledger = Material.shop(skus, events: &events)
                return timed {
                    for number in 0..<items {
                        if number.isMultiple(of: Material.turn) { events.removeAll() }
                        with(orders[number], skus[Material.sku(of: number)]) { order in
                            accept(ledger.execute(.reserve(order, ttl: 900_000), at: Material.start, admission: .open, events: &events))
                            accept(
                                ledger.execute(
                                    .confirm(id: order.id, lines: OrderLines(start: nil, count: 0), late: false), at: Material.start, admission: .open,
                                    events: &events))
                        }
                    }
                }
            },
        ]
    }

    // MARK: Expire

    /// As many SKUs and buyers as holds, so that each release is a wait for memory.
    static func expiring(_ items: Int) -> [MicroBenchmark] {
        let orders = Names("order-", items)
        let skus = Names("sku-", items)
        let buyers = Names("buyer-", items)
        return [
            MicroBenchmark(name: "expire", what: "a hold released, each of another SKU and buyer", items: items) {
                var events = EventBuffer()
                var ledger = Ledger(hashKey: Material.key)
                for number in 0..<items {
                    accept(
                        ledger.execute(
                            .create(sku: skus[number], onhand: Material.stock, settings: StockSettings()),
                            at: Material.start, admission: .open, events: &events))
                    events.removeAll()
                }
                for number in 0..<items {
                    let sku = skus[Int(truncatingIfNeeded: UInt64(number) &* 2_654_435_761 % UInt64(items))]
                    with(orders[number], sku, buyer: buyers[number]) { order in
                        accept(ledger.execute(.reserve(order, ttl: 1_000), at: Material.start, admission: .open, events: &events))
                    }
                    events.removeAll()
                }
                return timed {
                    while ledger.holdCount > 0 {
                        _ = ledger.expire(at: Material.start + 1_000, limit: Material.turn, events: &events)
                        events.removeAll()
                    }
                }
            }
        ]
    }

    /// Sells one unit to each order.
    static func sell(_ orders: Names, _ skus: Names, _ items: Int, _ ledger: inout Ledger, _ events: inout EventBuffer) {
        for number in 0..<items {
            if number.isMultiple(of: Material.turn) { events.removeAll() }
            with(orders[number], skus[Material.sku(of: number)]) { order in
                accept(ledger.execute(.deduct(order), at: Material.start, admission: .open, events: &events))
            }
        }
    }

    @inline(__always)
    static func with(_ id: Token, _ sku: Token, buyer: Token? = nil, _ body: (NewOrder) -> Void) {
        withUnsafeTemporaryAllocation(of: OrderLine.self, capacity: 1) { lines in
            guard let start = lines.baseAddress else { return }
            start.initialize(to: OrderLine(sku: sku, quantity: 1))
            NewOrder.with(id: id, lines: OrderLines(start: start, count: 1), buyer: buyer, body)
        }
    }

    @inline(__always)
    private static func accept(_ outcome: Outcome) {
        if case .refused = outcome { invariant(false, "every request of the benchmark is accepted") }
    }

    // MARK: Encode

    static func encoding(_ items: Int) -> [MicroBenchmark] {
        let orders = Names("order-", 1)
        let skus = Names("sku-", Material.skus)
        return [
            MicroBenchmark(name: "encode-reply", what: "the outcome of a DEDUCT to its reply", items: items) {
                var events = EventBuffer()
                var ledger = Material.shop(skus, events: &events)
                var replies = ByteQueue()
                var time: Int64 = 0
                with(orders[0], skus[0]) { order in
                    let outcome = ledger.execute(.deduct(order), at: Material.start, admission: .open, events: &events)
                    time = timed {
                        for number in 0..<items {
                            if number.isMultiple(of: Material.turn) { replies.removeAll() }
                            replies.write(outcome)
                        }
                    }
                }
                return time
            },
            MicroBenchmark(name: "encode-event", what: "the event of a DEDUCT to the bytes of the log", items: items) {
                var events = EventBuffer()
                let after = CountersAfter(onhand: Material.stock, held: 1, sold: 1)
                return withUnsafeTemporaryAllocation(of: EventLine.self, capacity: 1) { lines in
                    guard let start = lines.baseAddress else { return 0 }
                    start.initialize(to: EventLine(ordinal: 1, quantity: 1, after: after))
                    let event = Event.deducted(
                        id: orders[0], lines: EventLines(start: start, count: 1), buyer: nil, born: nil)
                    return timed {
                        for number in 0..<items {
                            if number.isMultiple(of: Material.turn) { events.removeAll() }
                            events.append(event)
                        }
                    }
                }
            },
        ]
    }
}
