// What a run measured, and what is needed to judge whether to believe it.

/// The outcome of one run. Times are nanoseconds.
public struct LoadResult: Sendable {
    /// Replies to measured requests.
    public var replies = 0
    /// Those of them that were what the request should get.
    public var expected = 0
    /// All others, of the warm-up too.
    public var unexpected: [UnexpectedReply] = []
    /// From the start of measuring to the last measured reply.
    public var nanoseconds: Int64 = 0
    /// From when a request was sent (closed loop) or was due (open loop) to its reply.
    public var latencies = Latencies()
    /// The load generator's own processor time by the time that passed, 0…1.
    public var processorShare = 0.0
    /// Requests that were sent and not answered.
    public var unanswered = 0
    /// Requests of an open loop that were due and could not be sent, because all connections waited for replies.
    public var overdue = 0
    public var wasInterrupted = false

    /// Replies a second.
    public var throughput: Double { nanoseconds > 0 ? Double(replies) * 1e9 / Double(nanoseconds) : 0 }

    /// Above this share the load generator, and not the server, may be what is measured.
    public static let busyShare = 0.9

    /// Every request was answered, and each as it should be.
    public var isSound: Bool { unexpected.isEmpty && unanswered == 0 && expected == replies }

    /// What speaks against quoting this result, as sentences.
    public var warnings: [String] {
        var warnings: [String] = []
        let wrong = unexpected.reduce(0) { $0 + $1.count }
        if wrong > 0 { warnings.append("\(grouped(wrong)) replies were not as expected") }
        if unanswered > 0 { warnings.append("\(grouped(unanswered)) requests were not answered") }
        if overdue > 0 {
            warnings.append(
                "\(grouped(overdue)) requests were due and could not be sent: the rate is more than the server or the connections take")
        }
        if processorShare > Self.busyShare {
            warnings.append(
                "the load generator used \(fixed(processorShare * 100, 0)) % of a processor: it may be the bottleneck")
        }
        if wasInterrupted { warnings.append("the run was interrupted") }
        return warnings
    }
}

/// How a run goes, for a line on the terminal.
public struct LoadProgress: Sendable {
    /// Since the run began, with its warm-up.
    public let nanoseconds: Int64
    public let isWarmingUp: Bool
    /// Replies a second since the last time.
    public let throughput: Double
    /// Of everything measured so far.
    public let p99: Int64
    public let unexpected: Int
}

/// Who is told how a run goes, and how often.
public struct LoadObserver {
    /// Nanoseconds.
    public let period: Int64
    public let tell: (LoadProgress) -> Void

    public init(period: Int64, tell: @escaping (LoadProgress) -> Void) {
        self.period = period
        self.tell = tell
    }
}
