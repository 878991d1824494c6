// Replies as JSON: a line of the protocol in, the object out.

import StockConnection
import Testing

@testable import StockConsole

@Suite("Replies as JSON")
struct ReplyJSONTests {
    @Test(
        "A line becomes an object whose numbers are numbers and whose names are strings",
        arguments: [
            ("+SOLD o-1 seq=2 available=1", #"{"ok":true,"code":"SOLD","id":"o-1","seq":2,"available":1}"#),
            (
                "+STOCK 42 available=1 held=0 floor=-5 limit=0 paused=1 status=paused seq=7",
                #"{"ok":true,"code":"STOCK","sku":"42","available":1,"held":0,"floor":-5,"limit":0,"paused":true,"status":"paused","seq":7}"#
            ),
            (
                "+ORDER 9 state=held seq=2 buyer=5 lines=2 phone 2 7 1",
                #"{"ok":true,"code":"ORDER","id":"9","state":"held","seq":2,"buyer":"5","lines":[{"sku":"phone","quantity":2},{"sku":"7","quantity":1}]}"#
            ),
            ("-NOSKU phone", #"{"ok":false,"code":"NOSKU","sku":"phone"}"#),
            (
                "-CONFLICT o-1 state=adjusted seq=4",
                #"{"ok":false,"code":"CONFLICT","id":"o-1","state":"adjusted","seq":4}"#
            ),
            (
                "-SYNTAX expected: GET sku",
                #"{"ok":false,"code":"SYNTAX","message":"expected: GET sku"}"#
            ),
            ("-RANGE a quantity is 1 to 1000000000000", #"{"ok":false,"code":"RANGE","message":"a quantity is 1 to 1000000000000"}"#),
            ("-RANGE phone have=2", #"{"ok":false,"code":"RANGE","sku":"phone","have":2}"#),
            ("-UNKNOWN SELL", #"{"ok":false,"code":"UNKNOWN","verb":"SELL"}"#),
            ("+HELD o-1 seq=2 expires=9 replay=1", #"{"ok":true,"code":"HELD","id":"o-1","seq":2,"expires":9,"replay":true}"#),
            ("+NEXT 17", #"{"ok":true,"code":"NEXT","after":"17"}"#),
            ("+END", #"{"ok":true,"code":"END"}"#),
            ("+PONG", #"{"ok":true,"code":"PONG"}"#),
            ("*3", #"{"ok":true,"count":3}"#),
            (":7", #"{"ok":true,"value":7}"#),
            ("+uptime_s=12", #"{"ok":true,"uptime_s":12}"#),
            ("+digest=0000000000000012", #"{"ok":true,"digest":"0000000000000012"}"#),
            (#"+x"y\z"#, #"{"ok":true,"code":"x\"y\\z"}"#),
            ("", #"{"ok":true,"code":""}"#),
        ])
    func objects(line: String, object: String) {
        #expect(ReplyLine(line).json() == object)
    }

    @Test("Control characters of a server that is none are escaped, and the line of a script is told")
    func escapes() {
        #expect(ReplyLine("+a\u{1B}b").json(answering: 12) == #"{"ok":true,"code":"a\u001bb","line":12}"#)
    }

    @Test("Each line of a reply is a line of output")
    func arrays() {
        let reply = Reply(head: ReplyLine("*2"), items: [ReplyLine("+STOCK a held=1"), ReplyLine("-NOSKU b")])
        #expect(
            ReplyStyle.json.text(of: reply) == """
                {"ok":true,"count":2}
                {"ok":true,"code":"STOCK","sku":"a","held":1}
                {"ok":false,"code":"NOSKU","sku":"b"}

                """)
    }
}
