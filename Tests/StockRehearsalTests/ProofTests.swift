// The proof must turn red at every counter that is off by one, and the page must say so.

import StockBench
import StockConnection
import Testing

@testable import StockRehearsal

@Suite("Proof and page")
struct ProofTests {
    /// Ten of a, of which six are sold, one came back by RETURN and two by ADJUST.
    private static func account() -> Account {
        var account = Account(opening: ["a": 10])
        account.hold([.init(sku: "a", quantity: 6)], isAbandoned: false)
        account.sell([.init(sku: "a", quantity: 6)])
        account.giveBack(1, of: "a")
        account.restock(2, of: "a")
        account.hold([.init(sku: "a", quantity: 3)], isAbandoned: true)
        account.refuse("SOLDOUT", of: [.init(sku: "a", quantity: 8)], because: "a")
        return account
    }

    private static func proof(_ line: String) -> Proof { Proof(account(), found: ["a": ReplyLine(line)]) }

    @Test("It holds when every counter is what the replies add up to")
    func green() {
        #expect(Self.proof("+STOCK p/a available=7 held=0 sold=5 onhand=7 floor=0").holds)
    }

    @Test(
        "It fails at each counter that is another, at a missing SKU and at a missing answer",
        arguments: [
            "+STOCK p/a available=6 held=1 sold=5 onhand=7", "+STOCK p/a available=7 held=0 sold=6 onhand=7",
            "+STOCK p/a available=8 held=0 sold=5 onhand=8", "+STOCK p/a available=6 held=0 sold=5 onhand=7", "-NOSKU p/a",
            "+STOCK p/a",
        ])
    func red(_ line: String) { #expect(Self.proof(line).differences.count == 1) }

    @Test("A SKU without a line fails")
    func unanswered() { #expect(!Proof(Self.account(), found: [:]).holds) }

    @Test("More sold than came in is oversold, even when the server's counters say the same")
    func oversold() {
        var account = Account(opening: ["a": 1])
        account.sell([.init(sku: "a", quantity: 2)])
        let proof = Proof(account, found: ["a": ReplyLine("+STOCK a available=0 held=0 sold=2 onhand=-1")])
        #expect(proof.oversold == 1)
        #expect(!proof.holds)
    }

    private static func report(_ line: String, wrong: Bool = false) -> RehearsalReport {
        var account = account()
        if wrong { account.wrong(ReplyLine("+SOLD r/1 seq=5"), to: "CONFIRM r/1") }
        var latencies = Latencies()
        for nanoseconds: Int64 in [15_000, 15_000, 15_000, 90_000] { latencies.record(nanoseconds) }
        var options = RehearsalOptions(address: .tcp(host: "127.0.0.1", port: 7865))
        options.run = "r"
        return RehearsalReport(
            options: options,
            result: RehearsalResult(
                account: account, proof: Proof(account, found: ["a": ReplyLine(line)]), latencies: latencies,
                nanoseconds: 2_000_000_000, wasInterrupted: false, ordersPlayed: 3))
    }

    @Test("The page shows what was sold, what was refused and why, latencies and the verdict")
    func page() {
        let text = Self.report("+STOCK p/a available=7 held=0 sold=5 onhand=7").text()
        let expected = """
            rehearsal r at 127.0.0.1:7865: 3 orders, 1 SKUs, 8 clients, speed max, abandon 0%, retry 0%, seed 1

            orders
              held                     2   requests for orders, accepted by RESERVE
              sold                     1   confirmed
              abandoned                1   never confirmed; they ran out
              refused                  1   SOLDOUT 1
              returns                  1   matched to an earlier order of the buyer
              restocks                 1   goods back that no order of the file had
              sent again               0   repeated on purpose, and answered alike

            units
              opening                 10
              sold                     6
              came back                3
              left                     7

            most sold, units
              a                        6   opened with 10, 7 left

            most refused, units
              a                        8   opened with 10, 7 left

            latency of 4 requests in 2.00 s
              p50 15.0 µs   p90 90.0 µs   p99 90.0 µs   p99.9 90.0 µs   max 90.0 µs
              up to    20.0 µs         3  ██████████████████████████████ 75.0 %
              up to    50.0 µs         0  0.0 %
              up to     100 µs         1  ██████████ 25.0 %

            proof
              PROVEN: nothing was oversold, nothing was lost: all counters of 1 SKUs are what the replies add up to, and nothing is held

            """
        #expect(text == expected)
    }

    @Test("A page without a proof says where, in red on a terminal")
    func unproven() {
        let text = Self.report("+STOCK p/a available=8 held=0 sold=5 onhand=8", wrong: true).text(isColoured: true)
        #expect(text.contains("a: the replies add up to held=0 sold=5 onhand=7, the server has held=0 sold=5 onhand=8\n"))
        #expect(text.contains("wrong reply to CONFIRM r/1: +SOLD r/1 seq=5\n"))
        #expect(text.contains("\u{1B}[1;31mNOT PROVEN\u{1B}[0m: 0 SKUs oversold, 1 of 1 with other counters"))
    }

    @Test("A wrong reply alone is enough to prove nothing")
    func wrongReply() {
        #expect(!Self.report("+STOCK p/a available=7 held=0 sold=5 onhand=7", wrong: true).result.isProven)
    }

    @Test("JSON tells the same of every SKU")
    func json() {
        let text = Self.report("+STOCK p/a available=7 held=0 sold=5 onhand=7").json
        for part in ["\"proven\": true", "\"SOLDOUT\": 1", "\"sku\": \"a\"", "\"left\": 7", "\"sent_again\": 0"] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test("The bar fills with the orders that are over", arguments: [(0, "░░", "0 %"), (150, "██████████████░", "48 %"), (307, "██", "100 %")])
    func bar(_ orders: Int, picture: String, percent: String) {
        let progress = RehearsalProgress(stage: .playing, orders: orders, ordersOfFile: 307, sold: 1_234, refused: 5)
        #expect(progress.text.contains(picture))
        #expect(progress.text.contains(percent))
        #expect(progress.text.hasSuffix("\(orders) of 307 orders, 1,234 sold, 5 refused"))
    }
}

@Suite("Options")
struct OptionTests {
    private static func refusal(_ change: (inout RehearsalOptions) -> Void) -> Bool {
        var options = RehearsalOptions(address: .unix(path: "none"))
        change(&options)
        return (try? options.check()) == nil
    }

    @Test("What makes no rehearsal is refused before anything is sent")
    func limits() {
        #expect(!Self.refusal { _ in })
        #expect(Self.refusal { $0.clients = 0 })
        #expect(Self.refusal { $0.clients = 1_001 })
        #expect(Self.refusal { $0.prefix = "" })
        #expect(Self.refusal { $0.prefix = "a b" })
        #expect(Self.refusal { $0.prefix = String(repeating: "x", count: 49) })
    }

    @Test("A SKU that the stock file does not name opens with none")
    func opening() throws {
        let orders = try OrderFile(Array("order,time,buyer,sku,quantity\n1,0,,a,2\n1,0,,b,1\n".utf8))
        let stock = try StockFile(Array("sku,quantity\na,1\nc,4\n".utf8))
        let options = RehearsalOptions(address: .unix(path: "none"))
        #expect(try Rehearsal(orders, stock: stock, options: options).opening == ["a": 1, "b": 0, "c": 4])
        #expect(try Rehearsal(orders, stock: nil, options: options).opening == ["a": 2, "b": 1])
    }
}
