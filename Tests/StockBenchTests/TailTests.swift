// The reports about tails and memory, and what they are made from: the words of STATS.

import CLinux
import Foundation
import Glibc
import StockConnection
import Testing

@testable import StockBench

@Suite("Tails and memory")
struct TailTests {
    private let slow = [
        "+slow_turns=2", "+slow_turn_limit_ms=2", "+longest_work_us=1382",
        "+slow_2=1763690400000 us=6621 cpu_us=900 requests=832 verbs=deduct:832",
        "+slow_1=1763690300000 us=2100 cpu_us=1382 requests=3 verbs=skus:3",
    ]

    private var machine: MachineFacts {
        MachineFacts(
            processor: "P", processors: 2, memory: 1 << 30, kernel: "Linux 6", stockade: "0.1.0", redis: "none",
            date: "2026-11-21 08:30")
    }

    @Test("the words of STATS are numbers by key, and the slow log is kept apart")
    func figures() {
        let figures = ServerFigures(lines: slow)
        #expect(figures["slow_turns"] == 2)
        #expect(figures["longest_work_us"] == 1_382)
        #expect(figures["unknown"] == 0)
        #expect(figures.slowTurns.count == 2)
        #expect(figures.hardestTurn?.contains("verbs=skus:3") == true)
        #expect(ServerFigures.number("cpu_us", in: "1 us=5 cpu_us=7") == 7)
        #expect(ServerFigures.number("us", in: "1 cpu_us=7 us=5") == 5)
    }

    private func sample(p50: Int64, slowest: Int64, work: Int, lag: Int? = nil) -> TailSample {
        var latencies = Latencies()
        for _ in 0..<9_980 { latencies.record(p50) }
        for _ in 0..<20 { latencies.record(slowest) }
        return TailSample(
            latencies: latencies, throughput: 1_000, isSound: true, warnings: [], processorShare: 0.1,
            longestTurn: 5_000, longestWork: work, slowTurns: 1, hardestTurn: nil, releaseLag: lag, events: nil)
    }

    private func report(_ situation: Situation, _ sample: TailSample) -> TailReport {
        var options = TailOptions(quick: true, parent: "/tmp")
        options.only = situation.rawValue
        var outcome = TailOutcome(options)
        outcome.peaks = [2_000]
        outcome.add(sample, to: situation)
        return TailReport(outcome, machine: machine, command: "stockade bench tail")
    }

    @Test("a tail within its targets meets them, a longer one does not")
    func targets() {
        let good = report(.expiry, sample(p50: 100_000, slowest: 1_500_000, work: 1_999, lag: 250))
        #expect(good.rows.map(\.isMet) == [true, true, true, true])
        let bad = report(.expiry, sample(p50: 100_000, slowest: 11_000_000, work: 2_001, lag: 251))
        #expect(bad.rows.map(\.isMet) == [false, false, false, false])
        #expect(bad.markdown.contains("**no**"))
        #expect(!good.markdown.contains("**no**"))
        let scattered = report(.scattered, sample(p50: 100_000, slowest: 1_500_000, work: 1_999, lag: 400))
        #expect(scattered.rows.map(\.isMet) == [true, true, true, false])
        #expect(scattered.markdown.contains("100,000 holds released after they were due, each of another SKU and buyer"))
    }

    @Test("the machine's own tail is told, and met by nothing")
    func control() {
        let report = report(.machine, sample(p50: 100_000, slowest: 50_000_000, work: 5_000))
        #expect(report.rows.map(\.isMet) == [nil, nil])
        #expect(report.rows.map(\.target) == ["–", "–"])
        #expect(!report.markdown.contains("**no**"))
    }

    @Test("what could not be measured is no target met")
    func missing() {
        var options = TailOptions(quick: true, parent: "/tmp")
        options.only = "calm"
        var outcome = TailOutcome(options)
        outcome.failures = ["calm, round 1: it went away"]
        let report = TailReport(outcome, machine: machine, command: "c")
        #expect(outcome.isFlawed)
        #expect(report.rows.allSatisfy { $0.isMet == nil && $0.reached == "not measured" })
        #expect(report.markdown.contains("it went away"))
    }

    @Test("the tail report is JSON too")
    func json() throws {
        let report = report(.verify, sample(p50: 100_000, slowest: 1_500_000, work: 10))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
        let situations = try #require(object["situations"] as? [[String: Any]])
        #expect(situations.count == 1)
        #expect(situations[0]["name"] as? String == "verify")
    }

    @Test("memory is divided, and a name's own bytes are free")
    func memory() {
        let fits = MemoryRow(what: "SKU", count: 10, tables: 1_440, resident: 2_000, name: 16, limit: 128)
        #expect(fits.each == 144)
        #expect(fits.isMet)
        let tooLarge = MemoryRow(what: "SKU", count: 10, tables: 1_441, resident: 0, name: 16, limit: 128)
        #expect(!tooLarge.isMet)
        let connection = MemoryRow(what: "idle connection", count: 10, tables: nil, resident: 40_960, name: 0, limit: 4_096)
        #expect(connection.each == 4_096)
        #expect(connection.isMet)
    }

    @Test("an order's number stands alone where the shape says so")
    func number() {
        let template = RequestTemplate(
            RequestShape(["DEDUCT", "a{number}", "{sku}"], expects: .starts("+SOLD ")), framing: .line, run: RunID("abcdef"))
        #expect(String(decoding: template.bytes, as: UTF8.self) == "DEDUCT a0000000000000000 abcdef-s00000000\n")
        #expect(template.orderPlaces == [8])
    }

    @Test("a program is started in the background, or it is said why not")
    func spawning() throws {
        let file = open("/dev/null", O_WRONLY | O_CLOEXEC)
        try #require(file >= 0)
        defer { close(file) }
        func start(_ path: String) -> pid_t {
            var words: [UnsafeMutablePointer<CChar>?] = [strdup(path), strdup("600"), nil]
            defer { for word in words { free(word) } }
            var none: [UnsafeMutablePointer<CChar>?] = [nil]
            return clinux_spawn_bound(&words, &none, file)
        }
        let child = start("/bin/sleep")
        try #require(child > 0)
        let name = readText("/proc/\(child)/comm")
        kill(child, SIGKILL)
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        #expect(name == "sleep\n")

        #expect(start("/there/is/no/such/program") == -1)
        #expect(errno == ENOENT)
    }
}
