// What `top` shows of two samples.

import StockConnection
import Testing

@testable import StockConsole

@Suite("The view of top")
struct TopTests {
    private func sample(at seconds: Int64, _ statistics: [String], skus: [String] = [], holds: [String] = []) -> Sample {
        var sample = Sample()
        sample.time = seconds * 1_000_000_000
        sample.add(statistics: (["process=7"] + statistics).map { ReplyLine("+" + $0) })
        for line in skus { sample.add(sku: ReplyLine("+STOCK " + line)) }
        for line in holds { sample.add(hold: ReplyLine("+ORDER " + line)) }
        return sample
    }

    private func rows(_ before: Sample?, _ now: Sample) -> [String] {
        TopView(before: before, now: now, palette: Palette(isColoured: false), address: "here").lines
            .map { $0.split(separator: " ").joined(separator: " ") }
    }

    @Test("Rates are differences over the time between, busiest first")
    func rates() {
        let before = sample(
            at: 10,
            ["requests=1000", "deduct_calls=100", "deduct_us=50", "get_calls=10", "get_us=1", "refused_SOLDOUT=4", "refused_NOSKU=9"])
        let now = sample(
            at: 12,
            ["requests=5000", "deduct_calls=4100", "deduct_us=6050", "get_calls=11", "get_us=2", "refused_SOLDOUT=24", "refused_NOSKU=9"])
        let rows = rows(before, now)
        #expect(rows.contains { $0.hasPrefix("requests 2,000/s ") })
        let commands = rows.drop { !$0.hasPrefix("COMMAND") }
        #expect(Array(commands.dropFirst().prefix(2)) == ["DEDUCT 2,000 4,100 1.5", "GET 0.5 11 1.0"])
        let refusals = rows.drop { !$0.hasPrefix("REFUSED") }
        #expect(Array(refusals.dropFirst()) == ["-SOLDOUT 10.0 24", "-NOSKU 0.0 9"])
    }

    @Test("The newest slow turns are shown with what of them was the server's own work")
    func slowTurns() {
        var now = sample(
            at: 2, ["clock_ms=1763690405000", "longest_turn_us=6621", "longest_work_us=1382", "slow_turns=1234"])
        now.add(
            slowTurns: [
                "+slow_turns=1234", "+slow_turn_limit_ms=2",
                "+slow_1234=1763690400000 us=6621 cpu_us=1382 requests=832 expiry_steps=7 waits=2 verbs=deduct:832",
                "+slow_1233=1763690300000 us=2100 cpu_us=2000 requests=3",
            ].map { ReplyLine($0) })
        let rows = rows(nil, now)
        #expect(rows.contains { $0.contains("slowest turn 6.6 ms") && $0.contains("own work at most 1.4 ms, 1,234 slow turns") })
        let slow = rows.drop { !$0.hasPrefix("SLOW TURNS") }.dropFirst()
        #expect(Array(slow) == ["5s ago 6.6 ms 1.4 ms 832 7 2 deduct:832", "1m 45s ago 2.1 ms 2.0 ms 3 0 0"])
    }

    @Test("The first look, and the first after a restart, have totals and no rates")
    func first() {
        let now = sample(at: 2, ["requests=5", "deduct_calls=3", "deduct_us=6"])
        #expect(rows(nil, now).contains("DEDUCT – 3 –"))
        var other = sample(at: 1, ["requests=9", "deduct_calls=9"])
        other.numbers["process"] = 6
        #expect(rows(other, now).contains("DEDUCT – 3 –"))
    }

    @Test("The hottest SKUs are those that sold most in between, also new ones")
    func hottest() {
        let before = sample(at: 0, [], skus: ["a sold=100 available=9", "b sold=5 available=9", "c sold=7"])
        let now = sample(
            at: 2, [],
            skus: ["a sold=104 held=1 available=5 status=selling", "b sold=25 held=0 available=0 status=sold-out", "c sold=7", "d sold=2"])
        let hottest = rows(before, now).drop { !$0.hasPrefix("HOTTEST") }.dropFirst()
        #expect(Array(hottest) == ["b 10.0 25 0 0 sold-out", "a 2.0 104 1 5 selling", "d 1.0 2 0 0"])
    }

    @Test("Holds that expire within a minute are counted, the soonest shown first")
    func expiring() {
        let now = sample(
            at: 0, ["clock_ms=1000000"],
            holds: [
                "late state=held expires=1060001 lines=1 a 1", "soon state=held expires=1059000 lines=2 a 1 b 2",
                "due state=held expires=900000 lines=1 a 1",
            ])
        let rows = rows(nil, now).drop { !$0.hasPrefix("EXPIRING") }
        #expect(Array(rows) == ["EXPIRING within a minute: 2 in units", "due 0s a × 1", "soon 59s a × 1, b × 2"])
    }

    @Test("Hostile numbers and text do no harm")
    func hostile() {
        let before = sample(at: 3, ["requests=-9223372036854775808", "clock_ms=9223372036854775807"])
        let now = sample(
            at: 1, ["requests=9223372036854775807", "clock_ms=9223372036854775807", "uptime_s=-1", "version=\u{1B}[2J"],
            skus: ["a sold=9223372036854775807"], holds: ["x expires=-9223372036854775808 lines=1 a 1"])
        for before in [before, nil] {
            #expect(!rows(before, now).joined().contains("\u{1B}"))
        }
    }

    @Test("A server that folds its log says how far that is behind, others say nothing of it")
    func folding() {
        let keys = ["archive_state=failing", "archive_reason=no room", "fold_lag_events=1200", "fold_lag_ms=61000"]
        #expect(rows(nil, sample(at: 0, keys)).contains {
            $0.hasPrefix("archive failing: no room behind 1,200 events, 1m 1s")
        })
        #expect(!rows(nil, sample(at: 0, ["seq=4"])).contains { $0.contains("archive") })
    }

    @Test("Lines are cut to the width of the terminal, colours apart")
    func cutting() {
        #expect(Top.cut("abcdef", to: 3) == "abc")
        #expect(Top.cut("\u{1B}[31mabc\u{1B}[0mdef", to: 2) == "\u{1B}[31mab\u{1B}[0m")
        #expect(countText(1_234_567) == "1,234,567")
        #expect(countText(-100) == "-100")
        #expect(rateText(99.95) == "100.0")
        #expect(sizeText(1_536) == "1.5 KiB")
        #expect(timeText(3_725) == "1h 2m")
    }
}
