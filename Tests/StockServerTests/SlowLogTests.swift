// The slow log: what is kept of turns that took too long, and that ordinary ones leave nothing.

import StockModel
import StockWire
import Testing

@testable import StockServer

@Suite("The slow log", .timeLimit(.minutes(1)))
struct SlowLogTests {
    private func record(milliseconds: Int64, requests: Int = 0) -> TurnRecord {
        var record = TurnRecord()
        record.nanoseconds = milliseconds * 1_000_000
        record.requests = requests
        return record
    }

    @Test("it keeps the last 128 slow turns and counts all of them")
    func ring() {
        var log = SlowLog(limit: 2_000_000)
        let statistics = Statistics()
        for number in 1...300 {
            log.look(
                at: record(milliseconds: 3, requests: number), start: 0, statistics, ledgerBytes: 0, segment: 1)
        }
        #expect(log.count == 300)
        #expect(log.kept == 128)
        let newest = log[0]
        let oldest = log[127]
        #expect(newest.number == 300)
        #expect(newest.record.requests == 300)
        #expect(oldest.number == 173)
        #expect(oldest.record.requests == 173)
    }

    @Test("a turn within the limit is not kept, however often the thread is looked at")
    func ordinary() {
        var log = SlowLog(limit: 2_000_000)
        let statistics = Statistics()
        for _ in 0..<10 { log.look(at: record(milliseconds: 2), start: 0, statistics, ledgerBytes: 0, segment: 1) }
        #expect(log.count == 0)
        #expect(log.kept == 0)
    }

    @Test("the kernel is asked after half a millisecond of turns, and for every slow one")
    func looks() {
        var log = SlowLog(limit: 2_000_000)
        let statistics = Statistics()
        var looks = 0
        for _ in 0..<100 where log.wantsLook(100_000) {
            looks += 1
            log.look(at: TurnRecord(), start: 0, statistics, ledgerBytes: 0, segment: 1)
        }
        #expect(looks == 20)
        let slow = log.wantsLook(2_000_001)
        #expect(slow)
    }

    @Test("time in which somebody else had the processor is not the turn's own work")
    func preemption() {
        var log = SlowLog(limit: 2_000_000)
        let statistics = Statistics()
        log.look(at: TurnRecord(), start: 0, statistics, ledgerBytes: 0, segment: 1)
        // An hour by the clock, of which this thread worked for next to nothing.
        log.look(at: record(milliseconds: 3_600_000), start: 0, statistics, ledgerBytes: 0, segment: 1)
        let turn = log[0]
        #expect(turn.ownWork < turn.record.nanoseconds / 2)
        #expect(log.mostOwnWork == turn.ownWork)
    }

    @Test("it tells what was asked, what grew and which segment was begun since the last look")
    func contents() {
        var log = SlowLog(limit: 0)
        let statistics = Statistics()
        log.look(at: record(milliseconds: 1), start: 0, statistics, ledgerBytes: 1_000, segment: 1)
        statistics.calls[Int(Verb.deduct.rawValue)] = 512
        statistics.calls[Int(Verb.get.rawValue)] = 3
        log.look(at: record(milliseconds: 1, requests: 515), start: 0, statistics, ledgerBytes: 5_096, segment: 2)
        let text = log[0].text
        #expect(text.contains(" requests=515 "))
        #expect(text.contains(" grown_bytes=4096 "))
        #expect(text.contains(" segments=1 "))
        #expect(text.hasSuffix(" verbs=deduct:512,get:3"))
    }

    @Test("STATS slow shows the turns, newest first, and a plain STATS only how many there were")
    func statistics() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server { $0.slowTurn = 0 }
        let client = try TestClient(to: server)
        client.send("PING\n")
        server.turn(until: { _ in client.lineCount == 1 })
        client.send("STATS slow\n")
        server.turn(until: { _ in client.lineCount > 4 })
        let lines = client.lines
        #expect(lines[2].hasPrefix("+slow_turns="))
        #expect(lines[3] == "+slow_turn_limit_ms=0")
        let numbers = lines.dropFirst(4).compactMap { line in
            Int(line.dropFirst("+slow_".count).prefix { $0 != "=" })
        }
        #expect(numbers == Array((1...max(1, numbers.count)).reversed()))
        #expect(lines.contains { $0.hasPrefix("+slow_") && $0.contains(" requests=1 ") && $0.contains("verbs=ping:1") })

        let other = try TestClient(to: server)
        other.send("STATS\n")
        server.turn(until: { _ in other.lineCount > 50 })
        #expect(other.lines.contains { $0.hasPrefix("+slow_turns=") })
        #expect(!other.lines.contains { $0.hasPrefix("+slow_1=") })
    }
}
