// Replies are counted right however they are cut, and what is wrong is seen.

import StockConnection
import Testing

@testable import StockBench

@Suite("Replies")
struct ReplyTests {
    /// Whether the expectation holds for `line` both in the middle of other bytes and at the very end of them.
    private func holds(_ expectation: ExpectedReply, _ line: String) -> Bool {
        let alone = Array("\(line)\r\n".utf8)
        let followed = alone + Array("+SOLD and more bytes".utf8)
        let answers = [alone, followed].map { bytes in
            bytes.withUnsafeBytes { buffer -> Bool in
                guard let start = buffer.baseAddress else { return false }
                return expectation.holds(for: start, count: alone.count, limit: start + buffer.count)
            }
        }
        #expect(answers[0] == answers[1])
        return answers[0]
    }

    @Test("A reply is known by its first word")
    func prefixes() {
        let sold = ExpectedReply.starts("+SOLD ")
        #expect(holds(sold, "+SOLD o-1 seq=3 available=9"))
        for wrong in ["-SOLD o-1", "+SOLDOUT x", "+HELD o-1", "+S", "", "-SOLDOUT sku want=1", "+OK"] {
            #expect(!holds(sold, wrong))
        }
        #expect(holds(.starts("+PONG"), "+PONG"))
        #expect(holds(.starts("+CANCELLED "), "+CANCELLED o-1 seq=3"))
        #expect(holds(.starts(":-3"), ":-3"))
    }

    @Test("A number is one that is not below zero")
    func numbers() {
        #expect(holds(.number, ":0"))
        #expect(holds(.number, ":123456789"))
        for wrong in [":-1", ":", "+OK", "-ERR no", "$3", ":x"] { #expect(!holds(.number, wrong)) }
    }

    @Test("A retry must be answered as one")
    func replays() {
        let retry = ExpectedReply.replay("+SOLD ")
        #expect(holds(retry, "+SOLD o-1 seq=3 available=1 replay=1"))
        #expect(holds(retry, "+SOLD o-1 seq=3 replay=1 later=7"))
        for wrong in ["+SOLD o-1 seq=3 available=1", "-CONFLICT o-1 replay=1", "+SOLD o noreplay=1", "+SOLD replay=2"] {
            #expect(!holds(retry, wrong))
        }
    }

    /// What a conversation with `asked` DEDUCTs in flight makes of `pieces`.
    private func tally(
        asked: Int, shape: RequestShape = StockadeRequests.deduct, _ pieces: [[UInt8]]
    ) throws(ConnectionError) -> Tally {
        let book = RequestTests.book([shape])
        var conversation = Conversation(number: 0, pipeline: asked, longest: book.longest)
        conversation.ask(asked, since: 100, plan: .fresh, book: book)
        var tally = Tally()
        for piece in pieces {
            let bytes = conversation.unfinished + piece
            let result = bytes.withUnsafeBytes { buffer -> Result<Void, ConnectionError> in
                do throws(ConnectionError) {
                    return .success(try conversation.hear(buffer, at: 350, tally: &tally, book: book))
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
        }
        #expect(conversation.inFlight == asked - tally.replies)
        return tally
    }

    private static let replies = Array("+SOLD a seq=1\r\n-SOLDOUT s want=1\r\n+SOLD c seq=2\r\n".utf8)

    @Test("Replies that are cut anywhere count the same")
    func cuts() throws {
        for first in 0...Self.replies.count {
            for second in first...Self.replies.count {
                let pieces = [0..<first, first..<second, second..<Self.replies.count].map { Array(Self.replies[$0]) }
                let tally = try tally(asked: 3, pieces)
                #expect(tally.replies == 3)
                #expect(tally.expected == 2)
                #expect(tally.unexpected == [UnexpectedReply(word: "-SOLDOUT", count: 1, example: "-SOLDOUT s want=1")])
                #expect(tally.latencies.longest == 250)
            }
        }
    }

    @Test("Kinds of wrong replies are told apart, each with its first line")
    func kinds() throws {
        let text = "-BUSY 1\r\n-BUSY 2\r\n:-1\r\n+HELD x\r\n:-2\r\n"
        let tally = try tally(asked: 5, [Array(text.utf8)])
        #expect(tally.unexpected.map(\.word) == ["-BUSY", "a number", "+HELD"])
        #expect(tally.unexpected.map(\.count) == [2, 2, 1])
        #expect(tally.unexpected.first?.example == "-BUSY 1")
    }

    @Test("Endless kinds of wrong replies take no endless memory")
    func manyKinds() throws {
        let text = (0..<100).map { "-E\($0)\r\n" }.joined()
        let tally = try tally(asked: 100, [Array(text.utf8)])
        #expect(tally.unexpected.count == Tally.mostKinds)
        #expect(tally.unexpected.reduce(0) { $0 + $1.count } == 100)
    }

    @Test("The two lines of a bulk string are one reply, and a null is one line")
    func bulk() throws {
        let read = RequestShape(["GET", "{sku}"], expects: .starts("$"))
        let tally = try tally(asked: 3, shape: read, [Array("$3\r\n999\r\n$-1\r\n$1\r\n7\r\n".utf8)])
        #expect(tally.replies == 3)
    }

    @Test("A reply that nobody asked for, a list and an endless line end the run")
    func nonsense() {
        for (asked, text) in [
            (1, "+SOLD a\r\n+SOLD b\r\n"), (1, "*2\r\n+A\r\n+B\r\n"),
            (1, String(repeating: "x", count: Conversation.longestLine + 1)),
        ] {
            #expect(throws: ConnectionError.self) { _ = try tally(asked: asked, [Array(text.utf8)]) }
        }
    }

    @Test("Only what was sent within the measured time is measured")
    func window() {
        var tally = Tally()
        tally.measureFrom = 1_000
        tally.measureUntil = 2_000
        for since in [0, 999, 1_000, 1_999, 2_000, 5_000] as [Int64] {
            tally.count(since: since, now: since + 10, asExpected: true)
        }
        #expect(tally.replies == 6)
        #expect(tally.measured == 2)
        #expect(tally.lastMeasured == 2_009)
    }

    @Test("A pipeline that is filled and emptied piece by piece keeps its requests whole")
    func refilling() {
        let book = RequestTests.book([StockadeRequests.deduct])
        var conversation = Conversation(number: 0, pipeline: 3, longest: book.longest)
        var tally = Tally()
        var sent = ""
        var asked = 0
        for round in 0..<200 {
            let count = min(conversation.room, 1 + round % 3)
            conversation.ask(count, since: 0, plan: .fresh, book: book)
            asked += count
            // The socket takes what is unsent in uneven pieces.
            let taken = min(conversation.unsent.count, 1 + round * 37 % 120)
            sent += String(decoding: conversation.unsent.prefix(taken), as: UTF8.self)
            conversation.sent(taken)
            let whole = sent.split(separator: "\n", omittingEmptySubsequences: false).count - 1
            let reply = Array("+SOLD a\r\n".utf8)
            if whole > tally.replies {
                reply.withUnsafeBytes { try? conversation.hear($0, at: 1, tally: &tally, book: book) }
            }
        }
        sent += String(decoding: conversation.unsent, as: UTF8.self)
        let lines = sent.split(separator: "\n")
        #expect(lines.count == asked)
        #expect(lines.enumerated().allSatisfy { index, line in
            line == RequestTests.text(Plan.fresh.step(UInt64(index), of: 0), book).dropLast()
        })
    }
}
