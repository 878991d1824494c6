// Ending a segment before it is full, so that the archivist can fold it: the events up to this moment are then in files
// that never change again.

import CLinux

/// What became of the wish to end the segment in use.
public enum SegmentEnd: Equatable, Sendable {
    /// All events so far are in segments up to this number (0: there are none). They are sealed, and may be folded, when
    /// `JournalCounts.sealedSegment` has reached it; a sync is on its way.
    case ended(segment: UInt64)
    /// The next segment is not prepared yet; ask again when the wake descriptor says so.
    case notReady
    /// The next segment cannot be prepared, or not be written to; it is tried again.
    case failed(errno: Int32)
}

extension JournalWriter {
    /// Ends the segment in use if it has events: what is appended from now on goes into the next one. Only between turns,
    /// when no frame waits to be written again.
    ///
    /// Two system calls at most and no waiting.
    public mutating func finishSegment() -> SegmentEnd {
        if hasEventsInSegment, !enterNextSegment() {
            let code = preparationFailure
            return code == 0 ? .notReady : .failed(errno: code)
        }
        // The opening frame is written at once: with it a segment may be the first of a log whose earlier ones are gone.
        if needsOpening {
            let code = writeOpening()
            if code != 0 { return .failed(errno: code) }
        }
        requestSync()
        return .ended(segment: counts.segment &- 1)
    }

    /// The same at the end of a server, waiting for the next segment and for the sync, each for at most `nanoseconds`.
    ///
    /// - Returns: the newest sealed segment that holds all events; nil when that did not come about in time.
    public mutating func finishSegment(within nanoseconds: Int64) -> UInt64? {
        let deadline = clinux_monotonic_ns() &+ nanoseconds
        while true {
            switch finishSegment() {
            case .ended(let segment) where counts.sealedSegment >= segment: return segment
            case .failed: return nil
            case .ended, .notReady: break
            }
            let left = deadline &- clinux_monotonic_ns()
            guard left > 0, durableFailure == 0 else { return nil }
            waitForThreads(atMost: left)
        }
    }
}
