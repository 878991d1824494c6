// The oracle's own tests: one dialogue for each rule of orders that is easy to
// misread. Stock, time and forgetting are in OracleStockTests.

import Testing

@Suite("The oracle on orders")
struct OracleTests {
    @Test("The conversation of the protocol")
    func conversation() {
        var oracle = Oracle(retention: 86_400_000)
        let now: Int64 = 1_763_690_400_000 - 900_000
        let dialogue = [
            ("CREATE phone 3 limit=2", "+CREATED phone seq=1"),
            ("RESERVE o-1 15m phone 2 buyer=ann", "+HELD o-1 seq=2 available=1 expires=1763690400000"),
            ("RESERVE o-1 900 phone 2 buyer=ann", "+HELD o-1 seq=2 available=1 expires=1763690400000 replay=1"),
            ("DEDUCT o-2 phone 1 buyer=ann", "-QUOTA phone limit=2 used=2"),
            ("DEDUCT o-3 phone 2 buyer=bob", "-INSUFFICIENT phone want=2 available=1 held=2"),
            ("CONFIRM o-1", "+SOLD o-1 seq=3"),
            ("CANCEL o-1", "-SOLD o-1"),
            (
                "GET phone",
                "+STOCK phone available=1 held=0 sold=2 onhand=1 floor=0 limit=2 status=selling seq=3"
            ),
        ]
        for (request, reply) in dialogue {
            #expect(oracle.respond(request, at: now) == [reply])
            oracle.assertLaws(request)
        }
    }

    @Test("A new order is checked in the documented precedence, and the first line that fails is named")
    func precedence() {
        converse("""
            C: CREATE a 1 limit=1
            S: +CREATED a seq=1
            C: CREATE b 1 opens=1000010
            S: +CREATED b seq=2
            C: CREATE c 0 closes=1000000
            S: +CREATED c seq=3
            C: CREATE d 0
            S: +CREATED d seq=4
            # an unknown SKU goes before a window, wherever it stands
            C: DEDUCT o b 1 ghost 1 c 1
            S: -NOSKU ghost
            # windows are one check: the first line that is outside its own
            C: DEDUCT o a 5 c 1 b 1
            S: -ENDED c
            C: DEDUCT o a 5 b 1 c 1
            S: -UPCOMING b opens=1000010
            C: CONFIGURE b paused=1
            S: +STOCK b available=1 held=0 sold=0 onhand=1 floor=0 limit=0 opens=1000010 paused=1 status=upcoming seq=5
            C: CONFIGURE b opens=0
            S: +STOCK b available=1 held=0 sold=0 onhand=1 floor=0 limit=0 paused=1 status=paused seq=6
            C: DEDUCT o d 1 b 1 c 1
            S: -PAUSED b
            # limits go before stock
            C: DEDUCT o d 1 a 1
            S: -BUYER a
            C: DEDUCT o d 1 a 2 buyer=ann
            S: -QUOTA a limit=1 used=0
            C: DEDUCT o a 1 d 1 buyer=ann
            S: -SOLDOUT d want=1 available=0 held=0
            C: CONFIGURE a limit=9
            S: +STOCK a available=1 held=0 sold=0 onhand=1 floor=0 limit=9 status=selling seq=7
            C: DEDUCT o a 2 d 1 buyer=ann
            S: -INSUFFICIENT a want=2 available=1 held=0
            # a refused request burned nothing, and a known id goes before all
            C: RESERVE o 1 a 1 buyer=ann
            S: +HELD o seq=8 available=0 expires=1001000
            C: DEDUCT p a 1 buyer=bob
            S: -INSUFFICIENT a want=1 available=0 held=1
            C: DEDUCT o ghost 1
            S: -CONFLICT o state=held seq=8
            """)
    }

    @Test("A retry is the same request: sums in any order, buyer, and ttl as a duration")
    func retries() {
        converse("""
            C: CREATE a 9
            S: +CREATED a seq=1
            C: CREATE b 9
            S: +CREATED b seq=2
            C: RESERVE o 2m a 1 b 2 a 1 buyer=ann born=5
            S: +HELD o seq=3 expires=1120000
            C: reserve  o 120 b 2 a 2 BUYER=ann
            S: +HELD o seq=3 expires=1120000 replay=1
            C: RESERVE o 120000ms b 1 a 2 b 1 buyer=ann
            S: +HELD o seq=3 expires=1120000 replay=1
            C: RESERVE o 121 b 2 a 2 buyer=ann
            S: -CONFLICT o state=held seq=3
            C: RESERVE o 120 b 2 a 2
            S: -CONFLICT o state=held seq=3
            C: RESERVE o 120 b 2 a 1 buyer=ann
            S: -CONFLICT o state=held seq=3
            C: DEDUCT o b 2 a 2 buyer=ann
            S: -CONFLICT o state=held seq=3
            # the ttl asked for counts, not the one extended to
            C: EXTEND o 1
            S: +HELD o seq=4 expires=1001000
            C: RESERVE o 2m a 2 b 2 buyer=ann
            S: +HELD o seq=4 expires=1001000 replay=1
            C: LOOKUP o
            S: +ORDER o state=held seq=4 at=1000000 expires=1001000 buyer=ann lines=2 a 2 b 2
            C: DEDUCT p a 1 a 2
            S: +SOLD p seq=5 available=4
            C: DEDUCT p a 3
            S: +SOLD p seq=5 available=4 replay=1
            C: ADJUST x a 6
            S: +ADJUSTED x onhand=12 seq=6
            C: DEDUCT p a 3
            S: +SOLD p seq=5 available=10 replay=1
            C: CONFIGURE a paused=1
            S: +STOCK a available=10 held=2 sold=3 onhand=12 floor=0 limit=0 paused=1 status=paused seq=7
            C: DEDUCT p a 3
            S: +SOLD p seq=5 available=10 replay=1
            """)
    }

    @Test("A late retry never revives an order")
    func lateRetries() {
        converse("""
            C: CREATE a 9
            S: +CREATED a seq=1
            C: RESERVE o-1 20ms a 1
            S: +HELD o-1 seq=2 available=8 expires=1000020
            C: RESERVE o-2 20ms a 1
            S: +HELD o-2 seq=3 available=7 expires=1000020
            C: RESERVE o-3 20ms a 2
            S: +HELD o-3 seq=4 available=5 expires=1000020
            C: CANCEL o-2 reason=changed-mind
            S: +CANCELLED o-2 seq=5
            C: CONFIRM o-3 a 1
            S: +SOLD o-3 seq=6
            C: RESERVE o-3 20ms a 2
            S: +SOLD o-3 seq=6 available=7 replay=1
            +19
            C: LOOKUP o-1
            S: +ORDER o-1 state=held seq=2 at=1000000 expires=1000020 lines=1 a 1
            +1
            C: RESERVE o-1 20ms a 1
            S: -EXPIRED o-1
            C: LOOKUP o-1
            S: +ORDER o-1 state=expired seq=7 at=1000000 lines=1 a 1
            C: RESERVE o-2 20ms a 1
            S: -CANCELLED o-2
            C: RETURN r-1 o-3
            S: +RETURNED r-1 seq=8
            C: RESERVE o-3 20ms a 2
            S: -RETURNED o-3
            C: RESERVE o-3 20ms a 1
            S: -CONFLICT o-3 state=returned seq=8
            C: GET a
            S: +STOCK a available=9 held=0 sold=0 onhand=9 floor=0 limit=0 status=selling seq=8
            """)
    }

    @Test("CONFIRM sells all or the pairs, once")
    func confirm() {
        converse("""
            C: CREATE a 9
            S: +CREATED a seq=1
            C: CREATE b 9
            S: +CREATED b seq=2
            C: CONFIRM o
            S: -NOORDER o
            C: RESERVE o 1m a 3 b 2 buyer=ann
            S: +HELD o seq=3 expires=1060000
            C: CONFIRM o a 1 c 1
            S: -RANGE c have=0
            C: CONFIRM o a 2 b 1 a 2
            S: -RANGE a have=3
            C: CONFIRM o a 1 a 1
            S: +SOLD o seq=4
            C: MGET a b c
            S: *3
            S: +STOCK a available=7 held=0 sold=2 onhand=7 floor=0 limit=0 status=selling seq=4
            S: +STOCK b available=9 held=0 sold=0 onhand=9 floor=0 limit=0 status=selling seq=4
            S: -NOSKU c
            C: LOOKUP o
            S: +ORDER o state=sold seq=4 at=1000000 buyer=ann lines=1 a 2
            C: CONFIRM o a 2 late=1
            S: +SOLD o seq=4 replay=1
            # bare is everything that was held
            C: CONFIRM o
            S: -CONFLICT o state=sold seq=4
            C: CONFIRM o ghost 1
            S: -CONFLICT o state=sold seq=4
            # what was sold counts before any return
            C: RETURN r o a 1
            S: +RETURNED r seq=5
            C: CONFIRM o a 2
            S: +SOLD o seq=5 replay=1
            C: EXTEND o 1
            S: -SOLD o
            C: RETURN s o
            S: +RETURNED s seq=6
            C: CONFIRM o a 2
            S: -RETURNED o
            C: DEDUCT p a 1
            S: +SOLD p seq=7 available=8
            C: CONFIRM p
            S: +SOLD p seq=7 replay=1
            C: CONFIRM r
            S: -CONFLICT r state=return seq=5
            """)
    }

    @Test("CANCEL gives back, once, and takes nothing paid; of an unknown id it is remembered")
    func cancel() {
        converse("""
            C: CREATE a 5
            S: +CREATED a seq=1
            C: RESERVE o 10ms a 1
            S: +HELD o seq=2 available=4 expires=1000010
            C: RESERVE p 1m a 1
            S: +HELD p seq=3 available=3 expires=1060000
            C: CANCEL p
            S: +CANCELLED p seq=4
            C: CANCEL p reason=unpaid
            S: +CANCELLED p seq=4 replay=1
            C: CONFIRM p late=1
            S: -CANCELLED p
            C: EXTEND p 1
            S: -CANCELLED p
            +10
            C: CANCEL o
            S: +EXPIRED o seq=5 replay=1
            C: CANCEL q
            S: +CANCELLED q seq=6 empty=1
            C: CANCEL q
            S: +CANCELLED q seq=6 empty=1 replay=1
            C: LOOKUP q
            S: +ORDER q state=cancelled seq=6 at=1000010 lines=0
            C: RESERVE q 1m a 1
            S: -CANCELLED q
            C: DEDUCT q a 1
            S: -CANCELLED q
            C: RETURN r q
            S: -CANCELLED q
            C: ADJUST q a 1
            S: -CONFLICT q state=cancelled seq=6
            C: ADJUST x a 1
            S: +ADJUSTED x onhand=6 seq=7
            C: CANCEL x
            S: -CONFLICT x state=adjusted seq=7
            C: DEDUCT s a 6
            S: +SOLD s seq=8 available=0
            C: CANCEL s
            S: -SOLD s
            C: GET a
            S: +STOCK a available=0 held=0 sold=6 onhand=0 floor=0 limit=0 status=sold-out seq=8
            """)
    }

    @Test("RETURN gives back parts or all that is left, once per id")
    func returns() {
        converse("""
            C: CREATE a 9
            S: +CREATED a seq=1
            C: CREATE b 9
            S: +CREATED b seq=2
            C: RETURN r-0 o
            S: -NOORDER o
            C: RESERVE o 1m a 3 b 2 buyer=ann
            S: +HELD o seq=3 expires=1060000
            C: RETURN r-0 o
            S: -HELD o
            C: CONFIRM o
            S: +SOLD o seq=4
            C: RETURN r-1 o a 1
            S: +RETURNED r-1 seq=5
            +7
            C: RETURN r-2 o b 2 a 3
            S: -RANGE a have=2
            C: RETURN r-2 o c 1 a 3
            S: -RANGE c have=0
            C: RETURN r-2 o b 1
            S: +RETURNED r-2 seq=6
            C: LOOKUP o
            S: +ORDER o state=sold seq=6 at=1000000 buyer=ann lines=2 a 2 b 1
            C: RETURN r-3 o
            S: +RETURNED r-3 seq=7
            C: LOOKUP o
            S: +ORDER o state=returned seq=7 at=1000000 buyer=ann lines=2 a 3 b 2
            # replays say their own sequence
            C: RETURN r-1 o a 1
            S: +RETURNED r-1 seq=5 replay=1
            C: RETURN r-1 o
            S: -CONFLICT r-1 state=return seq=5
            C: RETURN r-1 o a 2
            S: -CONFLICT r-1 state=return seq=5
            C: RETURN r-3 o
            S: +RETURNED r-3 seq=7 replay=1
            C: RETURN r-3 o b 1 a 1 a 1
            S: +RETURNED r-3 seq=7 replay=1
            C: RETURN r-3 p
            S: -CONFLICT r-3 state=return seq=7
            C: RETURN r-4 o
            S: -RETURNED o
            C: RETURN o o
            S: -CONFLICT o state=returned seq=7
            C: RETURN r-4 r-1
            S: -CONFLICT r-1 state=return seq=5
            """)
    }

    @Test("Limits count what a buyer holds and has bought, also before there was a limit")
    func quota() {
        converse("""
            C: CREATE a 20
            S: +CREATED a seq=1
            C: RESERVE o-1 20ms a 2 buyer=ann
            S: +HELD o-1 seq=2 available=18 expires=1000020
            C: DEDUCT o-2 a 2 buyer=ann
            S: +SOLD o-2 seq=3 available=16
            C: CONFIGURE a limit=3
            S: +STOCK a available=16 held=2 sold=2 onhand=18 floor=0 limit=3 status=selling seq=4
            C: DEDUCT o-3 a 1 buyer=ann
            S: -QUOTA a limit=3 used=4
            # a hold is a promise: the limit is not asked again
            C: EXTEND o-1 30ms
            S: +HELD o-1 seq=5 expires=1000030
            +30
            C: DEDUCT o-3 a 1 buyer=ann
            S: +SOLD o-3 seq=7 available=17
            # a late payment asks for the limit again
            C: CONFIRM o-1 late=1
            S: -QUOTA a limit=3 used=3
            C: RETURN r o-2
            S: +RETURNED r seq=8
            C: CONFIRM o-1 late=1
            S: +SOLD o-1 seq=9
            C: DEDUCT o-4 a 1 buyer=ann
            S: -QUOTA a limit=3 used=3
            C: DEDUCT o-4 a 1 buyer=bob
            S: +SOLD o-4 seq=10 available=16
            """)
    }
}
