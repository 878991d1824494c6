// Reply lines as values: every refusal of the protocol, and lines that are not what they should be.

import Testing

@testable import StockadeClient

@Suite("Reading replies")
struct ReplyReadingTests {
    private func line(_ text: String) -> ReplyLine { ReplyLine(Array(text.utf8)) }

    @Test("Every refusal has its value")
    func refusals() {
        let table: [(String, Negative)] = [
            ("-SOLDOUT a want=2 available=0 held=0", .refusal(.soldOut(sku: "a"))),
            ("-INSUFFICIENT a want=2 available=1 held=3", .refusal(.insufficient(sku: "a", available: 1, held: 3))),
            ("-INSUFFICIENT a floor=0 onhand=1 held=3",
             .refusal(.floorInUse(sku: "a", floor: 0, onhand: 1, held: 3))),
            ("-UPCOMING a opens=5", .refusal(.upcoming(sku: "a", opens: Moment(unixMilliseconds: 5)))),
            ("-ENDED a", .refusal(.ended(sku: "a"))),
            ("-PAUSED a", .refusal(.paused(sku: "a"))),
            ("-QUOTA a limit=2 used=1", .refusal(.quota(sku: "a", used: 1, limit: 2))),
            ("-BUYER a", .refusal(.buyerNeeded(sku: "a"))),
            ("-EXPIRED o", .refusal(.order(.expired))),
            ("-CANCELLED o", .refusal(.order(.cancelled))),
            ("-SOLD o", .refusal(.order(.sold))),
            ("-RETURNED o", .refusal(.order(.returned))),
            ("-HELD o", .refusal(.order(.held))),
            ("-EXISTS a onhand=4", .refusal(.exists(sku: "a", onhand: 4))),
            ("-MISMATCH a onhand=-4", .refusal(.mismatch(sku: "a", onhand: -4))),
            ("-INUSE a held=4", .refusal(.inUse(sku: "a", held: 4))),
            ("-NOSKU a", .refusal(.noSuchSKU("a"))),
            ("-NOORDER o", .refusal(.noSuchOrder("o"))),
            ("-CONFLICT o state=return seq=4", .refusal(.conflict(id: "o", state: "return"))),
            ("-STALE o", .refusal(.stale("o"))),
            ("-RANGE a have=4", .refusal(.tooMany(sku: "a", have: 4))),
            ("-RANGE a quantity is 1 to 10", .refusal(.outOfRange("-RANGE a quantity is 1 to 10"))),
            ("-BUSY", .later(pause: nil, text: "-BUSY")),
            ("-SLOWDOWN retry=15ms", .later(pause: 15, text: "-SLOWDOWN retry=15ms")),
            ("-SLOWDOWN retry=-15ms", .later(pause: nil, text: "-SLOWDOWN retry=-15ms")),
            ("-FULL memory", .error(.serverTrouble("-FULL memory"))),
            ("-READONLY disk", .error(.serverTrouble("-READONLY disk"))),
            ("-NOAUTH", .error(.denied("-NOAUTH"))),
            ("-DENIED", .error(.denied("-DENIED"))),
            ("-SYNTAX expected: x", .error(.invalid("-SYNTAX expected: x"))),
            ("-UNKNOWN x", .error(.invalid("-UNKNOWN x"))),
            ("-TOOLONG", .error(.invalid("-TOOLONG"))),
            ("-QUOTA a limit=x used=1", .error(.unexpectedReply("-QUOTA a limit=x used=1"))),
            ("-FROMTHEFUTURE a", .refusal(.other(code: "FROMTHEFUTURE", text: "-FROMTHEFUTURE a"))),
        ]
        for (text, expected) in table { #expect(line(text).negative() == expected, "\(text)") }
    }

    @Test("Keys that nobody knows yet are ignored, and numbers keep their last digit")
    func values() throws {
        let reply = line("+STOCK a available=9000000000000000 held=0 sold=-0 onhand=-7 new=key status=held-out seq=9223372036854775807")
        let level = try StockLevel(reply)
        #expect(level.available == 9_000_000_000_000_000 && level.onhand == -7)
        #expect(level.sequence == .max && level.status == .heldOut)
        #expect(line("+X seq=9223372036854775808").number(of: "seq") == nil)
        #expect(line("+X seq=").number(of: "seq") == nil)
        #expect(line("+X seq=-").number(of: "seq") == nil)
        #expect(line("+X sequence=1").number(of: "seq") == nil)
    }

    @Test("An order's lines must be as many as it says")
    func orders() throws {
        let good = line("+ORDER o state=held seq=3 at=5 expires=9 buyer=ann lines=2 a 2 lines 1")
        let order = try Order(good)
        #expect(order.items == [.init("a", 2), .init("lines", 1)])
        #expect(order.buyer == "ann" && order.expires == Moment(unixMilliseconds: 9))
        for text in [
            "+ORDER o state=held seq=3 at=5 lines=2 a 2", "+ORDER o state=held seq=3 at=5 lines=1 a",
            "+ORDER o state=held seq=3 at=5 lines=1 a x", "+ORDER o state=lost seq=3 at=5 lines=0",
            "+ORDER o state=held seq=3 at=5", "+ORDER", "+",
        ] {
            #expect(throws: StockadeError.unexpectedReply(text)) { try Order(line(text)) }
        }
    }

    @Test("A request is checked before anything is sent")
    func requests() throws {
        #expect(try Requests.reserve(
            NewOrder(id: "o-1", items: [.init("phone", 2), .init("case")], buyer: "ann"), for: .minutes(15),
            born: Moment(unixMilliseconds: 7)).text == "RESERVE o-1 900000ms phone 2 case 1 buyer=ann born=7")
        #expect(try Requests.count("a", onhand: 3, .once(id: "c-1"), force: true).text == "COUNT a 3 id=c-1 force=1")
        #expect(try Requests.configure("a", .init(limit: 2), isPaused: false).text == "CONFIGURE a limit=2 paused=0")
        for id in ["", "two words", "a=b", "línea", "x\n", String(repeating: "x", count: 129)] {
            #expect(throws: StockadeError.self, "\(id)") { try Requests.lookup(id) }
        }
        #expect(throws: StockadeError.self) { try Requests.extend("o", by: .days(31)) }
        #expect(throws: StockadeError.self) { try Requests.extend("o", by: .days(.max)) }
        #expect(throws: StockadeError.self) {
            try Requests.deduct(NewOrder(id: "o", items: [.init("a", 0)]), born: Moment(unixMilliseconds: 0))
        }
        #expect(throws: StockadeError.self) {
            try Requests.deduct(NewOrder(id: "o", items: []), born: Moment(unixMilliseconds: 0))
        }
        #expect(throws: StockadeError.self) { try Request.login("two words") }
    }

    @Test("Addresses are read as people write them")
    func addresses() {
        #expect(ServerAddress("127.0.0.1:99") == .tcp(host: "127.0.0.1", port: 99))
        #expect(ServerAddress("shop") == .tcp(host: "shop", port: 7865))
        #expect(ServerAddress("::1") == .tcp(host: "::1", port: 7865))
        #expect(ServerAddress("[::1]:99") == .tcp(host: "::1", port: 99))
        #expect(ServerAddress("unix:/run/s.sock") == .unix(path: "/run/s.sock"))
        #expect(ServerAddress("/run/s.sock") == .unix(path: "/run/s.sock"))
        #expect(ServerAddress("shop:x") == .tcp(host: "shop", port: 0))
    }

    @Test("The pause before connecting again doubles, is drawn by chance, and has an end")
    func backoff() {
        var random = SystemRandomNumberGenerator()
        var reachability = Reachability(shortestPause: 100, longestPause: 1_000, failuresUntilOpen: 3)
        for full: Int64 in [100, 200, 400, 800, 1_000, 1_000] {
            let pause = reachability.failed(using: &random)
            #expect((full / 2...full).contains(pause))
        }
        #expect(reachability.isOpen)
        reachability.answered()
        #expect(!reachability.isOpen)
        for _ in 0..<200 { _ = reachability.failed(using: &random) }
        #expect((500...1_000).contains(reachability.failed(using: &random)))
    }
}
