// The loop's end of the log. It writes frames, one `pwrite` a turn, and never waits: syncing is the work of `Syncer`,
// getting the next segment ready that of `Preparer`, each on a thread of its own. Both tell the loop through one eventfd.
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
///
/// Dropped without `close()` it leaves the log as a crash would: what is written stays with the kernel.
public struct JournalWriter: ~Copyable {
    /// What was found and done at the start.
    public let recovery: RecoveryReport
    /// The newest sequence written to the kernel.
    public private(set) var writtenSequence: UInt64

    private let options: JournalOptions
    private let seedSource: UInt128
    private let sync: SyncState
    private let prepare: PrepareState
    /// Wakes the loop.
    private let loopBell: Bell
    /// Kept only to be dropped: each ends when nobody holds it.
    private let threads: [Thread]
    private let scratch = Scratch()

    private var live: LiveSegment
    private var chain: UInt32
    private var lastTime: Int64
    private var lastKind: FrameKind
    /// The newest durable mark that stands in the log.
    private var markedSequence: UInt64
    private var lastAppendAt: Int64
    private var lagTrack = LagTrack()
    private var totals = JournalCounts()

    /// The segment that is written to.
    private struct LiveSegment {
        var file: FileDescriptor
        var number: UInt64
        var firstSequence: UInt64
        var seed: SegmentSeed
        var offset: Int
        /// Reserved bytes, less the room that is kept for the closing frame.
        var limit: Int
        /// Length and first sequence of the segment before it, for its opening frame.
        var before: (length: Int, firstSequence: UInt64)

        var needsOpening: Bool { offset == SegmentLayout.headerSize }
    }

    /// Recovers the log of `directory` and opens it for appending.
    ///
    /// Every frame is checked; those with an event ≥ `first` are handed to `replay` in order, each exactly once (a frame
    /// that begins before `first` is handed over whole). Segments that lie wholly before `first` are not read. A torn end
    /// is cut off and kept aside; damage throws `JournalError.damaged` and changes nothing. After an unclean end, what
    /// the log does not itself vouch to be durable is copied into fresh synced files. All that was recovered is durable
    /// when this returns.
    ///
    /// - Parameters:
    ///   - first: the first sequence wanted. The log must reach back to it and up to the one before it.
    ///   - progress: called every 8 MiB and at the end.
    ///   - replay: may throw to refuse; its error comes out as it is, and nothing was changed.
    public init(
        opening directory: StoreDirectory, options: JournalOptions, replayFrom first: UInt64 = 1,
        progress: (LogProgress) -> Void = { _ in }, replay: (LogFrame) throws -> Void
    ) throws {
        invariant(directory.access == .serve, "a journal is written only in a directory opened to serve")
        invariant(options.maximumPayload > 0, "a segment has room for a frame")
        let log = try Recovery(directory: directory, options: options).run(
            from: first, progress: progress, replay: replay)
        let sequence = log.segment.lastSequence
        let loopBell = try Bell()
        let sync = try SyncState(live: log.file, sequence: sequence, sealedSegment: log.segment.number - 1)
        let prepare = try PrepareState(first: log.segment.number + 1)
        let syncer = try Syncer(state: sync, loopBell: loopBell, options: options).start()
        let preparer = try Preparer(state: prepare, loopBell: loopBell, directory: directory, options: options).start()

        self.options = options
        self.sync = sync
        self.prepare = prepare
        self.loopBell = loopBell
        threads = [syncer, preparer]
        recovery = log.report
        seedSource = directory.identity.store
        writtenSequence = sequence
        chain = log.chain
        lastTime = log.report.lastTime
        lastKind = log.report.wasClean ? .closing : .events
        markedSequence = log.report.durableSequence
        lastAppendAt = options.calls.now()
        live = LiveSegment(
            file: log.file, number: log.segment.number, firstSequence: log.segment.firstSequence,
            seed: SegmentSeed(store: directory.identity.store, segment: log.segment.number),
            offset: log.segment.length, limit: log.capacity - SegmentLayout.closingRoom, before: (0, 0))
    }

    // MARK: Appending

    /// Writes one frame: the events of one turn.
    ///
    /// The buffer holds, from its start, `Frame.headerSize` free bytes, `payloadCount` bytes of payload, and room for
    /// `Frame.maximumTrailerSize` more. Header and trailer are filled in place. One system call, no allocation; the rest
    /// costs tens of nanoseconds and the checksum. (The first frame of a segment costs one call more.)
    ///
    /// - Parameters:
    ///   - payloadCount: at most `JournalOptions.maximumPayload`.
    ///   - firstSequence: must be `writtenSequence + 1`.
    ///   - eventCount: at least 1.
    ///   - time: ledger time, Unix milliseconds.
    public mutating func append(
        buffer: UnsafeMutableRawPointer, payloadCount: Int, firstSequence: UInt64, eventCount: UInt32, time: Int64
    ) -> AppendResult {
        invariant(firstSequence == writtenSequence &+ 1, "frames follow each other without a gap")
        invariant(eventCount > 0 && payloadCount >= 0, "a frame has events")
        invariant(payloadCount <= options.maximumPayload, "a turn's events fit into one frame")
        return write(.events, in: buffer, payloadCount: payloadCount, eventCount: eventCount, time: time)
    }

    /// Writes a frame of any kind but an opening one at the end of the log, changing the segment if need be.
    private mutating func write(
        _ kind: FrameKind, in buffer: UnsafeMutableRawPointer, payloadCount: Int, eventCount: UInt32, time: Int64
    ) -> AppendResult {
        let size = Frame.size(payloadCount: payloadCount)
        let limit = kind == .closing ? live.limit &+ SegmentLayout.closingRoom : live.limit
        if live.offset &+ size > limit, !live.needsOpening, !enterNextSegment() { return .notReady }
        if live.needsOpening {
            let code = writeOpening()
            if code != 0 { return .failed(errno: code) }
        }
        let header = header(kind, payloadCount: payloadCount, eventCount: eventCount, time: time)
        let code = put(header, in: buffer)
        if code != 0 { return .failed(errno: code) }
        writtenSequence = header.nextSequence &- 1
        lastTime = time
        publish(size)
        return .written
    }

    private func header(_ kind: FrameKind, payloadCount: Int, eventCount: UInt32, time: Int64) -> FrameHeader {
        FrameHeader(
            kind: kind, payloadCount: payloadCount, firstSequence: writtenSequence &+ 1, time: time,
            durableSequence: durableSequence, eventCount: eventCount, chain: chain)
    }

    /// Seals the frame in its buffer and writes it. 0, or the errno; then the log is as it was before, as far as memory
    /// knows, and the same frame comes to the same place the next time.
    @inline(__always)
    private mutating func put(_ header: FrameHeader, in buffer: UnsafeMutableRawPointer) -> Int32 {
        let crc = header.seal(in: buffer, seed: live.seed.frame(at: live.offset))
        let code = live.file.writeAll(buffer, count: header.frameSize, at: live.offset, calls: options.calls)
        guard code == 0 else { return code }
        live.offset &+= header.frameSize
        chain = crc
        lastKind = header.kind
        markedSequence = header.durableSequence
        return 0
    }

    /// Tells the sync thread how far the log is written, and wakes it if it would sleep too long.
    @inline(__always)
    private mutating func publish(_ size: Int) {
        lastAppendAt = options.calls.now()
        lagTrack.note(totals.bytes, at: lastAppendAt)
        totals.frames &+= 1
        totals.bytes &+= UInt64(size)
        sync.writtenSequence.store(writtenSequence, ordering: .releasing)
        sync.writtenBytes.store(totals.bytes, ordering: .sequentiallyConsistent)
        switch sync.rest.load(ordering: .sequentiallyConsistent) {
        case SyncState.Rest.untilWritten:
            sync.wake()
        case SyncState.Rest.untilDue:
            let unsynced = totals.bytes &- sync.syncedBytes.load(ordering: .relaxed)
            if unsynced >= UInt64(options.syncBytes) { sync.wake() }
        default:
            break
        }
    }

    // MARK: Segments

    /// Goes on in the prepared segment; false if there is none yet.
    mutating func enterNextSegment() -> Bool {
        guard let file = prepare.take(orderingNext: live.number &+ 2) else { return false }
        let finished = SyncState.FinishedSegment(file: live.file, number: live.number, length: live.offset)
        sync.files.withLock {
            $0.finished.append(finished)
            $0.live = file
        }
        live = LiveSegment(
            file: file, number: finished.number &+ 1, firstSequence: writtenSequence &+ 1,
            seed: SegmentSeed(store: seedSource, segment: finished.number &+ 1), offset: SegmentLayout.headerSize,
            limit: options.segmentBytes - SegmentLayout.closingRoom, before: (finished.length, live.firstSequence))
        return true
    }

    /// The first frame of a segment, which says what it follows.
    mutating func writeOpening() -> Int32 {
        let payload = scratch.frame + Frame.headerSize
        payload.storeBytes(of: UInt64(live.before.length).littleEndian, as: UInt64.self)
        payload.storeBytes(of: live.before.firstSequence.littleEndian, toByteOffset: 8, as: UInt64.self)
        let header = header(.opening, payloadCount: SegmentLayout.openingPayload, eventCount: 0, time: lastTime)
        let code = put(header, in: scratch.frame)
        if code == 0 { publish(header.frameSize) }
        return code
    }

    /// Whether an event stands in the segment in use.
    var hasEventsInSegment: Bool { writtenSequence >= live.firstSequence }
    /// Whether the segment in use follows another one and does not say so yet.
    var needsOpening: Bool { live.needsOpening && live.number > 1 }
    /// Why the next segment could not be prepared, or 0.
    var preparationFailure: Int32 { prepare.failure.load(ordering: .acquiring) }
    /// Why a sync failed, or 0.
    var durableFailure: Int32 { sync.failure.load(ordering: .acquiring) }

    func waitForThreads(atMost nanoseconds: Int64) { loopBell.wait(atMost: nanoseconds) }

    /// Room for a frame without events.
    private final class Scratch {
        let frame: UnsafeMutableRawPointer
        init() { frame = .allocate(byteCount: SegmentLayout.openingFrame + Frame.maximumTrailerSize, alignment: 16) }
        deinit { frame.deallocate() }
    }

    // MARK: Between turns

    /// To be called once per turn (also when nothing is appended): takes note of what the threads report, and writes the
    /// durable mark into a log that went idle. Cheap when there is nothing to do.
    public mutating func service() -> JournalHealth {
        if isMarkDue, options.calls.now() >= lastAppendAt &+ options.idleMarkDelay {
            // If it cannot be written now, the next turn tries again; nobody waits for it.
            if write(.mark, in: scratch.frame, payloadCount: 0, eventCount: 0, time: lastTime) == .written {
                requestSync()
            } else {
                lastAppendAt = options.calls.now()
            }
        }
        return health
    }

    /// Whether everything is durable and the log does not say so yet.
    private var isMarkDue: Bool {
        markedSequence < writtenSequence && durableSequence == writtenSequence
            && sync.failure.load(ordering: .relaxed) == 0
    }

    /// Whether promises can be taken. Two or three atomic loads.
    public var health: JournalHealth {
        let failure = sync.failure.load(ordering: .acquiring)
        if failure != 0 { return .syncFailed(errno: failure) }
        let noSpace = prepare.failure.load(ordering: .acquiring)
        if noSpace != 0, live.offset > live.limit / 2 { return .noSpace(errno: noSpace) }
        return .ready
    }

    /// Monotonic nanoseconds at which `service` wants to be called even if nothing else happens; nil: not needed.
    public var nextService: Int64? { isMarkDue ? lastAppendAt &+ options.idleMarkDelay : nil }

    /// Readable (level-triggered) when a sync ended or failed, or a segment became ready or could not be made.
    /// Whoever was woken by it calls `silenceBell` before it looks at the news.
    public var wakeDescriptor: Int32 { loopBell.number }

    /// Makes `wakeDescriptor` unreadable until there is more news.
    public func silenceBell() { loopBell.silence() }

    /// The newest sequence known to be on the disk. One atomic load.
    public var durableSequence: UInt64 { sync.durableSequence.load(ordering: .acquiring) }

    /// Asks for a sync of all that is written, in any mode. It has happened when `durableSequence` has reached today's
    /// `writtenSequence`; the wake descriptor tells. After a failed sync it never happens: look at `health`.
    public mutating func requestSync() {
        guard totals.bytes > sync.syncedBytes.load(ordering: .relaxed) else { return }
        sync.requestedBytes.store(totals.bytes, ordering: .sequentiallyConsistent)
        sync.wake()
    }

    /// How far the disk is behind; for `-BUSY` and `STATS`. In the mode `never` it is never over the limit.
    public mutating func lag() -> JournalLag {
        let synced = sync.syncedBytes.load(ordering: .acquiring)
        guard totals.bytes > synced else { return JournalLag(age: 0, bytes: 0, isOverLimit: false) }
        let bytes = Int(totals.bytes - synced)
        let age = lagTrack.age(synced: synced, written: totals.bytes, at: options.calls.now())
        let isOver = age > options.lagAgeLimit || bytes > options.lagBytesLimit
        return JournalLag(age: age, bytes: bytes, isOverLimit: isOver && options.sync != .never)
    }

    /// Bytes of all frames since the start.
    public var bytesAppended: UInt64 { totals.bytes }

    /// Figures for `STATS`.
    public var counts: JournalCounts {
        var counts = totals
        counts.syncs = sync.syncs.load(ordering: .relaxed)
        counts.lastSyncDuration = sync.lastDuration.load(ordering: .relaxed)
        counts.segment = live.number
        counts.sealedSegment = sync.sealedSegment.load(ordering: .acquiring)
        return counts
    }

    // MARK: The end

    /// Syncs everything, writes the mark of an orderly end, syncs that, ends the threads. Waits for the disk: call it
    /// when nothing else is to be done. Throws `system` when the disk refuses: then the next start is an unclean one.
    public consuming func close() throws(JournalError) {
        try syncAndWait()
        if lastKind == .closing { return }
        while true {
            switch write(.closing, in: scratch.frame, payloadCount: 0, eventCount: 0, time: lastTime) {
            case .written:
                return try syncAndWait()
            case .failed(let code):
                throw .system(call: "write", path: live.file.path, errno: code)
            case .notReady:
                // Only if the reserved room is gone: a segment that was reopened on a full disk.
                let code = prepare.failure.load(ordering: .acquiring)
                if code != 0 { throw .system(call: "fallocate", path: live.file.path, errno: code) }
                loopBell.wait(atMost: options.syncInterval)
            }
        }
    }

    private mutating func syncAndWait() throws(JournalError) {
        requestSync()
        while sync.syncedBytes.load(ordering: .acquiring) < totals.bytes {
            let code = sync.failure.load(ordering: .acquiring)
            if code != 0 { throw .system(call: "fdatasync", path: live.file.path, errno: code) }
            loopBell.wait(atMost: options.syncInterval)
        }
        let code = sync.failure.load(ordering: .acquiring)
        if code != 0 { throw .system(call: "fdatasync", path: live.file.path, errno: code) }
    }
}
