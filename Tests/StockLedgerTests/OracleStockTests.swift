// The oracle's own tests, second part: stock, time, forgetting, and the form of
// requests.

import Testing

@Suite("The oracle on stock and time")
struct OracleStockTests {
    @Test("ADJUST and COUNT keep the law unless forced, and a change towards it passes")
    func stockTakes() {
        converse("""
            C: CREATE a 5 floor=1
            S: +CREATED a seq=1
            C: CREATE a 7
            S: -EXISTS a onhand=5
            C: RESERVE o 1m a 3
            S: +HELD o seq=2 available=1 expires=1060000
            # the law knows no positive floor
            C: ADJUST x-1 a -2 reason=broken
            S: +ADJUSTED x-1 onhand=3 seq=3
            C: ADJUST x-2 a -1
            S: -INSUFFICIENT a want=1 available=0 held=3
            C: COUNT a 1 if=3
            S: -INSUFFICIENT a want=2 available=0 held=3
            C: COUNT a 1 if=4
            S: -MISMATCH a onhand=3
            C: ADJUST x-2 a -2 force=1
            S: +ADJUSTED x-2 onhand=1 seq=4
            C: GET a
            S: +STOCK a available=0 held=3 sold=0 onhand=1 floor=1 limit=0 status=held-out seq=4
            # short by two: one more is towards the law, one less is not
            C: ADJUST x-3 a 1
            S: +ADJUSTED x-3 onhand=2 seq=5
            C: COUNT a 2 id=x-4
            S: +STOCK a available=0 held=3 sold=0 onhand=2 floor=1 limit=0 status=held-out seq=6
            C: COUNT a 1 id=x-5
            S: -INSUFFICIENT a want=1 available=0 held=3
            C: CONFIRM o
            S: +SOLD o seq=7
            C: GET a
            S: +STOCK a available=0 held=0 sold=3 onhand=-1 floor=1 limit=0 status=sold-out seq=7
            C: COUNT a 5 if=-1
            S: +STOCK a available=4 held=0 sold=3 onhand=5 floor=1 limit=0 status=selling seq=8
            # replays tell of today; the content is SKU and number, not force or reason
            C: ADJUST x-2 a -2
            S: +ADJUSTED x-2 onhand=5 seq=4 replay=1
            C: COUNT a 2 id=x-4 force=1
            S: +STOCK a available=4 held=0 sold=3 onhand=5 floor=1 limit=0 status=selling seq=8 replay=1
            C: COUNT a 3 id=x-4
            S: -CONFLICT x-4 state=adjusted seq=6
            C: ADJUST x-4 a 2
            S: -CONFLICT x-4 state=adjusted seq=6
            C: ADJUST x-2 b -2
            S: -CONFLICT x-2 state=adjusted seq=4
            C: ADJUST o a 2
            S: -CONFLICT o state=sold seq=7
            C: ADJUST x-9 b 2
            S: -NOSKU b
            """)
    }

    @Test("A negative floor allows backorders; a floor that would break promises is refused")
    func floors() {
        converse("""
            C: CREATE a 1 floor=-3
            S: +CREATED a seq=1
            C: DEDUCT o a 3
            S: +SOLD o seq=2 available=1
            C: RESERVE p 1m a 2
            S: -INSUFFICIENT a want=2 available=1 held=0
            C: CONFIGURE a floor=-1
            S: -INSUFFICIENT a floor=-1 onhand=-2 held=0
            C: CONFIGURE a floor=5
            S: -INSUFFICIENT a floor=5 onhand=-2 held=0
            C: CONFIGURE a floor=-2
            S: +STOCK a available=0 held=0 sold=3 onhand=-2 floor=-2 limit=0 status=sold-out seq=3
            C: ADJUST x a 3
            S: +ADJUSTED x onhand=1 seq=4
            C: CONFIGURE a floor=5
            S: +STOCK a available=0 held=0 sold=3 onhand=1 floor=5 limit=0 status=sold-out seq=5
            C: ADJUST y a -3 force=1
            S: +ADJUSTED y onhand=-2 seq=6
            # short already: what does not take it further away passes
            C: CONFIGURE a floor=0
            S: +STOCK a available=0 held=0 sold=3 onhand=-2 floor=0 limit=0 status=sold-out seq=7
            C: CONFIGURE a floor=-1
            S: +STOCK a available=0 held=0 sold=3 onhand=-2 floor=-1 limit=0 status=sold-out seq=8
            C: CONFIGURE a floor=0
            S: -INSUFFICIENT a floor=0 onhand=-2 held=0
            """)
    }

    @Test("TRANSFER moves existing free units, whatever the window or pause")
    func transfers() {
        converse("""
            C: CREATE a 5 floor=-9 closes=1
            S: +CREATED a seq=1
            C: CREATE b 0
            S: +CREATED b seq=2
            C: TRANSFER t a b 6
            S: -INSUFFICIENT a want=6 available=5 held=0
            C: TRANSFER t a c 6
            S: -NOSKU c
            C: TRANSFER t c a 6
            S: -NOSKU c
            C: CONFIGURE a floor=2 paused=1
            S: +STOCK a available=3 held=0 sold=0 onhand=5 floor=2 limit=0 closes=1 paused=1 status=ended seq=3
            C: TRANSFER t a b 4
            S: -INSUFFICIENT a want=4 available=3 held=0
            C: TRANSFER t a b 3
            S: +TRANSFERRED t seq=4
            C: TRANSFER t a b 3
            S: +TRANSFERRED t seq=4 replay=1
            C: TRANSFER t b a 3
            S: -CONFLICT t state=transferred seq=4
            C: SKUS
            S: *3
            S: +STOCK a available=0 held=0 sold=0 onhand=2 floor=2 limit=0 closes=1 paused=1 status=ended seq=4
            S: +STOCK b available=3 held=0 sold=0 onhand=3 floor=0 limit=0 status=selling seq=4
            S: +END
            """)
    }

    @Test("DROP waits for holds, and a SKU created again is a new one")
    func drops() {
        converse("""
            C: CREATE a 5
            S: +CREATED a seq=1
            C: CREATE b 5
            S: +CREATED b seq=2
            C: RESERVE o 10ms a 1 buyer=ann
            S: +HELD o seq=3 available=4 expires=1000010
            C: DEDUCT p a 1 buyer=ann
            S: +SOLD p seq=4 available=3
            C: DEDUCT q a 1 b 1
            S: +SOLD q seq=5
            C: ADJUST x a 1
            S: +ADJUSTED x onhand=4 seq=6
            C: TRANSFER t a b 1
            S: +TRANSFERRED t seq=7
            C: DROP a
            S: -INUSE a held=1
            +10
            C: DROP a
            S: +DROPPED a seq=9
            C: DROP a
            S: -NOSKU a
            C: ADJUST x a 1
            S: +ADJUSTED x seq=6 replay=1
            C: TRANSFER t a b 1
            S: +TRANSFERRED t seq=7 replay=1
            C: DEDUCT p a 1 buyer=ann
            S: +SOLD p seq=4 replay=1
            C: CREATE a 7 limit=1
            S: +CREATED a seq=10
            C: DEDUCT p a 1 buyer=ann
            S: +SOLD p seq=4 replay=1
            C: ADJUST x a 1
            S: +ADJUSTED x seq=6 replay=1
            C: TRANSFER t a b 1
            S: +TRANSFERRED t seq=7 replay=1
            C: CONFIRM o late=1
            S: -NOSKU a
            C: RETURN r p
            S: -NOSKU a
            C: RETURN r q a 2
            S: -RANGE a have=1
            C: RETURN r q
            S: -NOSKU a
            C: RETURN r q b 1
            S: +RETURNED r seq=11
            C: LOOKUP q
            S: +ORDER q state=sold seq=11 at=1000000 lines=1 a 1
            # the new SKU counts its buyers from nothing
            C: DEDUCT n a 1 buyer=ann
            S: +SOLD n seq=12 available=6
            """)
    }

    @Test("A command on a due hold releases it first; a late payment takes the stock again if it is there")
    func expiry() {
        var oracle = Oracle(retention: 1_000)
        func say(_ line: String, at now: Int64) -> String { oracle.respond(line, at: now).joined(separator: "|") }
        #expect(say("CREATE a 3", at: 100) == "+CREATED a seq=1")
        #expect(say("RESERVE o 10ms a 2", at: 100) == "+HELD o seq=2 available=1 expires=110")
        #expect(say("RESERVE p 10ms a 1", at: 100) == "+HELD p seq=3 available=0 expires=110")
        #expect(say("EXTEND o 5ms", at: 109) == "+HELD o seq=4 expires=114")
        #expect(oracle.dueHolds(at: 109) == [])
        #expect(oracle.dueHolds(at: 200) == ["p", "o"])
        // The clock never goes backwards.
        #expect(say("CONFIRM o", at: 114) == "-EXPIRED o")
        #expect(say("LOOKUP o", at: 50) == "+ORDER o state=expired seq=5 at=100 lines=1 a 2")
        #expect(oracle.dueHolds(at: 114) == ["p"])
        oracle.advance(to: 114)
        #expect(say("LOOKUP p", at: 114) == "+ORDER p state=expired seq=6 at=100 lines=1 a 1")
        #expect(say("DEDUCT q a 2", at: 114) == "+SOLD q seq=7 available=1")
        #expect(say("CONFIRM o late=1", at: 114) == "-INSUFFICIENT a want=2 available=1 held=0")
        #expect(say("CONFIRM o a 3 late=1", at: 114) == "-RANGE a have=2")
        #expect(say("CONFIRM o a 1 late=1", at: 114) == "+SOLD o seq=8")
        #expect(say("CONFIRM p late=1", at: 114) == "-SOLDOUT a want=1 available=0 held=0")
        #expect(say("CONFIRM o a 1", at: 114) == "+SOLD o seq=8 replay=1")
        #expect(say("RESERVE o 10ms a 2", at: 114) == "+SOLD o seq=8 available=0 replay=1")
        oracle.assertLaws()
    }

    @Test("The status is the first that applies")
    func status() {
        converse("""
            C: CREATE a 1 opens=1000010 closes=1000005
            S: +CREATED a seq=1
            C: GET a
            S: +STOCK a available=1 held=0 sold=0 onhand=1 floor=0 limit=0 opens=1000010 closes=1000005 status=upcoming seq=1
            +9
            C: DEDUCT o a 1
            S: -UPCOMING a opens=1000010
            +1
            C: DEDUCT o a 1
            S: -ENDED a
            C: CONFIGURE a closes=1000011
            S: +STOCK a available=1 held=0 sold=0 onhand=1 floor=0 limit=0 opens=1000010 closes=1000011 status=selling seq=2
            C: RESERVE o 1m a 1
            S: +HELD o seq=3 available=0 expires=1060010
            C: GET a
            S: +STOCK a available=0 held=1 sold=0 onhand=1 floor=0 limit=0 opens=1000010 closes=1000011 status=held-out seq=3
            +1
            C: CONFIRM o
            S: +SOLD o seq=4
            C: CONFIGURE a opens=0 closes=0 paused=0
            S: +STOCK a available=0 held=0 sold=1 onhand=0 floor=0 limit=0 status=sold-out seq=5
            """)
    }

    @Test("Forgetting keeps the sold units, and a buyer's count where there is a limit")
    func forgetting() {
        let oracle = converse("""
            C: CREATE a 9 limit=3
            S: +CREATED a seq=1
            C: CREATE b 9
            S: +CREATED b seq=2
            C: DEDUCT o a 2 b 2 buyer=ann
            S: +SOLD o seq=3
            C: CANCEL e
            S: +CANCELLED e seq=4 empty=1
            C: ADJUST x a 1
            S: +ADJUSTED x onhand=8 seq=5
            C: RESERVE h 1m a 1 buyer=bob
            S: +HELD h seq=6 available=7 expires=1060000
            +5
            C: RETURN r o a 1
            S: +RETURNED r seq=7
            C: DEDUCT p b 1 buyer=ann
            S: +SOLD p seq=8 available=6
            forget 7
            C: LOOKUP o
            S: -NOORDER o
            C: LOOKUP h
            S: +ORDER h state=held seq=6 at=1000000 expires=1060000 buyer=bob lines=1 a 1
            C: MGET a b
            S: *2
            S: +STOCK a available=8 held=1 sold=1 onhand=9 floor=0 limit=3 status=selling seq=9
            S: +STOCK b available=6 held=0 sold=3 onhand=6 floor=0 limit=0 status=selling seq=9
            # the newest that was forgotten ended at 1000005
            C: DEDUCT o a 2 b 2 buyer=ann born=1000005
            S: -STALE o
            C: RESERVE e 1 ghost 1 born=1000005
            S: -STALE e
            C: CANCEL e born=0
            S: -STALE e
            C: RESERVE e 1 ghost 1 born=1000006
            S: -NOSKU ghost
            C: DEDUCT p b 1 buyer=ann born=1
            S: +SOLD p seq=8 available=6 replay=1
            C: CONFIGURE b limit=3
            S: +STOCK b available=6 held=0 sold=3 onhand=6 floor=0 limit=3 status=selling seq=10
            # of ann's units a has kept one; of b only p is remembered
            C: DEDUCT o a 3 buyer=ann born=1000006
            S: -QUOTA a limit=3 used=1
            C: DEDUCT o b 3 buyer=ann
            S: -QUOTA b limit=3 used=1
            C: ADJUST x a 1
            S: +ADJUSTED x onhand=10 seq=11
            # what a kept stays, also when the limit goes
            C: CONFIGURE a limit=0
            S: +STOCK a available=9 held=1 sold=1 onhand=10 floor=0 limit=0 status=selling seq=12
            forget 12
            C: CONFIGURE a limit=1
            S: +STOCK a available=9 held=1 sold=1 onhand=10 floor=0 limit=1 status=selling seq=14
            C: DEDUCT q a 1 buyer=ann
            S: -QUOTA a limit=1 used=1
            """)
        #expect(oracle.mayForget(endedUpTo: 14, at: 0))
    }

    @Test("Nothing may be forgotten before its retention is over")
    func retention() {
        var oracle = Oracle(retention: 100)
        _ = oracle.respond("CREATE a 9", at: 10)
        _ = oracle.respond("DEDUCT o a 2", at: 10)
        _ = oracle.respond("RESERVE h 1d a 2", at: 10)
        _ = oracle.respond("RETURN r o a 1", at: 50)
        #expect(oracle.mayForget(endedUpTo: 3, at: 149))
        #expect(!oracle.mayForget(endedUpTo: 4, at: 149))
        #expect(oracle.mayForget(endedUpTo: 4, at: 150))
    }

    @Test("The form of a request goes before its limits", arguments: [
        ("CREATE", "-SYNTAX"), ("CREATE b", "-SYNTAX"), ("CREATE b -1", "-SYNTAX"), ("CREATE b 1 2", "-SYNTAX"),
        ("CREATE b 9000000000000001", "-RANGE"), ("CREATE b 1 limit=-1", "-SYNTAX"),
        ("CREATE b 1 limit=1000000000001", "-RANGE"), ("CREATE b 1 floor=-9000000000000001", "-RANGE"),
        ("CREATE b 9000000000000001 floor=x", "-SYNTAX"), ("CREATE b 1 floor=1 FLOOR=1", "-SYNTAX"),
        ("CREATE b 1 color=red", "-SYNTAX"), ("CREATE b=c 1", "-SYNTAX"), ("CREATE é 1", "-SYNTAX"),
        ("DEDUCT o", "-SYNTAX"), ("DEDUCT o a", "-SYNTAX"), ("DEDUCT o a 1 b", "-SYNTAX"),
        ("DEDUCT o a 0", "-RANGE"), ("DEDUCT o a -1", "-SYNTAX"), ("DEDUCT o a 1.5", "-SYNTAX"),
        ("DEDUCT o a 1000000000001", "-RANGE"), ("DEDUCT o a 1000000000000 a 1", "-RANGE"),
        ("DEDUCT o a 99999999999999999999999999", "-RANGE"), ("DEDUCT o a 1 buyer=", "-SYNTAX"),
        ("RESERVE o 0 a 1", "-RANGE"), ("RESERVE o 31d a 1", "-RANGE"), ("RESERVE o 2592001 a 1", "-RANGE"),
        ("RESERVE o 5x a 1", "-SYNTAX"), ("RESERVE o ms a 1", "-SYNTAX"), ("RESERVE o -5 a 1", "-SYNTAX"),
        ("RESERVE o 1m", "-SYNTAX"), ("EXTEND o", "-SYNTAX"), ("CONFIRM o late=2", "-SYNTAX"),
        ("CONFIRM o a", "-SYNTAX"), ("TRANSFER t a a 1", "-SYNTAX"), ("ADJUST x a 0", "-RANGE"),
        ("ADJUST x a 9000000000000000", "-RANGE"), ("ADJUST x a 1 force=yes", "-SYNTAX"),
        ("COUNT a 1", "-SYNTAX"), ("COUNT a -1 if=5", "-SYNTAX"), ("COUNT a 1 id=x if=5", "-SYNTAX"),
        ("MGET", "-SYNTAX"), ("GET a b", "-SYNTAX"), ("CANCEL o born=-1", "-SYNTAX"),
        ("DEDUCT o a 0001", "+SOLD o seq=2 available=4"), ("RESERVE o 30d a 1", "+HELD o seq=2 available=4 expires=2592000000"),
        ("ADJUST x a 8999999999999995", "+ADJUSTED x onhand=9000000000000000 seq=2"),
    ])
    func form(line: String, reply: String) {
        var oracle = Oracle(retention: 1_000)
        _ = oracle.respond("CREATE a 5", at: 0)
        #expect(oracle.respond(line, at: 0) == [reply])
    }

    @Test("A token has 1 to 128 bytes, an order 1 to 1,024 pairs")
    func sizes() {
        var oracle = Oracle(retention: 1_000)
        let name = String(repeating: "n", count: 128)
        #expect(oracle.respond("CREATE \(name) 2000", at: 0) == ["+CREATED \(name) seq=1"])
        #expect(oracle.respond("GET n\(name)", at: 0) == ["-SYNTAX"])
        let pairs = String(repeating: " \(name) 1", count: 1_024)
        #expect(oracle.respond("DEDUCT o\(pairs)", at: 0) == ["+SOLD o seq=2 available=976"])
        #expect(oracle.respond("DEDUCT p\(pairs) \(name) 1", at: 0) == ["-RANGE"])
    }
}
