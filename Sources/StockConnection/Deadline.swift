// A moment to give up at. Every wait of a connection is handed one, so that several waits in a row share a
// single bound. Monotonic: a step of the wall clock moves none.

/// The moment at which a wait gives up, on a clock that never steps.
public struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    /// The moment `duration` from now.
    public static func after(_ duration: Duration) -> Deadline {
        Deadline(instant: ContinuousClock.now.advanced(by: duration))
    }

    public var hasPassed: Bool { ContinuousClock.now >= instant }

    /// What `poll` takes: milliseconds until the deadline, rounded up, 0 once it has passed, a minute at most
    /// (callers poll again until the deadline itself has passed).
    public var pollMilliseconds: Int32 {
        let left = ContinuousClock.now.duration(to: instant)
        guard left > .zero else { return 0 }
        guard left < .seconds(60) else { return 60_000 }
        return Int32(left / .milliseconds(1)) + 1
    }
}
