// The loop's end of the log. It writes frames, one `pwrite` a turn, and never waits: syncing is the work of
// `SyncThread`, getting the next segment ready that of `SegmentPreparer`. Both tell the loop through one eventfd.
//
// A turn of the loop, as far as the journal goes:
//
//     let health = journal.service()                     // each turn; also after the wake descriptor was ready
//     … decide, filling a buffer with events …
//     switch journal.append(buffer: …)                   // .written: flush replies that wait for `written`
//     … flush replies whose sequence ≤ journal.durableSequence …
//     epoll_wait until journal.nextService at the latest

import CLinux
import Glibc
import StockModel
import Synchronization

/// The writer of a store's log. One owner, one thread: the loop's. Frames are written by nobody else.
public struct JournalWriter: ~Copyable {
    /// What was found and done at the start.
    public let recovery: RecoveryReport

    /// Recovers the log of `directory` and opens it for appending.
    ///
    /// Every frame is checked; those with an event ≥ `first` are handed to `replay` in order, each exactly once (a frame
    /// that begins before `first` is handed over whole). A torn end is cut off and kept aside; damage throws
    /// `JournalError.damaged` and changes nothing. After an unclean end, what the log does not itself vouch to be
    /// durable is copied into fresh synced files. All that was recovered is durable when this returns.
    ///
    /// - Parameters:
    ///   - first: the first sequence wanted. The log must reach back to it, or `damaged` is thrown.
    ///   - progress: called every few MiB and at the end.
    ///   - replay: may throw to refuse; its error comes out as it is, and nothing was changed.
    public init(
        opening directory: StoreDirectory, options: JournalOptions, replayFrom first: UInt64 = 1,
        progress: (LogProgress) -> Void = { _ in }, replay: (LogFrame) throws -> Void
    ) throws {
        fatalError()
    }

    /// Writes one frame: the events of one turn.
    ///
    /// The buffer holds, from its start, `Frame.headerSize` free bytes, `payloadCount` bytes of payload, and room for
    /// `Frame.maximumTrailerSize` more. Header and trailer are filled in place. One system call, no allocation; the rest
    /// costs tens of nanoseconds and the checksum.
    ///
    /// - Parameters:
    ///   - firstSequence: must be `writtenSequence + 1`.
    ///   - eventCount: at least 1.
    ///   - time: ledger time, Unix milliseconds, never less than the last frame's.
    public mutating func append(
        buffer: UnsafeMutableRawPointer, payloadCount: Int, firstSequence: UInt64, eventCount: UInt32, time: Int64
    ) -> AppendResult {
        fatalError()
    }

    /// To be called once per turn (also when nothing is appended): takes note of what the threads report, and writes the
    /// durable mark into a log that went idle. Cheap when there is nothing to do.
    public mutating func service() -> JournalHealth {
        fatalError()
    }

    /// Monotonic nanoseconds at which `service` wants to be called even if nothing else happens; nil: not needed.
    public var nextService: Int64? { fatalError() }

    /// Readable (level-triggered) when a sync ended, failed, or a segment became ready. `service` drains it.
    public var wakeDescriptor: Int32 { fatalError() }

    /// The newest sequence written to the kernel.
    public var writtenSequence: UInt64 { fatalError() }

    /// The newest sequence known to be on the disk. One atomic load.
    public var durableSequence: UInt64 { fatalError() }

    /// Asks for a sync of all that is written, in any mode. It has happened when `durableSequence` has reached today's
    /// `writtenSequence`; the wake descriptor tells.
    public mutating func requestSync() {
        fatalError()
    }

    /// How far the disk is behind; for `-BUSY` and `STATS`.
    public mutating func lag() -> JournalLag {
        fatalError()
    }

    /// Figures for `STATS`.
    public var counts: JournalCounts { fatalError() }

    /// Syncs everything, writes the mark of an orderly end, syncs that, ends the threads. Waits for the disk: call it
    /// when nothing else is to be done. Throws `system` when the disk refuses: then the next start is an unclean one.
    public consuming func close() throws(JournalError) {
        fatalError()
    }
}
