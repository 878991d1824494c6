// The result of one run: a table for people, JSON for programs.

/// A run and its outcome, ready to be shown.
public struct LoadReport {
    public let options: LoadOptions
    public let result: LoadResult

    public init(options: LoadOptions, result: LoadResult) {
        self.options = options
        self.result = result
    }

    /// The percentiles shown, with their names.
    public static let percentiles: [(name: String, percent: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("p99.99", 99.99),
    ]

    /// What was done, in one line.
    public var title: String {
        var words = ["\(options.workload.rawValue) on \(options.dialect.rawValue) at \(options.address):"]
        words.append("\(grouped(options.clients)) clients, pipeline \(grouped(options.pipeline))")
        if options.skuCount > 0 { words.append("\(grouped(options.skuCount)) SKUs") }
        if let zipf = options.zipf { words.append("Zipf \(fixed(zipf, 2))") }
        if options.workload == .order { words.append("\(options.lines) lines") }
        if options.idle > 0 { words.append("\(grouped(options.idle)) idle connections beside") }
        words.append(options.rate.map { "open loop at \(rate($0))" } ?? "closed loop")
        return words[0] + " " + words.dropFirst().joined(separator: ", ")
    }

    /// The table, with a line end after each line.
    public var text: String {
        var lines = [title, ""]
        func add(_ name: String, _ value: String) { lines.append("  " + padded(name, to: 14) + padded(value, to: 16, left: true)) }
        add("throughput", rate(result.throughput))
        if options.workload == .reserveConfirm { add("orders", rate(result.throughput / 2)) }
        add("replies", grouped(result.replies))
        add("as expected", grouped(result.expected))
        add("time", duration(result.nanoseconds))
        lines.append("")
        add("latency mean", duration(Int64(result.latencies.mean)))
        for (name, percent) in Self.percentiles { add(name, duration(result.latencies.percentile(percent))) }
        add("max", duration(result.latencies.longest))
        lines.append("")
        add("own processor", fixed(result.processorShare * 100, 0) + " %")
        for reply in result.unexpected {
            lines.append("  unexpected \(reply.word) \(grouped(reply.count)) times, first: \(reply.example)")
        }
        for warning in result.warnings { lines.append("  warning: \(warning)") }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The same as JSON; times are microseconds.
    public var json: String { value.rendered() + "\n" }

    var value: JSON {
        .object([
            ("workload", .text(options.workload.rawValue)),
            ("server", .text(options.dialect.rawValue)),
            ("address", .text(options.address.description)),
            ("clients", .integer(options.clients)),
            ("idle", .integer(options.idle)),
            ("pipeline", .integer(options.pipeline)),
            ("rate", options.rate.map { .number($0) } ?? .null),
            ("skus", .integer(options.skuCount)),
            ("zipf", options.zipf.map { .number($0) } ?? .null),
            ("lines", options.workload == .order ? .integer(options.lines) : .null),
            ("seed", .text(String(options.seed))),
            ("run", .text(options.runID.description)),
            ("seconds", .number(Double(result.nanoseconds) / 1e9)),
            ("throughput", .number(result.throughput)),
            ("replies", .integer(result.replies)),
            ("expected", .integer(result.expected)),
            ("unexpected", .list(result.unexpected.map { reply in
                .object([("word", .text(reply.word)), ("count", .integer(reply.count)), ("example", .text(reply.example))])
            })),
            ("unanswered", .integer(result.unanswered)),
            ("overdue", .integer(result.overdue)),
            ("latency_us", .object(
                [("mean", .number(result.latencies.mean / 1e3))]
                    + Self.percentiles.map { ($0.name, .number(Double(result.latencies.percentile($0.percent)) / 1e3)) }
                    + [("max", .number(Double(result.latencies.longest) / 1e3))])),
            ("processor_share", .number(result.processorShare)),
            ("warnings", .list(result.warnings.map { .text($0) })),
        ])
    }
}

extension LoadProgress {
    /// One line, without its end.
    public var text: String {
        var line = "\(fixed(Double(nanoseconds) / 1e9, 1)) s  \(rate(throughput))"
        line += isWarmingUp ? "  warming up" : "  p99 \(duration(p99))"
        if unexpected > 0 { line += "  \(grouped(unexpected)) unexpected" }
        return line
    }
}
