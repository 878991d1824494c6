// Numbers, tables and JSON as people and programs get them.

import Foundation
import StockConnection
import Testing

@testable import StockBench

@Suite("Reports")
struct ReportTests {
    @Test("Numbers are grouped and rounded")
    func numbers() {
        #expect([0, 7, 999, 1_000, 1_234_567, -12_345].map(grouped) == ["0", "7", "999", "1,000", "1,234,567", "-12,345"])
        #expect(fixed(2.345, 2) == "2.35" || fixed(2.345, 2) == "2.34")
        #expect([fixed(0.05, 1), fixed(-1.25, 1), fixed(-0.001, 1), fixed(12, 0), fixed(.infinity, 1)]
            == ["0.1", "-1.3", "0.0", "12", "–"])
        #expect([1_500, 250_000, 2_500_000, 3_210_000_000].map { duration($0) } == ["1.5 µs", "250 µs", "2.50 ms", "3.21 s"])
    }

    @Test("Durations of the command line have a unit, or are seconds")
    func durations() {
        #expect(["500ms", "10s", "2m", "3"].map { BenchDuration($0)?.nanoseconds }
            == [500_000_000, 10_000_000_000, 120_000_000_000, 3_000_000_000])
        for wrong in ["", "s", "-1s", "1h", "1.5s", "99999999999999999999s", "86400001", "1441m"] {
            #expect(BenchDuration(wrong) == nil, "\(wrong)")
        }
    }

    @Test("JSON is JSON, whatever stands in a reply")
    func json() throws {
        let report = LoadReport(options: LoadOptions(address: .unix(path: "a\"b\\c\n\u{1}")), result: LoadResult())
        let object = try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any]
        #expect(object?["address"] as? String == "unix:a\"b\\c\n\u{1}")
        #expect(object?["throughput"] as? Double == 0)
    }

    @Test("A result that nobody should quote says why")
    func warnings() {
        var result = LoadResult()
        #expect(result.warnings.isEmpty)
        #expect(result.isSound)
        result.processorShare = 0.91
        #expect(result.warnings == ["the load generator used 91 % of a processor: it may be the bottleneck"])
        #expect(result.isSound)
        result.unexpected = [UnexpectedReply(word: "-BUSY", count: 3, example: "-BUSY disk")]
        #expect(!result.isSound)
        let text = LoadReport(options: LoadOptions(address: .unix(path: "x")), result: result).text
        #expect(text.contains("unexpected -BUSY 3 times, first: -BUSY disk"))
        #expect(text.contains("3 replies were not as expected"))
    }

    @Test("The median and the ends of several rounds")
    func spread() {
        #expect(Spread([]) == nil)
        #expect(Spread([3, 1, 2])?.median == 2)
        #expect(Spread([4, 1, 2, 3])?.median == 2.5)
        #expect(Spread([4, 1, 2])?.lowest == 1)
        #expect(Spread([4, 1, 2])?.highest == 4)
    }

    @Test("Percentiles keep three digits, and what is beyond the scale counts as its end")
    func percentiles() {
        var latencies = Latencies()
        for value in 1...10_000 { latencies.record(Int64(value) * 1_000) }
        #expect(abs(latencies.percentile(50) - 5_000_000) < 5_000)
        #expect(abs(latencies.percentile(99.9) - 9_990_000) < 10_000)
        latencies.record(.max)
        latencies.record(-5)
        #expect(latencies.count == 10_002)
        #expect(latencies.longest == Int64(Latencies.longest))
    }
}

@Suite("Comparisons")
struct ComparisonTests {
    private func sample(_ throughput: Double, p999: Int64 = 0) -> Sample {
        var sample = Sample(LoadResult())
        sample.throughput = throughput
        sample.p999 = p999
        return sample
    }

    private func report(_ rows: [ComparisonRow], _ samples: [(String, [Double])]) -> ComparisonReport {
        let names = samples.map(\.0)
        var outcome = ComparisonOutcome(rows: rows, cases: ComparisonCase.all.filter { names.contains($0.name) })
        for (name, values) in samples {
            for (round, value) in values.enumerated() { outcome.add(sample(value), to: name, round: round) }
        }
        let machine = MachineFacts(
            processor: "Abacus", processors: 2, memory: 8 << 30, kernel: "Linux 6", stockade: "1", redis: "7", date: "today")
        return ComparisonReport(
            Comparison(quick: true, parent: "/tmp"), outcome, machine: machine, command: "stockade bench compare")
    }

    @Test("Every row names cases that there are, and a case at half load comes after the one it halves")
    func names() {
        let names = ComparisonCase.all.map(\.name)
        #expect(Set(names).count == names.count)
        for row in ComparisonRow.all { #expect(Set(row.cases).isSubset(of: names)) }
        for (index, current) in ComparisonCase.all.enumerated() {
            if let other = current.halfOf { #expect(names[..<index].contains(other)) }
        }
        #expect(Set(ComparisonRow.all.flatMap(\.cases)) == Set(names))
    }

    @Test("Some rows need only their cases, and the case whose rate is halved")
    func only() {
        var comparison = Comparison(quick: true, parent: "/tmp")
        comparison.only = "p99.9 at half load"
        #expect(comparison.cases.map(\.name) == ["deduct", "half-load"])
    }

    @Test("A ratio is taken within each round, and its median is held against the target")
    func ratios() {
        let row = ComparisonRow("speed", .ratio, "deduct", "redis-deduct", target: .atLeast(2.5))
        // Round by round 3, 2 and 4; the ratio of the medians would be 2.
        let met = report([row], [("deduct", [300, 200, 80]), ("redis-deduct", [100, 100, 20])])
        #expect(met.markdown.contains("| speed | 3.00 × (2.00 × … 4.00 ×) | ≥ 2.50 × | yes |"))
        let missed = report([row], [("deduct", [200]), ("redis-deduct", [100])])
        #expect(missed.markdown.contains("| **no** |"))
    }

    @Test("A row whose cases failed is not measured, and the report says why")
    func failures() {
        let row = ComparisonRow("speed", .ratio, "deduct", "redis-deduct", target: .atLeast(2.5))
        var outcome = ComparisonOutcome(rows: [row], cases: ComparisonCase.all.filter { row.cases.contains($0.name) })
        outcome.add(sample(5), to: "deduct", round: 0)
        outcome.fail("redis-deduct", round: 0, "it did not start")
        #expect(outcome.spread(of: row) == nil)
        #expect(outcome.isFlawed)
        let machine = MachineFacts(
            processor: "", processors: 1, memory: 0, kernel: "", stockade: "", redis: "", date: "")
        let report = ComparisonReport(Comparison(quick: true, parent: "/tmp"), outcome, machine: machine, command: "")
        #expect(report.markdown.contains("redis-deduct, round 1: it did not start"))
        #expect(report.markdown.contains("not measured"))
    }

    @Test("A busy machine is told of")
    func disturbance() {
        var machine = MachineFacts(processor: "", processors: 1, memory: 0, kernel: "", stockade: "", redis: "", date: "")
        #expect(machine.disturbance == nil)
        machine.loadBefore = 0.2
        #expect(machine.disturbance == nil)
        machine.loadBefore = 7.91
        #expect(machine.disturbance == "the machine was not quiet before the first round: load average 7.9")
    }

    @Test("The report names the command, the machine and the versions, and its JSON can be read")
    func report() throws {
        let report = report(ComparisonRow.all, [("deduct", [10, 20, 30])])
        for text in ["`stockade bench compare`", "Abacus, 2 processors, 8 GiB, Linux 6", "Redis 7"] {
            #expect(report.markdown.contains(text))
        }
        let object = try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any]
        #expect((object?["rows"] as? [[String: Any]])?.count == ComparisonRow.all.count)
        let cases = object?["cases"] as? [[String: Any]]
        #expect((cases?.first?["samples"] as? [[String: Any]])?.count == 3)
    }
}
