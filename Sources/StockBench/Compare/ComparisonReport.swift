// The outcome of a comparison as Markdown, which is what the terminal shows too, and as JSON.

/// A comparison, ready to be shown.
public struct ComparisonReport {
    let comparison: Comparison
    let outcome: ComparisonOutcome
    let machine: MachineFacts
    /// The command that made it.
    let command: String

    public init(_ comparison: Comparison, _ outcome: ComparisonOutcome, machine: MachineFacts, command: String) {
        self.comparison = comparison
        self.outcome = outcome
        self.machine = machine
        self.command = command
    }

    private var intro: [String] {
        [
            "# Stockade and Redis side by side", "",
            "- command: `\(command)`",
            "- date: \(machine.date) UTC",
            "- machine: \(machine.machine); servers and load generator share it",
            "- versions: Stockade \(machine.stockade), Redis \(machine.redis) (AOF everysec, no rewriting meanwhile)",
            "- \(comparison.rounds) rounds in alternating order, each case \(duration(comparison.time)) after "
                + "\(duration(comparison.warmup)) of warm-up, on a fresh server; 50 connections and TCP on loopback unless said",
            "- a value is the median of the rounds, in brackets the lowest and the highest; "
                + "a ratio is taken within each round",
            "- \"the Redis way\": a Lua script by EVALSHA that sets a 60-second dedup key, reads the stock, and decrements it;"
                + " \"null server\": the same Stockade answering PING", "",
        ]
    }

    // MARK: Markdown

    public var markdown: String {
        var lines = intro
        lines += markdownTable(["what", "reached", "target", "met"], outcome.rows.map(cells(of:)))
        lines += ["", "## Every case", ""]
        lines += markdownTable(
            ["case", "throughput", "p50", "p99", "p99.9", "p99.99", "load generator"], outcome.cases.map(cells(of:)))
        let remarks = self.remarks
        if !remarks.isEmpty { lines += ["", "## Remarks", ""] + remarks.map { "- \($0)" } }
        return lines.map { $0 + "\n" }.joined()
    }

    private func cells(of row: ComparisonRow) -> [String] {
        guard let spread = outcome.spread(of: row) else { return [row.title, "not measured", row.targetText, "–"] }
        let range = "\(row.text(spread.median)) (\(row.text(spread.lowest)) … \(row.text(spread.highest)))"
        return [row.title, range, row.targetText, mark(row, spread)]
    }

    private func mark(_ row: ComparisonRow, _ spread: Spread) -> String {
        row.target.map { $0.isMet(by: spread.median) ? "yes" : "**no**" } ?? "–"
    }

    private func cells(of current: ComparisonCase) -> [String] {
        let samples = outcome.samples(of: current.name)
        guard let throughput = Spread(samples.map(\.throughput)) else {
            return [current.name, "not measured", "–", "–", "–", "–", "–"]
        }
        func median(_ value: (Sample) -> Int64) -> String {
            Spread(samples.map { Double(value($0)) }).map { duration(Int64($0.median)) } ?? "–"
        }
        let share = Spread(samples.map(\.processorShare)).map { fixed($0.median * 100, 0) + " %" } ?? "–"
        return [
            current.name, "\(rate(throughput.median)) (\(rate(throughput.lowest)) … \(rate(throughput.highest)))",
            median(\.p50), median(\.p99), median(\.p999), median(\.p9999), share,
        ]
    }

    /// Failures, and warnings of the load generator, each once a case.
    private var remarks: [String] {
        var remarks = machine.disturbance.map { [$0] } ?? []
        remarks += outcome.failures.map { "\($0.name), round \($0.round): \($0.text)" }
        for current in outcome.cases {
            let samples = outcome.samples(of: current.name)
            let busy = samples.filter { $0.processorShare > LoadResult.busyShare }.count
            if busy > 0 {
                remarks.append(
                    "\(current.name): the load generator used more than \(fixed(LoadResult.busyShare * 100, 0)) % of a "
                        + "processor in \(busy) of \(samples.count) rounds; the server may be faster than that")
            }
            for warning in samples.filter({ !$0.isSound }).flatMap(\.warnings) {
                remarks.append("\(current.name): \(warning)")
            }
        }
        return remarks
    }

    // MARK: JSON

    public var json: String {
        JSON.object([
            ("command", .text(command)),
            ("date", .text(machine.date)),
            ("processor", .text(machine.processor)),
            ("processors", .integer(machine.processors)),
            ("memory_bytes", .integer(machine.memory)),
            ("kernel", .text(machine.kernel)),
            ("stockade", .text(machine.stockade)),
            ("redis", .text(machine.redis)),
            ("rounds", .integer(comparison.rounds)),
            ("seconds", .number(Double(comparison.time) / 1e9)),
            ("rows", .list(outcome.rows.map(value(of:)))),
            ("cases", .list(outcome.cases.map(value(of:)))),
            ("remarks", .list(remarks.map { .text($0) })),
        ]).rendered() + "\n"
    }

    private func value(of row: ComparisonRow) -> JSON {
        let spread = outcome.spread(of: row)
        var pairs: [(String, JSON)] = [
            ("what", .text(row.title)), ("cases", .list(row.cases.map { .text($0) })), ("value", value(of: spread)),
        ]
        switch row.target {
        case .atLeast(let limit): pairs.append(("at_least", .number(limit)))
        case .atMost(let limit): pairs.append(("at_most", .number(limit)))
        case nil: break
        }
        if let target = row.target { pairs.append(("met", spread.map { .flag(target.isMet(by: $0.median)) } ?? .null)) }
        return .object(pairs)
    }

    private func value(of spread: Spread?) -> JSON {
        guard let spread else { return .null }
        return .object([
            ("median", .number(spread.median)), ("lowest", .number(spread.lowest)), ("highest", .number(spread.highest)),
        ])
    }

    private func value(of current: ComparisonCase) -> JSON {
        .object([
            ("name", .text(current.name)),
            ("workload", .text(current.workload.rawValue)),
            ("clients", .integer(current.clients)),
            ("pipeline", .integer(current.pipeline)),
            ("samples", .list(outcome.samples(of: current.name).map(value(of:)))),
        ])
    }

    private func value(of sample: Sample) -> JSON {
        func microseconds(_ nanoseconds: Int64) -> JSON { .number(Double(nanoseconds) / 1e3) }
        var pairs: [(String, JSON)] = [
            ("throughput", .number(sample.throughput)),
            ("p50_us", microseconds(sample.p50)),
            ("p99_us", microseconds(sample.p99)),
            ("p99.9_us", microseconds(sample.p999)),
            ("p99.99_us", microseconds(sample.p9999)),
            ("processor_share", .number(sample.processorShare)),
        ]
        if let bytes = sample.logBytes { pairs.append(("log_bytes_per_request", .number(bytes))) }
        if let bytes = sample.memoryBytes { pairs.append(("memory_bytes_per_request", .number(bytes))) }
        return .object(pairs)
    }
}
