// Every answer as its line: the tables of the protocol, seen from the reply.

import StockModel
import StockWire
import Testing

@Suite("Replies")
struct ReplyTests {
    /// Gives `body` a token for each word, good until it returns.
    private func lines(_ pairs: [(String, Int64)], _ body: (OrderLines) -> Void) {
        let lines = pairs.map { OrderLine(sku: token($0.0), quantity: $0.1) }
        lines.withUnsafeBufferPointer(body)
    }

    @Test("Each outcome is one line")
    func outcomes() {
        let a = token("a")
        let o = token("o-1")
        let view = StockView(
            sku: a, available: 98, held: 1, sold: 1, onhand: 99, floor: 0, limit: 0, opens: 0, closes: 0,
            paused: false, status: .selling, sequence: 17)
        var full = view
        full.floor = -2
        full.limit = 3
        full.opens = 4
        full.closes = 5
        full.paused = true
        full.status = .heldOut
        let at = Timestamp(milliseconds: 1_763_690_400_000)
        let table: [(Outcome, String)] = [
            (.created(sku: a, sequence: 1), "+CREATED a seq=1"),
            (.adjusted(id: o, onhand: -5, sequence: 2, replay: false), "+ADJUSTED o-1 onhand=-5 seq=2"),
            (.adjusted(id: o, onhand: 5, sequence: 2, replay: true), "+ADJUSTED o-1 onhand=5 seq=2 replay=1"),
            (.stock(view, replay: false),
                "+STOCK a available=98 held=1 sold=1 onhand=99 floor=0 limit=0 status=selling seq=17"),
            (.stock(full, replay: true),
                "+STOCK a available=98 held=1 sold=1 onhand=99 floor=-2 limit=3 opens=4 closes=5 paused=1 status=held-out seq=17 replay=1"),
            (.transferred(id: o, sequence: 3, replay: false), "+TRANSFERRED o-1 seq=3"),
            (.transferred(id: o, sequence: 3, replay: true), "+TRANSFERRED o-1 seq=3 replay=1"),
            (.dropped(sku: a, sequence: 4), "+DROPPED a seq=4"),
            (.sold(id: o, sequence: 5, available: 7, replay: false), "+SOLD o-1 seq=5 available=7"),
            (.sold(id: o, sequence: 5, available: 0, replay: true), "+SOLD o-1 seq=5 available=0 replay=1"),
            (.sold(id: o, sequence: 5, available: nil, replay: false), "+SOLD o-1 seq=5"),
            (.sold(id: o, sequence: 5, available: nil, replay: true), "+SOLD o-1 seq=5 replay=1"),
            (.held(id: o, sequence: 6, available: 1, expires: at, replay: false),
                "+HELD o-1 seq=6 available=1 expires=1763690400000"),
            (.held(id: o, sequence: 6, available: nil, expires: at, replay: true),
                "+HELD o-1 seq=6 expires=1763690400000 replay=1"),
            (.cancelled(id: o, sequence: 7, empty: false, replay: false), "+CANCELLED o-1 seq=7"),
            (.cancelled(id: o, sequence: 7, empty: true, replay: false), "+CANCELLED o-1 seq=7 empty=1"),
            (.cancelled(id: o, sequence: 7, empty: true, replay: true), "+CANCELLED o-1 seq=7 empty=1 replay=1"),
            (.expired(id: o, sequence: 8), "+EXPIRED o-1 seq=8 replay=1"),
            (.returned(id: o, sequence: 9, replay: false), "+RETURNED o-1 seq=9"),
            (.returned(id: o, sequence: 9, replay: true), "+RETURNED o-1 seq=9 replay=1"),
        ]
        for (outcome, line) in table { #expect(reply { $0.write(outcome) } == line) }
        #expect(reply { $0.write(view) } == reply { $0.write(.stock(view, replay: false)) })
    }

    @Test("An order's lines stand last")
    func orders() {
        let at = Timestamp(milliseconds: 10)
        lines([("a", 2), ("b", 1_000_000_000_000)]) { lines in
            var view = OrderView(
                id: token("o-1"), state: .held, sequence: 3, at: at, expires: at + 5, buyer: token("ann"), lines: lines)
            let line = "+ORDER o-1 state=held seq=3 at=10 expires=15 buyer=ann lines=2 a 2 b 1000000000000"
            #expect(reply { $0.write(.order(view)) } == line)
            #expect(reply { $0.write(view) } == line)
            view.expires = nil
            view.buyer = nil
            for (state, word) in [
                (OrderState.sold, "sold"), (.cancelled, "cancelled"), (.expired, "expired"), (.returned, "returned"),
            ] {
                view.state = state
                #expect(reply { $0.write(view) } == "+ORDER o-1 state=\(word) seq=3 at=10 lines=2 a 2 b 1000000000000")
            }
        }
        lines([]) { lines in
            let view = OrderView(
                id: token("o-1"), state: .cancelled, sequence: 3, at: at, expires: nil, buyer: nil, lines: lines)
            #expect(reply { $0.write(view) } == "+ORDER o-1 state=cancelled seq=3 at=10 lines=0")
        }
    }

    @Test("Each refusal is one line")
    func refusals() {
        let a = token("a")
        let o = token("o-1")
        let table: [(Refusal, String)] = [
            (.exists(sku: a, onhand: 5), "-EXISTS a onhand=5"),
            (.noSKU(a), "-NOSKU a"),
            (.mismatch(sku: a, onhand: -1), "-MISMATCH a onhand=-1"),
            (.inUse(sku: a, held: 2), "-INUSE a held=2"),
            (.insufficient(sku: a, want: 2, available: 1, held: 3), "-INSUFFICIENT a want=2 available=1 held=3"),
            (.floorBroken(sku: a, floor: -1, onhand: -3, held: 0), "-INSUFFICIENT a floor=-1 onhand=-3 held=0"),
            (.soldOut(sku: a, want: 2), "-SOLDOUT a want=2 available=0 held=0"),
            (.upcoming(sku: a, opens: 99), "-UPCOMING a opens=99"),
            (.ended(sku: a), "-ENDED a"),
            (.paused(sku: a), "-PAUSED a"),
            (.quota(sku: a, limit: 2, used: 2), "-QUOTA a limit=2 used=2"),
            (.buyerNeeded(sku: a), "-BUYER a"),
            (.noOrder(o), "-NOORDER o-1"),
            (.inState(.held, id: o), "-HELD o-1"),
            (.inState(.sold, id: o), "-SOLD o-1"),
            (.inState(.cancelled, id: o), "-CANCELLED o-1"),
            (.inState(.expired, id: o), "-EXPIRED o-1"),
            (.inState(.returned, id: o), "-RETURNED o-1"),
            (.conflict(id: o, state: .held, sequence: 4), "-CONFLICT o-1 state=held seq=4"),
            (.conflict(id: o, state: .sold, sequence: 4), "-CONFLICT o-1 state=sold seq=4"),
            (.conflict(id: o, state: .cancelled, sequence: 4), "-CONFLICT o-1 state=cancelled seq=4"),
            (.conflict(id: o, state: .expired, sequence: 4), "-CONFLICT o-1 state=expired seq=4"),
            (.conflict(id: o, state: .returned, sequence: 4), "-CONFLICT o-1 state=returned seq=4"),
            (.conflict(id: o, state: .adjusted, sequence: 4), "-CONFLICT o-1 state=adjusted seq=4"),
            (.conflict(id: o, state: .counted, sequence: 4), "-CONFLICT o-1 state=adjusted seq=4"),
            (.conflict(id: o, state: .transferred, sequence: 4), "-CONFLICT o-1 state=transferred seq=4"),
            (.conflict(id: o, state: .return, sequence: 4), "-CONFLICT o-1 state=return seq=4"),
            (.stale(o), "-STALE o-1"),
            (.lineOutOfRange(sku: a, have: 3), "-RANGE a have=3"),
            (.counterOutOfRange(sku: a), "-RANGE a a counter would leave its range"),
            (.full(.memory), "-FULL memory"),
            (.full(.orders), "-FULL orders"),
            (.full(.skus), "-FULL skus"),
            (.busy, "-BUSY"),
            (.readOnly, "-READONLY the log cannot be written"),
        ]
        for (refusal, line) in table {
            #expect(reply { $0.write(.refused(refusal)) } == line)
            #expect(reply { $0.write(refusal) } == line)
        }
        #expect(reply { $0.write(.refused(.readOnly), readOnlyReason: "disk\r\nfull") } == "-READONLY disk??full")
    }

    @Test("Each status has its word")
    func statuses() {
        var view = StockView(
            sku: token("a"), available: 0, held: 0, sold: 0, onhand: 0, floor: 0, limit: 0, opens: 0, closes: 0,
            paused: false, status: .selling, sequence: 0)
        for (status, word) in [
            (StockStatus.upcoming, "upcoming"), (.ended, "ended"), (.paused, "paused"), (.selling, "selling"),
            (.heldOut, "held-out"), (.soldOut, "sold-out"),
        ] {
            view.status = status
            #expect(reply { $0.write(view) }.hasSuffix(" status=\(word) seq=0"))
        }
    }

    @Test("The server's own replies are lines of their shape")
    func ownReplies() {
        #expect(reply { $0.writeArrayHeader(0) } == "*0")
        #expect(reply { $0.writeMapHeader(5) } == "%5")
        #expect(reply { $0.writeInteger(-3) } == ":-3")
        #expect(reply { $0.writeSimple("PONG") } == "+PONG")
        #expect(reply { $0.writeSimple(token("word")) } == "+word")
        #expect(reply { $0.writeStatistic("clients", 7) } == "+clients=7")
        #expect(reply { $0.writeStatistic("digest", text: "ab\ncd") } == "+digest=ab?cd")
        #expect(reply { $0.writeStatistic("command.\u{1}x", text: "1") } == "+command.?x=1")
        #expect(reply { $0.writeClock(Timestamp(milliseconds: 5), sequence: 6) } == "+CLOCK ms=5 seq=6")
        #expect(reply { $0.writeDurable(sequence: .max) } == "+DURABLE seq=18446744073709551615")
        #expect(reply { $0.writeNextPage(token: 12) } == "+NEXT 12")
        #expect(reply { $0.writeRefusal(.noAuth, "log in first") } == "-NOAUTH log in first")
        #expect(reply { $0.writeRefusal(.denied) } == "-DENIED")
        #expect(reply { $0.writeRefusal(.error, text: "a\rb") } == "-ERR a?b")
    }

    @Test("HELLO is answered with a map in version 3 and with the same lines as an array in version 2")
    func greeting() {
        let lines = "+server\r\n+stockade\r\n+version\r\n+1.2.3\r\n+id\r\n:7\r\n+mode\r\n+standalone\r\n+proto\r\n:"
        #expect(reply { $0.writeGreeting(version: 3, server: "1.2.3", connection: 7) } == "%5\r\n" + lines + "3")
        #expect(reply { $0.writeGreeting(version: 2, server: "1.2.3", connection: 7) } == "*10\r\n" + lines + "2")
    }

    @Test("The longest lines fit the room that is reserved for them")
    func longest() {
        let long = token(String(repeating: "x", count: 128))
        let view = StockView(
            sku: long, available: .min, held: .min, sold: .min, onhand: .min, floor: .min, limit: .min, opens: .min,
            closes: .min, paused: true, status: .upcoming, sequence: .max)
        let text = reply { $0.write(.stock(view, replay: true)) }
        #expect(text.utf8.count > 128 + 8 * 20)
        #expect(text.hasSuffix(" seq=18446744073709551615 replay=1"))
        // Everything that is not the token, with the line end and the slack of the last number, is fixed room.
        #expect(text.utf8.count - 128 + 2 + 8 <= 448)
        lines([(String, Int64)](repeating: (long.text, .min), count: Limits.pairs)) { lines in
            let at = Timestamp(milliseconds: .min)
            let order = OrderView(id: long, state: .cancelled, sequence: .max, at: at, expires: at, buyer: long, lines: lines)
            let text = reply { $0.write(order) }
            #expect(text.split(separator: " ").count == 8 + 2 * Limits.pairs)
        }
    }
}

/// A token whose bytes live as long as the tests do.
func token(_ text: String) -> Token {
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(text.utf8.count, 1), alignment: 1)
    bytes.copyMemory(from: Array(text.utf8), byteCount: text.utf8.count)
    return Token(base: UnsafeRawPointer(bytes), count: text.utf8.count)
}
