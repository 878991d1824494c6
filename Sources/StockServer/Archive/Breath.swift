// A thread that gives way is still a running thread: while it keeps a processor busy, the kernel wakes the loop and its
// neighbours on the other ones, on top of each other, however little it is worth. A thread that sleeps now and then for a
// moment leaves a processor free, and whoever waits for one moves there.

import CLinux

/// The pauses of a thread that works for long. One thread uses it.
final class Breath: @unchecked Sendable {
    private let isUrgent: @Sendable () -> Bool
    private var newest = clinux_monotonic_ns()

    /// - Parameter isUrgent: asked before each pause; if so, there is none.
    init(unless isUrgent: @escaping @Sendable () -> Bool) {
        self.isUrgent = isUrgent
    }

    /// Sleeps for a moment, if the last time is a stretch of work ago. To be called often.
    func take() {
        guard clinux_monotonic_ns() &- newest >= ArchiveLimits.stretch else { return }
        if !isUrgent() { clinux_sleep_ns(ArchiveLimits.nap) }
        newest = clinux_monotonic_ns()
    }
}
