// What a comparison measures: each case is one load on one freshly started server.

/// One load on one kind of server.
struct ComparisonCase: Equatable {
    /// Short and without spaces, for tables and JSON.
    let name: String
    let server: ServerKind
    let workload: Workload
    var pipeline = 1
    var clients = 50
    var idle = 0
    var skus: Int?
    /// An open loop at half of what this other case reached.
    var halfOf: String?
    /// A fixed amount of work, after which log and memory are weighed.
    var weighs = false

    static let everysec = ServerKind.stockade(fsync: "everysec")
    static let always = ServerKind.stockade(fsync: "always")
}

extension ComparisonCase {
    /// All cases. Those that are compared with each other stand together, so that they are measured within seconds.
    static let all: [ComparisonCase] = [
        ComparisonCase(name: "deduct", server: everysec, workload: .deduct),
        ComparisonCase(name: "redis-deduct", server: .redis, workload: .deduct),
        ComparisonCase(name: "ping", server: everysec, workload: .ping),
        ComparisonCase(name: "deduct-32", server: everysec, workload: .deduct, pipeline: 32),
        ComparisonCase(name: "redis-deduct-32", server: .redis, workload: .deduct, pipeline: 32),
        ComparisonCase(name: "redis-decrby-32", server: .redis, workload: .decrby, pipeline: 32),
        ComparisonCase(name: "ping-32", server: everysec, workload: .ping, pipeline: 32),
        ComparisonCase(name: "always-32", server: always, workload: .deduct, pipeline: 32),
        ComparisonCase(name: "order-of-8-32", server: everysec, workload: .order, pipeline: 32),
        ComparisonCase(name: "1-client-32", server: everysec, workload: .deduct, pipeline: 32, clients: 1),
        ComparisonCase(name: "1000-clients-32", server: everysec, workload: .deduct, pipeline: 32, clients: 1_000),
        ComparisonCase(name: "10000-idle-32", server: everysec, workload: .deduct, pipeline: 32, idle: 10_000),
        ComparisonCase(name: "deduct-128", server: everysec, workload: .deduct, pipeline: 128),
        ComparisonCase(name: "redis-deduct-128", server: .redis, workload: .deduct, pipeline: 128),
        ComparisonCase(name: "hold-32", server: everysec, workload: .reserveConfirm, pipeline: 32),
        ComparisonCase(name: "redis-hold-32", server: .redis, workload: .reserveConfirm, pipeline: 32),
        ComparisonCase(name: "hot-32", server: everysec, workload: .hot, pipeline: 32),
        ComparisonCase(name: "million-skus-32", server: everysec, workload: .spread, pipeline: 32),
        ComparisonCase(name: "half-load", server: everysec, workload: .deduct, halfOf: "deduct"),
        ComparisonCase(name: "ping-half-load", server: everysec, workload: .ping, halfOf: "deduct"),
        ComparisonCase(name: "redis-half-load", server: .redis, workload: .deduct, halfOf: "redis-deduct"),
        ComparisonCase(name: "weight", server: everysec, workload: .deduct, pipeline: 32, weighs: true),
        ComparisonCase(name: "redis-weight", server: .redis, workload: .deduct, pipeline: 32, weighs: true),
    ]
}

/// What one case gave in one round.
struct Sample {
    /// Replies a second.
    var throughput: Double
    /// Nanoseconds.
    var p50: Int64
    var p99: Int64
    var p999: Int64
    var p9999: Int64
    var processorShare: Double
    var warnings: [String]
    /// As `LoadResult.isSound`.
    var isSound: Bool
    /// Bytes of log and of resident memory per request, of a case that weighs.
    var logBytes: Double?
    var memoryBytes: Double?

    init(_ result: LoadResult) {
        throughput = result.throughput
        p50 = result.latencies.percentile(50)
        p99 = result.latencies.percentile(99)
        p999 = result.latencies.percentile(99.9)
        p9999 = result.latencies.percentile(99.99)
        processorShare = result.processorShare
        warnings = result.warnings
        isSound = result.isSound
    }
}
