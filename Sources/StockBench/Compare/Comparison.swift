// A comparison: every case in every round, each on a server that was just started in an empty directory, so that
// no case pays for what an earlier one left behind. Rounds go forwards and backwards in turn: a machine that
// becomes slower (or quicker) with time favours nobody.

import Glibc
import StockConnection

/// Which rounds to make.
public struct Comparison: Sendable {
    public var rounds: Int
    /// Nanoseconds that each case is measured for, and warms up for.
    public var time: Int64
    public var warmup: Int64
    /// Requests after which log and memory are weighed.
    public var weighedRequests: Int
    /// Where the servers' directories are made.
    public var parent: String
    /// Only rows whose title contains this.
    public var only: String?

    /// About ten minutes; `quick`: about two.
    public init(quick: Bool, parent: String) {
        rounds = quick ? 3 : 5
        time = quick ? 1_000_000_000 : 4_000_000_000
        warmup = quick ? 300_000_000 : 1_000_000_000
        weighedRequests = quick ? 200_000 : 1_000_000
        self.parent = parent
    }

    /// The rows that are wanted.
    var rows: [ComparisonRow] {
        ComparisonRow.all.filter { row in only.map { row.title.contains($0) } ?? true }
    }

    /// The cases that the rows need, and those that these need.
    var cases: [ComparisonCase] {
        let shown = Set(rows.flatMap(\.cases))
        let others = Set(ComparisonCase.all.filter { shown.contains($0.name) }.compactMap(\.halfOf))
        return ComparisonCase.all.filter { shown.contains($0.name) || others.contains($0.name) }
    }

    /// Makes all rounds.
    ///
    /// - Parameter tell: told of each case before (no sample) and after it was measured.
    /// - Throws: `.interrupted`; a case that fails is told in the report instead.
    public func run(
        programs: ServerPrograms, interrupt: borrowing Interrupt, tell: (ComparisonStep) -> Void
    ) throws(BenchError) -> ComparisonOutcome {
        guard !rows.isEmpty else { throw .usage("no row has that in its title") }
        var outcome = ComparisonOutcome(rows: rows, cases: cases)
        for round in 0..<rounds {
            for current in round.isMultiple(of: 2) ? cases : cases.reversed() {
                if interrupt.hasCome() { throw .interrupted }
                tell(ComparisonStep(round: round + 1, rounds: rounds, name: current.name, text: nil))
                let text: String
                do throws(BenchError) {
                    let sample = try measure(current, outcome, programs: programs, interrupt: interrupt)
                    outcome.add(sample, to: current.name, round: round)
                    text = "\(rate(sample.throughput)), p99 \(duration(sample.p99))"
                } catch .interrupted {
                    throw .interrupted
                } catch {
                    outcome.fail(current.name, round: round, error.description)
                    text = error.description
                }
                tell(ComparisonStep(round: round + 1, rounds: rounds, name: current.name, text: text))
            }
        }
        return outcome
    }

    private func measure(
        _ current: ComparisonCase, _ outcome: ComparisonOutcome, programs: ServerPrograms,
        interrupt: borrowing Interrupt
    ) throws(BenchError) -> Sample {
        let server = try ChildServer.start(current.server, programs: programs, parent: parent, interrupt: interrupt)
        var options = LoadOptions(address: server.address)
        options.dialect = current.server == .redis ? .redis : .stockade
        options.workload = current.workload
        options.pipeline = current.pipeline
        options.clients = current.clients
        options.idle = current.idle
        options.skus = current.skus
        options.warmup = current.weighs ? 0 : warmup
        options.length = current.weighs ? .requests(weighedRequests) : .nanoseconds(time)
        if let other = current.halfOf {
            guard let peak = outcome.throughput(of: other) else { throw .server("'\(other)' gave no rate to halve") }
            options.rate = max(1, peak.median / 2)
        }
        let memory = server.residentBytes
        let result = try runLoad(options, interrupt: interrupt.descriptor)
        if result.wasInterrupted { throw .interrupted }
        var sample = Sample(result)
        if current.weighs {
            let requests = Double(weighedRequests)
            sample.memoryBytes = Double(server.residentBytes - memory) / requests
            sample.logBytes = Double(try logBytes(server, of: current.server)) / requests
        }
        return sample
    }

    /// Bytes that the server has logged: Stockade tells (its file is longer, space is reserved ahead).
    private func logBytes(_ server: borrowing ChildServer, of kind: ServerKind) throws(BenchError) -> Int {
        if kind == .redis { return server.appendOnlyBytes }
        let address = server.address
        let reply = try connecting { () throws(ConnectionError) in
            try Connection(to: address).request("STATS log")
        }
        guard let bytes = reply.items.lazy.compactMap({ $0.number("log_bytes") }).first else {
            throw .server("STATS does not tell log_bytes")
        }
        return Int(bytes)
    }
}

/// A case that begins, or that has been measured.
public struct ComparisonStep: Sendable {
    public let round: Int
    public let rounds: Int
    public let name: String
    /// What came out; nil when the case begins.
    public let text: String?
}

/// All samples of a comparison.
public struct ComparisonOutcome {
    let rows: [ComparisonRow]
    let cases: [ComparisonCase]
    private var samples: [String: [Int: Sample]] = [:]
    private(set) var failures: [(name: String, round: Int, text: String)] = []

    init(rows: [ComparisonRow], cases: [ComparisonCase]) {
        self.rows = rows
        self.cases = cases
    }

    mutating func add(_ sample: Sample, to name: String, round: Int) { samples[name, default: [:]][round] = sample }

    mutating func fail(_ name: String, round: Int, _ text: String) { failures.append((name, round + 1, text)) }

    /// The samples of a case in the order of their rounds.
    func samples(of name: String) -> [Sample] {
        (samples[name] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
    }

    func throughput(of name: String) -> Spread? { Spread(samples(of: name).map(\.throughput)) }

    /// What a row gave: its value in each round where all its cases were measured. Ratios are taken within a
    /// round, since its cases ran within seconds of each other.
    func spread(of row: ComparisonRow) -> Spread? {
        let rounds = Set(row.cases.flatMap { (samples[$0] ?? [:]).keys }).sorted()
        return Spread(rounds.compactMap { round in row.value(row.cases.compactMap { samples[$0]?[round] }) })
    }

    /// A case failed, or replies were wrong or missing.
    public var isFlawed: Bool {
        !failures.isEmpty || cases.contains { samples(of: $0.name).contains { !$0.isSound } }
    }
}
