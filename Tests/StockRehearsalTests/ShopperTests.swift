// A client of a rehearsal as a dialogue: what it asks, what it is told, and what it writes into the books.

import StockConnection
import Testing

@testable import StockRehearsal

@Suite("A shopper")
struct ShopperTests {
    /// A shopper with its books, told what to hear.
    private struct Dialogue {
        var shopper: Shopper
        var account: Account

        /// - Parameter rows: order, buyer, SKU, quantity.
        init(_ rows: [(String, String, String, Int64)], abandon: String = "0%", retry: String = "0%") {
            var options = RehearsalOptions(address: .unix(path: "none"))
            (options.run, options.prefix) = ("r", "p/")
            (options.abandon, options.retry) = (Share(abandon) ?? .none, Share(retry) ?? .none)
            let rows = rows.map { OrderFile.Row(order: $0.0, time: 0, buyer: $0.1, sku: $0.2, quantity: $0.3) }
            shopper = Shopper(OrderHistory(rows).orders, rules: Shopper.Rules(options))
            account = Account(opening: ["a": 10, "b": 10])
        }

        mutating func asks() -> String? { shopper.next(at: 0, now: 7) }

        @discardableResult
        mutating func hears(_ line: String) -> Shopper.Verdict { shopper.take(ReplyLine(line), into: &account) }
    }

    @Test("reserves, confirms, gives back what it has and restocks the rest")
    func wholeLife() {
        var it = Dialogue([("1", "ann", "a", 2), ("1", "ann", "b", 1), ("2", "ann", "a", -3)])
        #expect(it.asks() == "RESERVE r/1 900s p/a 2 p/b 1 buyer=ann born=7")
        it.hears("+HELD r/1 seq=3 expires=9")
        #expect(it.shopper.finished == 0)
        #expect(it.asks() == "CONFIRM r/1")
        it.hears("+SOLD r/1 seq=4")
        #expect(it.shopper.finished == 1)
        #expect(it.asks() == "RETURN r/2-return-1 r/1 p/a 2")
        it.hears("+RETURNED r/2-return-1 seq=5")
        #expect(it.asks() == "ADJUST r/2-return-2 p/a 1 reason=return")
        it.hears("+ADJUSTED r/2-return-2 onhand=11 seq=6")
        #expect(it.asks() == nil)
        #expect(it.shopper.finished == 2)
        #expect(it.shopper.nextOffset == nil)
        #expect(it.account.skus["a"]?.onhand == 11)
        #expect(it.account.skus["a"]?.netSold == 0)
        #expect(it.account.skus["b"]?.onhand == 9)
        #expect(it.account.wrongReplies == 0)
    }

    @Test("never confirms an order that it abandons, and gives nothing back to it")
    func abandoned() {
        var it = Dialogue([("1", "ann", "a", 2), ("2", "ann", "a", -1)], abandon: "100%")
        #expect(it.asks() == "RESERVE r/1 2000ms p/a 2 buyer=ann born=7")
        it.hears("+HELD r/1 seq=3 expires=9 available=8")
        #expect(it.asks() == "ADJUST r/2-return-1 p/a 1 reason=return")
        #expect(it.account.abandoned == 1)
        #expect(it.account.skus["a"]?.abandoned == 2)
        #expect(it.account.sold == 0)
    }

    @Test("counts a refused order by its reason and SKU, and goes on with the next")
    func refused() {
        var it = Dialogue([("1", "", "a", 2), ("1", "", "a", 9), ("1", "", "b", 1), ("2", "", "b", 1)])
        #expect(it.asks() == "RESERVE r/1 900s p/a 2 p/a 9 p/b 1 born=7")
        it.hears("-INSUFFICIENT p/a want=11 available=10 held=0")
        #expect(it.asks()?.hasPrefix("RESERVE r/2 ") == true)
        #expect(it.account.refused == ["INSUFFICIENT": 1])
        #expect(it.account.skus["a"]?.refused == 11)
        #expect(it.account.skus["b"]?.refused == 0)
    }

    @Test("sends every accepted request again when told so, and is content only with the same outcome as a replay")
    func again() {
        var it = Dialogue([("1", "", "a", 2)], retry: "100%")
        let request = it.asks()
        it.hears("+HELD r/1 seq=3 available=8 expires=9")
        #expect(it.asks() == request)
        it.hears("+HELD r/1 seq=3 available=5 expires=9 replay=1")
        #expect(it.account.repeated == 1)
        #expect(it.asks() == "CONFIRM r/1")
        it.hears("+SOLD r/1 seq=4")
        #expect(it.asks() == "CONFIRM r/1")
        it.hears("+SOLD r/1 seq=5")
        #expect(it.account.repeated == 1)
        #expect(it.account.wrongExamples == ["CONFIRM r/1: +SOLD r/1 seq=5"])
        #expect(it.account.sold == 1)
    }

    @Test(
        "finds a retry wrong that is answered otherwise",
        arguments: ["+HELD r/1 seq=4 replay=1", "+HELD r/2 seq=3 replay=1", "+SOLD r/1 seq=3 replay=1", "-CONFLICT r/1 state=held seq=3"])
    func otherwise(_ reply: String) {
        var it = Dialogue([("1", "", "a", 2)], retry: "100%")
        _ = it.asks()
        it.hears("+HELD r/1 seq=3")
        _ = it.asks()
        it.hears(reply)
        #expect(it.account.wrongReplies == 1)
    }

    @Test("takes a replay for an answer only when its first reply was lost")
    func lostReply() {
        var it = Dialogue([("1", "", "a", 2)])
        let request = it.asks()
        #expect(it.shopper.resend() == request)
        it.hears("+HELD r/1 seq=3 replay=1")
        #expect(it.asks() == "CONFIRM r/1")
        it.hears("+SOLD r/1 seq=3 replay=1")
        #expect(it.account.held == 1)
        #expect(it.account.sold == 0)
        #expect(it.account.wrongReplies == 1)
    }

    @Test("finds a promise wrong that is not kept")
    func brokenPromise() {
        var it = Dialogue([("1", "", "a", 2)])
        _ = it.asks()
        it.hears("+HELD r/1 seq=3")
        _ = it.asks()
        it.hears("-SOLDOUT p/a want=2 available=0 held=0")
        #expect(it.account.wrongReplies == 1)
        #expect(it.account.skus["a"]?.sold == 0)
    }

    @Test("keeps its request while the server is busy, and gives up where it takes no orders")
    func busy() {
        var it = Dialogue([("1", "", "a", 2)])
        let request = it.asks()
        #expect(it.hears("-BUSY the disk is behind") == .later)
        #expect(it.shopper.currentRequest == request)
        #expect(it.hears("-READONLY") == .hopeless)
    }

    @Test("begins no order before it is due")
    func due() {
        var options = RehearsalOptions(address: .unix(path: "none"))
        options.speed = .times(1)
        let rows = [0, 500].map { OrderFile.Row(order: "\($0)", time: $0, buyer: "", sku: "a", quantity: 1) }
        var shopper = Shopper(OrderHistory(rows).orders, rules: Shopper.Rules(options))
        var account = Account(opening: ["a": 2])
        #expect(shopper.next(at: -1, now: 0) == nil)
        #expect(shopper.next(at: 0, now: 0) != nil)
        _ = shopper.take(ReplyLine("-SOLDOUT a want=1 available=0 held=0"), into: &account)
        #expect(shopper.next(at: 499, now: 0) == nil)
        #expect(shopper.nextOffset == 500)
        #expect(shopper.next(at: 500, now: 0) != nil)
    }
}
