// What each step of a request's way costs by itself, without sockets: so that a change to one of them can be judged by
// the one number that it is about. Each step is done many times over in memory of the size that it has in life, the
// whole is repeated, and the median counts.

import CLinux

/// One step of a request's way.
public struct MicroBenchmark {
    /// A short name: `parse-line`.
    public let name: String
    /// What one item of it is, in words.
    public let what: String
    /// Items of one repetition.
    let items: Int
    /// Does the step for all items, and returns the nanoseconds that count.
    let body: () throws -> Int64
}

/// What one step took.
public struct MicroResult: Sendable {
    public let name: String
    public let what: String
    /// Nanoseconds for each item: the median of the repetitions, the lowest, and the highest.
    public let median: Double
    public let lowest: Double
    public let highest: Double
}

extension MicroBenchmark {
    /// Measures.
    ///
    /// - Parameter repetitions: at least 1; one more comes first and does not count.
    public func run(repetitions: Int) throws -> MicroResult {
        _ = try body()
        var times: [Double] = []
        for _ in 0..<max(1, repetitions) { times.append(Double(try body()) / Double(max(1, items))) }
        times.sort()
        return MicroResult(
            name: name, what: what, median: times[times.count / 2], lowest: times[0], highest: times[times.count - 1])
    }

    /// All steps, in the order of a request's way.
    ///
    /// - Parameters:
    ///   - items: requests of one repetition.
    ///   - scratch: a directory for a log and a database; they are made below it, and the caller removes it.
    public static func all(items: Int, scratch: String) -> [MicroBenchmark] {
        parsing(items) + deciding(items) + expiring(items) + encoding(items) + logging(items, scratch: scratch)
    }
}

/// The time that `body` takes, in nanoseconds.
func timed(_ body: () throws -> Void) rethrows -> Int64 {
    let start = clinux_monotonic_ns()
    try body()
    return clinux_monotonic_ns() - start
}
