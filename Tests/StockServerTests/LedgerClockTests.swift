// Ledger time against every kind of step that a wall clock can make. The clock is handed its readings, so no test
// here waits for anything.

import StockModel
import Testing

@testable import StockServer

private let second: Int64 = 1_000_000_000
private let hour = 3_600 * second
private let day = 24 * hour
/// Some moment of the year 2026, in nanoseconds and in milliseconds.
private let start: Int64 = 1_795_246_428_123 * 1_000_000
private let startMilliseconds: Int64 = 1_795_246_428_123

private func clock(wall: Int64 = start) throws -> LedgerClock {
    try LedgerClock(startingAt: ClockReading(boot: 0, wall: wall), after: nil, maximumJump: 0)
}

@Suite("Ledger time")
struct LedgerClockTests {
    @Test("follows the wall clock exactly while nobody touches it")
    func follows() throws {
        var clock = try clock()
        for step in 0..<1_000 {
            let passed = Int64(step) * 1_300_000
            let now = clock.advance(to: ClockReading(boot: passed, wall: start + passed))
            #expect(now.milliseconds == (start + passed) / 1_000_000)
        }
        #expect(clock.lead == 0)
    }

    struct Step: CustomTestStringConvertible {
        var name: String
        /// By how much the wall clock is set, nanoseconds.
        var by: Int64
        /// After this much real time, ledger time has advanced by that much.
        var after: Int64
        var advanced: Int64
        var testDescription: String { name }
    }

    @Test(
        "is drawn towards a stepped wall clock at half to double speed",
        arguments: [
            Step(name: "an hour ahead, after ten minutes", by: hour, after: hour / 6, advanced: hour / 3),
            Step(name: "an hour ahead, just caught up", by: hour, after: hour, advanced: 2 * hour),
            Step(name: "an hour ahead, after two hours", by: hour, after: 2 * hour, advanced: 3 * hour),
            Step(name: "an hour back, after ten minutes", by: -hour, after: hour / 6, advanced: hour / 12),
            Step(name: "an hour back, just caught up", by: -hour, after: 2 * hour, advanced: hour),
            Step(name: "an hour back, after three hours", by: -hour, after: 3 * hour, advanced: 2 * hour),
            Step(name: "30 days ahead, after an hour", by: 30 * day, after: hour, advanced: 2 * hour),
            Step(name: "30 days back, after an hour", by: -30 * day, after: hour, advanced: hour / 2),
            Step(name: "half a second ahead, after a second", by: second / 2, after: second, advanced: second * 3 / 2),
            Step(name: "half a second back, after a second", by: -second / 2, after: second, advanced: second / 2),
        ])
    func slews(_ step: Step) throws {
        for turns in [1, 7, 1_000] as [Int64] {
            var clock = try clock()
            var now = Timestamp(milliseconds: startMilliseconds)
            for turn in 1...turns {
                let passed = step.after / turns * turn + (turn == turns ? step.after % turns : 0)
                let before = now
                now = clock.advance(to: ClockReading(boot: passed, wall: start + step.by + passed))
                #expect(now >= before)
            }
            #expect(abs(now.milliseconds - startMilliseconds - step.advanced / 1_000_000) <= 1)
        }
    }

    @Test("does not stand still and does not jump when the wall clock goes mad")
    func mad() throws {
        var clock = try clock()
        var before = startMilliseconds
        for turn in 1...2_000 as ClosedRange<Int64> {
            let wall = [Int64.min, Int64.max, 0, start - day, start + 365 * day][Int(turn % 5)]
            let now = clock.advance(to: ClockReading(boot: turn * 10_000_000, wall: wall)).milliseconds
            #expect((5...20).contains(now - before))
            before = now
        }
    }

    @Test("goes on in suspend, and expires what ran out meanwhile")
    func suspend() throws {
        var clock = try clock()
        _ = clock.advance(to: ClockReading(boot: second, wall: start + second))
        let woken = clock.advance(to: ClockReading(boot: 9 * hour, wall: start + 9 * hour))
        #expect(woken.milliseconds == startMilliseconds + 9 * 3_600_000)
    }

    @Test("never goes backwards, whatever the readings")
    func monotonic() throws {
        var clock = try clock()
        let later = clock.advance(to: ClockReading(boot: hour, wall: start + hour))
        #expect(clock.advance(to: ClockReading(boot: 0, wall: start)) == later)
        #expect(clock.advance(to: ClockReading(boot: hour, wall: start)) == later)
        #expect(clock.advance(to: ClockReading(boot: hour + second, wall: start)) > later)
    }
}

@Suite("Ledger time at a start")
struct LedgerClockStartTests {
    static let limit: Int64 = 30 * 86_400_000

    /// The first ledger time of a server whose wall clock is `wall` milliseconds after the log's newest event.
    private func begin(wall ahead: Int64, accept: Bool = false) throws -> Int64 {
        let reading = ClockReading(boot: 0, wall: start)
        var clock = try LedgerClock(
            startingAt: reading, after: Timestamp(milliseconds: startMilliseconds - ahead), maximumJump: Self.limit,
            accept: accept)
        return clock.advance(to: reading).milliseconds - startMilliseconds
    }

    @Test("is the wall clock's when that is after the log", arguments: [0, 1, 86_400_000, limit])
    func ahead(by milliseconds: Int64) throws {
        #expect(try begin(wall: milliseconds) == 0)
    }

    @Test("is the log's when the wall clock is at most ten seconds behind", arguments: [1, 5_000, 10_000])
    func slightlyBehind(by milliseconds: Int64) throws {
        #expect(try begin(wall: -milliseconds) == milliseconds)
    }

    @Test("waits a wall clock that is a little behind out by running at half speed")
    func waitsOut() throws {
        var clock = try LedgerClock(
            startingAt: ClockReading(boot: 0, wall: start), after: Timestamp(milliseconds: startMilliseconds + 10_000),
            maximumJump: Self.limit)
        #expect(clock.lead == 10_000)
        let half = clock.advance(to: ClockReading(boot: 10 * second, wall: start + 10 * second))
        #expect(half.milliseconds == startMilliseconds + 15_000)
        let whole = clock.advance(to: ClockReading(boot: 20 * second, wall: start + 20 * second))
        #expect(whole.milliseconds == startMilliseconds + 20_000)
        #expect(clock.lead == 0)
    }

    @Test("is refused when the wall clock is further behind")
    func tooFarBehind() {
        let refusal = #expect(throws: ClockRefusal.self) { try begin(wall: -10_001) }
        #expect(refusal == .behind(wall: startMilliseconds, newest: startMilliseconds + 10_001))
        #expect("\(refusal as Any)".contains("--accept-clock"))
    }

    @Test("is refused when the wall clock is further ahead than is believed")
    func tooFarAhead() {
        let refusal = #expect(throws: ClockRefusal.self) { try begin(wall: Self.limit + 1) }
        let newest = startMilliseconds - Self.limit - 1
        #expect(refusal == .ahead(wall: startMilliseconds, newest: newest, limit: Self.limit))
        #expect("\(refusal as Any)".contains("--max-clock-jump"))
    }

    @Test("goes on from the later of log and wall clock once the operator accepts the clock")
    func accepted() throws {
        #expect(try begin(wall: -3_600_000, accept: true) == 3_600_000)
        #expect(try begin(wall: Self.limit + 1, accept: true) == 0)
    }

    @Test("is refused for times that no clock can show", arguments: [Int64.max, Int64.min, -1, 9_300_000_000_000])
    func unreachable(newest: Int64) {
        #expect(throws: ClockRefusal.unreachable(newest: newest)) {
            try LedgerClock(
                startingAt: ClockReading(boot: 0, wall: start), after: Timestamp(milliseconds: newest),
                maximumJump: Self.limit, accept: true)
        }
    }
}

@Suite("Times and sizes as people read them")
struct TimeTextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_246_428_123, "2026-11-21T07:33:48.123Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func moments(milliseconds: Int64, text: String) {
        #expect(UTCTime(milliseconds).description == text)
    }

    @Test("do not trap on any number")
    func extremes() {
        for value in [Int64.min, Int64.max] { #expect(!UTCTime(value).description.isEmpty) }
    }

    @Test(
        arguments: [(0, "0 ms"), (999, "999 ms"), (2_500, "2.5 s"), (900_000, "15 min"), (2_592_000_000, "30 d")]
            as [(Int64, String)])
    func durations(milliseconds: Int64, text: String) {
        #expect(DurationText(milliseconds).description == text)
    }

    @Test(arguments: [(0, "0 B"), (1_536, "1.5 KiB"), (64 << 20, "64 MiB"), (5 << 40, "5 TiB")] as [(Int64, String)])
    func sizes(bytes: Int64, text: String) {
        #expect(SizeText(bytes).description == text)
    }
}
