// Latencies of a run, in an HdrHistogram: three digits of precision from a nanosecond to a hundred seconds, so
// that the far tail is kept and not averaged away.

import Histogram

/// Latencies in nanoseconds.
public struct Latencies: Sendable {
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1, highestTrackableValue: Self.longest, numberOfSignificantValueDigits: .three)

    /// What is longer counts as this long.
    public static let longest: UInt64 = 100_000_000_000

    public init() {}

    @inline(__always)
    package mutating func record(_ nanoseconds: Int64) {
        histogram.record(min(UInt64(clamping: nanoseconds), Self.longest))
    }

    public var count: Int { Int(clamping: histogram.totalCount) }

    /// The latency that `percent` of all are at or below; 0 when there are none.
    public func percentile(_ percent: Double) -> Int64 { Int64(clamping: histogram.valueAtPercentile(percent)) }

    /// How many are in `range`, as exactly as three digits tell.
    package func count(in range: ClosedRange<UInt64>) -> Int { Int(clamping: histogram.count(within: range)) }

    public var longest: Int64 { Int64(clamping: histogram.maxRecorded) }
    public var mean: Double { count == 0 ? 0 : histogram.mean }
}
