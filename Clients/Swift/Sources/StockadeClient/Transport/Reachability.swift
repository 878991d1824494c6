// Whether the server can be reached, and when to try again: backoff, jitter and circuit breaking in one value
// without a clock.

/// Counts failures in a row, and says what follows from them.
struct Reachability {
    private let shortestPause: Int64
    private let longestPause: Int64
    private let failuresUntilOpen: Int
    private(set) var failures = 0

    /// Pauses in nanoseconds.
    init(shortestPause: Int64, longestPause: Int64, failuresUntilOpen: Int) {
        self.shortestPause = max(shortestPause, 1)
        self.longestPause = max(longestPause, shortestPause, 1)
        self.failuresUntilOpen = max(failuresUntilOpen, 1)
    }

    /// Calls do not wait for a server that has not answered for so long. Connections go on being tried: the first
    /// that answers closes the circuit again.
    var isOpen: Bool { failures >= failuresUntilOpen }

    /// A reply has come.
    mutating func answered() {
        failures = 0
    }

    /// A connection could not be made, or it ended.
    ///
    /// - Returns: nanoseconds to wait before the next: a doubling pause of which the second half is drawn by chance,
    ///   so that a thousand clients do not come back at the same moment.
    mutating func failed(using random: inout some RandomNumberGenerator) -> Int64 {
        let doublings = min(failures, 30)
        failures = min(failures + 1, 1_000_000)
        let (doubled, isTooLong) = shortestPause.multipliedReportingOverflow(by: 1 << Int64(doublings))
        let pause = isTooLong ? longestPause : min(doubled, longestPause)
        return pause / 2 + Int64.random(in: 0...(pause - pause / 2), using: &random)
    }
}
