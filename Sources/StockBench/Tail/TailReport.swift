// A tail measurement as Markdown, which is what the terminal shows too, and as JSON.

/// All samples of a tail measurement.
public struct TailOutcome {
    let options: TailOptions
    /// Requests a second, of each round.
    var peaks: [Double] = []
    private var samples: [Situation: [TailSample]] = [:]
    var recovery: RecoveryFigures?
    var failures: [String] = []

    init(_ options: TailOptions) { self.options = options }

    mutating func add(_ sample: TailSample, to situation: Situation) { samples[situation, default: []].append(sample) }

    func samples(of situation: Situation) -> [TailSample] { samples[situation] ?? [] }

    /// Something could not be measured, or replies were wrong: nobody should quote it.
    public var isFlawed: Bool { !failures.isEmpty || samples.values.joined().contains { !$0.isSound } }
}

/// One line of the table of targets.
struct TargetRow {
    let what: String
    let reached: String
    let target: String
    /// nil: there is no target.
    let isMet: Bool?

    var cells: [String] { [what, reached, target, isMet.map { $0 ? "yes" : "**no**" } ?? "–"] }

    var json: JSON {
        .object([
            ("what", .text(what)), ("reached", .text(reached)), ("target", .text(target)),
            ("met", isMet.map { .flag($0) } ?? .null),
        ])
    }
}

/// A tail measurement, ready to be shown.
public struct TailReport {
    let outcome: TailOutcome
    let machine: MachineFacts
    let command: String

    public init(_ outcome: TailOutcome, machine: MachineFacts, command: String) {
        self.outcome = outcome
        self.machine = machine
        self.command = command
    }

    private static let percentiles: [(name: String, percent: Double, target: Int64?)] = [
        ("p50", 50, nil), ("p99", 99, nil), ("p99.9", 99.9, 2_000_000), ("p99.99", 99.99, 10_000_000),
    ]
    /// Nanoseconds that a turn of the loop may work itself.
    private static let longestWork: Int64 = 2_000_000
    /// Milliseconds in which holds are released.
    private static let longestRelease = 250

    // MARK: Rows

    private func spread(_ situation: Situation, _ percent: Double) -> Spread? {
        Spread(outcome.samples(of: situation).map { Double($0.latencies.percentile(percent)) })
    }

    private func text(_ spread: Spread?) -> String {
        guard let spread else { return "not measured" }
        let median = duration(Int64(spread.median))
        return spread.lowest == spread.highest
            ? median : "\(median) (\(duration(Int64(spread.lowest))) … \(duration(Int64(spread.highest))))"
    }

    /// The targets, a row each.
    var rows: [TargetRow] { outcome.options.situations.flatMap(rows(of:)) + recoveryRows }

    private func rows(of situation: Situation) -> [TargetRow] {
        let samples = outcome.samples(of: situation)
        var rows: [TargetRow] = []
        for (name, percent, target) in Self.percentiles {
            guard let target else { continue }
            let spread = spread(situation, percent)
            rows.append(
                TargetRow(
                    what: "\(name), \(situation.title)", reached: text(spread),
                    target: situation.isControl ? "–" : "≤ " + duration(target),
                    isMet: situation.isControl ? nil : spread.map { $0.median <= Double(target) }))
        }
        if situation.isControl { return rows }
        if let most = samples.map(\.longestWork).max() {
            rows.append(
                TargetRow(
                    what: "a turn's own work, \(situation.title)", reached: duration(Int64(most) * 1_000),
                    target: "≤ " + duration(Self.longestWork), isMet: Int64(most) * 1_000 <= Self.longestWork))
        }
        if let lag = samples.compactMap(\.releaseLag).max() {
            rows.append(
                TargetRow(
                    what: "\(grouped(outcome.options.holds)) holds released after they were due"
                        + (situation == .scattered ? ", each of another SKU and buyer" : ""), reached: "\(lag) ms",
                    target: "≤ \(Self.longestRelease) ms", isMet: lag <= Self.longestRelease))
        }
        return rows
    }

    private var recoveryRows: [TargetRow] {
        guard let figures = outcome.recovery else { return [] }
        var rows: [TargetRow] = []
        func add(_ what: String, _ value: Double?, _ text: (Double) -> String, atLeast limit: Double) {
            rows.append(
                TargetRow(
                    what: what, reached: value.map(text) ?? "not measured", target: "≥ " + text(limit),
                    isMet: value.map { $0 >= limit }))
        }
        add("events read from the log", figures.replayRate, rate, atLeast: 3_000_000)
        add("events folded into the database", figures.foldRate, rate, atLeast: 120_000)
        // 3 s for 1 M SKUs and 1 M orders, 15 s for 10 M orders: 1.33 µs for each further order.
        let limit = 3_000_000_000 + Int64(max(0, figures.orders - 1_000_000)) * 1_333
        rows.append(
            TargetRow(
                what: "start from rows, \(grouped(figures.skus)) SKUs and \(grouped(figures.orders)) orders",
                reached: figures.restart.map(duration) ?? "not measured", target: "≤ " + duration(limit),
                isMet: figures.restart.map { $0 <= limit }))
        if let before = figures.residentBefore, let after = figures.residentAfter, before > 0 {
            let ratio = Double(after) / Double(before)
            rows.append(
                TargetRow(
                    what: "memory after forgetting \(grouped(figures.orders)) orders and selling as many",
                    reached: fixed(ratio, 3) + " ×", target: "≤ 1.100 ×", isMet: ratio <= 1.1))
        }
        return rows
    }

    private var remarks: [String] {
        var remarks = machine.disturbance.map { [$0] } ?? []
        remarks += outcome.failures
        for situation in outcome.options.situations {
            let samples = outcome.samples(of: situation)
            remarks += samples.flatMap(\.warnings).map { "\(situation.rawValue): \($0)" }
            if let turn = samples.compactMap(\.hardestTurn).max(by: {
                ServerFigures.number("cpu_us", in: $0) < ServerFigures.number("cpu_us", in: $1)
            }) {
                remarks.append("\(situation.rawValue), the slow turn that worked most: `\(turn)`")
            }
        }
        if let figures = outcome.recovery, figures.rememberedAtEnd < figures.orders {
            remarks.append(
                "memory: the second sale took longer than the retention; \(grouped(figures.rememberedAtEnd)) orders were left")
        }
        return remarks
    }

    // MARK: Markdown

    public var markdown: String {
        var lines = [
            "# Waiting for Stockade at half of its load", "",
            "- command: `\(command)`",
            "- date: \(machine.date) UTC",
            "- machine: \(machine.machine); server and load generator share it",
            "- Stockade \(machine.stockade), everysec; 50 connections and TCP on loopback, one request in flight on each,",
            "  due at even distances (an open loop); a latency counts from when its request was due",
            "- peak: \(Spread(outcome.peaks).map { rate($0.median) } ?? "not measured"); \(outcome.options.rounds) rounds in "
                + "alternating order, each situation \(duration(outcome.options.time)) on a fresh server",
            "- a turn's own work is the processor time of one turn of the server's loop, the filling of the server included;",
            "  the longest turn by the clock also has what the kernel gave to others meanwhile", "",
        ]
        lines += markdownTable(["what", "reached", "target", "met"], rows.map(\.cells))
        if !outcome.options.situations.isEmpty {
            lines += ["", "## Every situation", ""]
            lines += markdownTable(
                ["situation", "rate"] + Self.percentiles.map(\.name)
                    + ["max", "longest turn", "own work", "slow turns", "meanwhile", "load generator"],
                outcome.options.situations.map(cells(of:)))
        }
        if !remarks.isEmpty { lines += ["", "## Remarks", ""] + remarks.map { "- \($0)" } }
        return lines.map { $0 + "\n" }.joined()
    }

    private func cells(of situation: Situation) -> [String] {
        let samples = outcome.samples(of: situation)
        func most(_ value: (TailSample) -> Int) -> Int { samples.map(value).max() ?? 0 }
        var meanwhile = "–"
        if let events = samples.compactMap(\.events).max() {
            meanwhile = "\(events) " + (situation.standingRequest.map { "× \($0)" } ?? "segments")
        }
        if let lag = samples.compactMap(\.releaseLag).max() { meanwhile = "holds out after \(lag) ms" }
        return [situation.rawValue, Spread(samples.map(\.throughput)).map { rate($0.median) } ?? "–"]
            + Self.percentiles.map { text(spread(situation, $0.percent)) }
            + [
                duration(samples.map(\.latencies.longest).max() ?? 0), duration(Int64(most(\.longestTurn)) * 1_000),
                duration(Int64(most(\.longestWork)) * 1_000), "\(most(\.slowTurns))", meanwhile,
                Spread(samples.map(\.processorShare)).map { fixed($0.median * 100, 0) + " %" } ?? "–",
            ]
    }

    // MARK: JSON

    public var json: String {
        JSON.object([
            ("command", .text(command)), ("date", .text(machine.date)), ("processor", .text(machine.processor)),
            ("processors", .integer(machine.processors)), ("memory_bytes", .integer(machine.memory)),
            ("kernel", .text(machine.kernel)), ("stockade", .text(machine.stockade)),
            ("peaks", .list(outcome.peaks.map { .number($0) })),
            ("rows", .list(rows.map(\.json))),
            ("situations", .list(outcome.options.situations.map(value(of:)))),
            ("remarks", .list(remarks.map { .text($0) })),
        ]).rendered() + "\n"
    }

    private func value(of situation: Situation) -> JSON {
        .object([
            ("name", .text(situation.rawValue)), ("samples", .list(outcome.samples(of: situation).map(value(of:)))),
        ])
    }

    private func value(of sample: TailSample) -> JSON {
        var pairs: [(String, JSON)] = []
        for (name, percent, _) in Self.percentiles {
            pairs.append(("\(name)_us", .number(Double(sample.latencies.percentile(percent)) / 1e3)))
        }
        pairs.append(("max_us", .number(Double(sample.latencies.longest) / 1e3)))
        pairs.append(("throughput", .number(sample.throughput)))
        pairs.append(("longest_turn_us", .integer(sample.longestTurn)))
        pairs.append(("longest_work_us", .integer(sample.longestWork)))
        pairs.append(("slow_turns", .integer(sample.slowTurns)))
        pairs.append(("release_lag_ms", sample.releaseLag.map { .integer($0) } ?? .null))
        pairs.append(("meanwhile", sample.events.map { .integer($0) } ?? .null))
        pairs.append(("processor_share", .number(sample.processorShare)))
        return .object(pairs)
    }
}
