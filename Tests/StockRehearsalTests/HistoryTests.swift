// Rows become orders, and goods that come back find the orders they came from.

import Testing

@testable import StockRehearsal

@Suite("Order history")
struct HistoryTests {
    private static func row(_ order: String, _ sku: String, _ quantity: Int64, time: Int64 = 0, buyer: String = "ann") -> OrderFile.Row {
        OrderFile.Row(order: order, time: time, buyer: buyer, sku: sku, quantity: quantity)
    }

    @Test("Rows of one order belong together wherever they stand, and a time before the last counts as the last")
    func grouping() {
        let orders = OrderHistory([
            Self.row("1", "a", 2, time: 5_000), Self.row("2", "a", 1, time: 9_000), Self.row("1", "b", -3, time: 5_000),
            Self.row("3", "a", 1, time: 7_000),
        ]).orders
        #expect(orders.map(\.id) == ["1", "2", "3"])
        #expect(orders.map(\.offset) == [0, 4_000, 4_000])
        #expect(orders.first?.parts == [[.init(sku: "a", quantity: 2)]])
        #expect(orders.first?.returns == [.init(sku: "b", quantity: 3)])
    }

    @Test("An order of more lines than a request takes is in parts with names of their own")
    func parts() {
        let orders = OrderHistory((0..<1_025).map { Self.row("1", "s-\($0)", 1) }).orders
        #expect(orders.first?.parts.map(\.count) == [1_024, 1])
        #expect((0..<2).map { OrderHistory.id(of: "1", part: $0) } == ["1", "1/2"])
    }

    @Test("A return takes from the newest order of that buyer and SKU first, and never more than was sold")
    func matching() {
        var book = SalesBook()
        book.add(order: "1", buyer: "ann", units: ["a": 5])
        book.add(order: "2", buyer: "ann", units: ["a": 2, "b": 1])
        book.add(order: "3", buyer: "bob", units: ["a": 9])
        #expect(book.take(4, of: "a", from: "ann") == [.init(order: "2", units: 2), .init(order: "1", units: 2)])
        #expect(!book.isGivenBack("2"))
        #expect(book.take(1, of: "b", from: "ann") == [.init(order: "2", units: 1)])
        #expect(book.isGivenBack("2"))
        #expect(book.take(9, of: "a", from: "ann") == [.init(order: "1", units: 3)])
        #expect(book.take(1, of: "a", from: "ann").isEmpty)
        #expect(book.take(1, of: "c", from: "bob").isEmpty)
    }

    @Test("Orders of nobody match no return")
    func nobody() {
        var book = SalesBook()
        book.add(order: "1", buyer: "", units: ["a": 5])
        #expect(book.take(1, of: "a", from: "").isEmpty)
        #expect(!book.isGivenBack("1"))
    }
}

@Suite("Pace and chance")
struct PaceTests {
    @Test("Speeds are read and shown", arguments: ["max", "1x", "60x", "0.5x"])
    func speeds(_ text: String) { #expect(Speed(text)?.description == text) }

    @Test("What is no speed is none", arguments: ["", "x", "0x", "-1x", "60", "nanx", "infx", "1e99x"])
    func noSpeeds(_ text: String) { #expect(Speed(text) == nil) }

    @Test("At 60x an hour of the file takes a minute, and an order is due when the position reaches it")
    func pace() {
        let speed = Speed.times(60)
        #expect(speed.due(at: 3_600_000) == 60_000_000_000)
        #expect(speed.position(after: 60_000_000_000) == 3_600_000)
        #expect(Speed.max.due(at: 3_600_000) == 0)
        #expect(Speed.max.position(after: 0) == .max)
        for offset: Int64 in [1, 7, 999, 123_457] {
            let due = Speed.times(7).due(at: offset)
            #expect(Speed.times(7).position(after: due) >= offset)
        }
    }

    @Test("A time that cannot be reached is as late as can be")
    func farAway() { #expect(Speed.times(1e-9).due(at: .max) == .max) }

    @Test("Shares are percentages", arguments: [("20%", 0.2), ("5", 0.05), ("2.5%", 0.025), ("0%", 0), ("100%", 1)])
    func shares(_ text: String, value: Double) { #expect(Share(text)?.value == value) }

    @Test("What is no share is none", arguments: ["", "%", "-1%", "101%", "nan", "a"])
    func noShares(_ text: String) { #expect(Share(text) == nil) }

    @Test("Chance is the same for the same seed and about as frequent as its share")
    func chance() throws {
        let share = try #require(Share("20%"))
        func picks(_ seed: UInt64) -> [Bool] { (0..<10_000).map { Chance(seed: seed).happens(share, to: "abandon \($0)") } }
        #expect(picks(1) == picks(1))
        #expect(picks(1) != picks(2))
        #expect((1_800...2_200).contains(picks(1).count { $0 }))
        #expect(!(0..<1_000).contains { Chance(seed: 1).happens(.none, to: "\($0)") })
        let all = try #require(Share("100%"))
        #expect((0..<1_000).allSatisfy { Chance(seed: 1).happens(all, to: "\($0)") })
    }
}
