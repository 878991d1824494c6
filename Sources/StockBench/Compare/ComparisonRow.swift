// The targets, one row each: what is set against what, and how much it has to reach.

/// One row of the table of targets.
struct ComparisonRow {
    let title: String
    /// The names of the cases whose numbers the row shows: one, or one set against another.
    let cases: [String]
    let measure: Measure
    let target: Target?

    enum Measure: Equatable {
        /// Throughput of the first case by that of the second.
        case ratio
        /// Throughput of the case.
        case throughput
        /// Latencies of the case.
        case p999, p9999
        /// Log bytes per request of the first case by those of the second.
        case logRatio
        /// Bytes of memory per request of the case.
        case memory
    }

    enum Target: Equatable {
        case atLeast(Double), atMost(Double)

        func isMet(by value: Double) -> Bool {
            switch self {
            case .atLeast(let limit): value >= limit
            case .atMost(let limit): value <= limit
            }
        }
    }

    init(_ title: String, _ measure: Measure, _ cases: String..., target: Target? = nil) {
        self.title = title
        self.measure = measure
        self.cases = cases
        self.target = target
    }

    /// An id of the runs has 23 bytes.
    private static let idBytes = 23.0

    static let all: [ComparisonRow] = [
        ComparisonRow("no pipelining, by the Redis way", .ratio, "deduct", "redis-deduct", target: .atLeast(2.5)),
        ComparisonRow("no pipelining, by the null server", .ratio, "deduct", "ping", target: .atLeast(0.85)),
        ComparisonRow("pipeline 32, by the Redis way", .ratio, "deduct-32", "redis-deduct-32", target: .atLeast(15)),
        ComparisonRow("pipeline 32, by plain DECRBY", .ratio, "deduct-32", "redis-decrby-32", target: .atLeast(1.8)),
        ComparisonRow("pipeline 32, by the null server", .ratio, "deduct-32", "ping-32"),
        ComparisonRow("pipeline 128", .throughput, "deduct-128", target: .atLeast(2_000_000)),
        ComparisonRow("pipeline 128, by the Redis way", .ratio, "deduct-128", "redis-deduct-128", target: .atLeast(25)),
        ComparisonRow("reserve, then confirm, by Redis Lua", .ratio, "hold-32", "redis-hold-32", target: .atLeast(10)),
        ComparisonRow("order of 8 SKUs, by an order of one", .ratio, "order-of-8-32", "deduct-32", target: .atLeast(0.35)),
        ComparisonRow("always, by everysec", .ratio, "always-32", "deduct-32", target: .atLeast(0.5)),
        ComparisonRow("1,000,000 SKUs, by one hot SKU", .ratio, "million-skus-32", "hot-32", target: .atLeast(0.6)),
        ComparisonRow("1 connection, by 50", .ratio, "1-client-32", "deduct-32", target: .atLeast(0.7)),
        ComparisonRow("1,000 connections, by 50", .ratio, "1000-clients-32", "deduct-32", target: .atLeast(0.7)),
        ComparisonRow("10,000 idle beside 50, by 50", .ratio, "10000-idle-32", "deduct-32", target: .atLeast(0.7)),
        ComparisonRow("p99.9 at half load", .p999, "half-load", target: .atMost(2e6)),
        ComparisonRow("p99.99 at half load", .p9999, "half-load", target: .atMost(10e6)),
        ComparisonRow("p99.9 of the null server at that rate", .p999, "ping-half-load"),
        ComparisonRow("p99.99 of the null server at that rate", .p9999, "ping-half-load"),
        ComparisonRow("p99.9 of Redis at half of its load", .p999, "redis-half-load"),
        ComparisonRow("p99.99 of Redis at half of its load", .p9999, "redis-half-load"),
        ComparisonRow("bytes of the log, by those of the AOF", .logRatio, "weight", "redis-weight", target: .atMost(0.5)),
        ComparisonRow("memory per remembered order", .memory, "weight", target: .atMost(96 + idBytes)),
        ComparisonRow("memory per order of Redis (for 60 s)", .memory, "redis-weight"),
    ]

    /// The row's value from one sample of each of its cases, or nil when a case did not give it.
    func value(_ samples: [Sample]) -> Double? {
        guard samples.count == cases.count, let first = samples.first, let last = samples.last else { return nil }
        func quotient(_ above: Double?, _ below: Double?) -> Double? {
            guard let above, let below, below > 0 else { return nil }
            return above / below
        }
        return switch measure {
        case .ratio: quotient(first.throughput, last.throughput)
        case .throughput: first.throughput
        case .p999: Double(first.p999)
        case .p9999: Double(first.p9999)
        case .logRatio: quotient(first.logBytes, last.logBytes)
        case .memory: first.memoryBytes
        }
    }

    /// A value of this row as people read it.
    func text(_ value: Double) -> String {
        switch measure {
        case .ratio, .logRatio: fixed(value, 2) + " ×"
        case .throughput: rate(value)
        case .p999, .p9999: duration(Int64(value))
        case .memory: fixed(value, 0) + " B"
        }
    }

    var targetText: String {
        switch target {
        case .atLeast(let limit): "≥ " + text(limit)
        case .atMost(let limit): "≤ " + text(limit)
        case nil: "–"
        }
    }
}

/// The middle and the ends of what several rounds gave.
struct Spread: Equatable {
    let median: Double
    let lowest: Double
    let highest: Double

    /// nil for no values.
    init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        lowest = first
        highest = last
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
