// No reply leaves before what it tells of is safe, none overtakes another, and all leave in the end.

import StockJournal
import StockWire
import Testing

@testable import StockServer

@Suite("The gate and the replies it holds")
struct GateTests {
    @Test(
        "a reply passes when its sequence has reached its level",
        arguments: [
            (written: 5, durable: 3, sequence: 5, level: SafetyLevel.written, passes: true),
            (written: 5, durable: 3, sequence: 6, level: .written, passes: false),
            (written: 5, durable: 3, sequence: 3, level: .durable, passes: true),
            (written: 5, durable: 3, sequence: 4, level: .durable, passes: false),
            (written: 0, durable: 0, sequence: 0, level: .durable, passes: true),
        ] as [(written: UInt64, durable: UInt64, sequence: UInt64, level: SafetyLevel, passes: Bool)])
    func passes(written: UInt64, durable: UInt64, sequence: UInt64, level: SafetyLevel, passes: Bool) {
        #expect(Gate(written: written, durable: durable).isOpen(for: sequence, level) == passes)
    }

    @Test("replies wait for the disk in the mode always, and for the kernel in the others")
    func levels() {
        #expect(SyncMode.always.replyLevel == .durable)
        #expect(SyncMode.everysec.replyLevel == .written)
        #expect(SyncMode.never.replyLevel == .written)
    }

    private func held(_ parts: [(String, UInt64, SafetyLevel)]) -> HeldReplies {
        var replies = HeldReplies()
        for (text, sequence, level) in parts {
            Array(text.utf8).withUnsafeBytes { replies.append($0, until: sequence, level) }
        }
        return replies
    }

    private func takeable(_ replies: borrowing HeldReplies) -> String {
        String(decoding: replies.takeable, as: UTF8.self)
    }

    @Test("what waits for the disk holds up what comes behind it")
    func order() {
        var replies = held([("a", 1, .written), ("b", 2, .durable), ("c", 2, .written)])
        replies.release(through: Gate(written: 1, durable: 0))
        #expect(takeable(replies) == "a")
        replies.release(through: Gate(written: 9, durable: 1))
        #expect(takeable(replies) == "a")
        replies.release(through: Gate(written: 9, durable: 2))
        #expect(takeable(replies) == "abc")
        let isFree = !replies.waitsForGate
        #expect(isFree)
    }

    @Test("what waits for a disk that has failed becomes another reply in the same place")
    func replacing() {
        var replies = held([("a\n", 1, .written), ("b\n", 2, .durable), ("c\n", 2, .written)])
        replies.release(through: Gate(written: 1, durable: 0))
        replies.consume(1)
        let count = Array("no\n".utf8).withUnsafeBytes { replies.replace(waitingFor: .durable, with: $0) }
        #expect(count == 1)
        #expect(takeable(replies) == "\n")
        replies.release(through: Gate(written: 2, durable: 0))
        #expect(takeable(replies) == "\nno\nc\n")
    }

    @Test("what was taken goes, and the rest keeps its place and its marks")
    func consuming() {
        var replies = held([("abc", 1, .written), ("def", 2, .written)])
        replies.release(through: Gate(written: 1, durable: 0))
        replies.consume(2)
        #expect(takeable(replies) == "c")
        let fourLeft = replies.count == 4
        #expect(fourLeft)
        replies.consume(1)
        let noneReleased = replies.released == 0
        #expect(noneReleased)
        replies.release(through: Gate(written: 2, durable: 0))
        #expect(takeable(replies) == "def")
        replies.consume(3)
        let isEmpty = replies.isEmpty
        #expect(isEmpty)
    }

    @Test("what may already leave is followed by what may not")
    func releasedFirst() {
        var replies = HeldReplies()
        Array("ab".utf8).withUnsafeBytes { replies.appendReleased($0) }
        Array("cd".utf8).withUnsafeBytes { replies.append($0, until: 7, .durable) }
        #expect(takeable(replies) == "ab")
        replies.release(through: Gate(written: 7, durable: 7))
        #expect(takeable(replies) == "abcd")
    }
}
