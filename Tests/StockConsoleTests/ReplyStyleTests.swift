// Replies for the eye: replies in, text out.

import StockConnection
import Testing

@testable import StockConsole

@Suite("Replies for the eye")
struct ReplyStyleTests {
    private func shown(_ lines: [String], coloured: Bool = false) -> String {
        let reply = Reply(head: ReplyLine(lines[0]), items: lines.dropFirst().map { ReplyLine($0) })
        return ReplyStyle.aligned(Palette(isColoured: coloured)).text(of: reply)
    }

    @Test("Stock is a table: numbers to the right, what only some have leaves cells empty, strangers stay lines")
    func stock() {
        let lines = [
            "*4", "+STOCK phone available=98 held=1 status=selling seq=17",
            "+STOCK a available=1000 held=0 opens=1763690400000 status=upcoming seq=17", "-NOSKU b", "+NEXT 9",
        ]
        #expect(
            shown(lines) == """
                sku    available  held  status    seq  opens
                phone         98     1  selling    17
                a           1000     0  upcoming   17  2025-11-21T02:00:00Z
                -NOSKU b
                more: the same with after=9

                """)
    }

    @Test("Orders show their lines as words, and times as dates")
    func orders() {
        let lines = [
            "*2", "+ORDER o-1 state=held seq=2 at=1763690400000 expires=1763690460000 buyer=ann lines=2 a 2 b 1", "+END",
        ]
        #expect(
            shown(lines) == """
                order  state  seq  at                    expires               buyer  lines
                o-1    held     2  2025-11-21T02:00:00Z  2025-11-21T02:01:00Z  ann    a × 2, b × 1
                (end)

                """)
    }

    @Test("Statistics stand in two columns")
    func statistics() {
        #expect(shown(["*2", "+seq=3", "+clock_ms=77"]) == "seq       3\nclock_ms  77\n")
        #expect(shown(["*0"]) == "(none)\n")
    }

    @Test("Colours say what was done and what was not, and no reply can steer the terminal")
    func colours() {
        #expect(shown(["+SOLD o-1 seq=2"], coloured: true) == "\u{1B}[32m+SOLD\u{1B}[0m o-1 seq=2\n")
        #expect(shown(["-NOSKU a"], coloured: true) == "\u{1B}[31m-NOSKU\u{1B}[0m a\n")
        #expect(shown(["+SOLD \u{1B}[2J"]) == "+SOLD \u{FFFD}[2J\n")
        #expect(ReplyStyle.plain.text(of: Reply(head: ReplyLine("+PONG"))) == "+PONG\n")
    }
}
