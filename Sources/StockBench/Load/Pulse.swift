// The two things that a run looks at beside its requests: how it goes, for whoever watches, and how much of a
// processor the load generator takes itself.

import Glibc

/// When to tell the observer, and what.
struct Pulse {
    private let start: Int64
    private let period: Int64?
    /// `Int64.max` when nobody watches.
    private(set) var next: Int64
    private var lastTime: Int64
    private var lastReplies = 0

    init(start: Int64, period: Int64?) {
        self.start = start
        self.period = period
        lastTime = start
        next = period.map { start + $0 } ?? .max
    }

    func isDue(_ now: Int64) -> Bool { now >= next }

    mutating func beat(_ now: Int64, tally: borrowing Tally) -> LoadProgress {
        let time = max(1, now - lastTime)
        let progress = LoadProgress(
            nanoseconds: now - start, isWarmingUp: now < tally.measureFrom,
            throughput: Double(tally.replies - lastReplies) * 1e9 / Double(time),
            p99: tally.latencies.percentile(99), unexpected: tally.unexpected.reduce(0) { $0 + $1.count })
        lastTime = now
        lastReplies = tally.replies
        if let period { next = now + period }
        return progress
    }
}

/// Processor time of this process against the clock on the wall.
struct ProcessorMeter {
    private let start: Int64
    private let used: Int64

    init(now: Int64) {
        start = now
        used = Self.processorTime()
    }

    /// Since the meter was made: 1 is a whole processor.
    func share(now: Int64) -> Double {
        now > start ? Double(Self.processorTime() - used) / Double(now - start) : 0
    }

    private static func processorTime() -> Int64 {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
