// How a journal is told to behave, and what it says of itself: the sync mode, its periods and limits, its health.

/// When the log is brought to the disk.
public enum SyncMode: String, Sendable, CaseIterable {
    /// As soon as a frame is written; while one sync runs, frames gather for the next, so groups form by themselves.
    case always
    /// Once per second of monotonic time while anything is unsynced, or after `JournalOptions.syncBytes`.
    case everysec
    /// When the kernel decides; `requestSync()` and `close()` still sync.
    case never
}

/// Sizes, periods and limits of a journal. Durations are nanoseconds of monotonic time.
public struct JournalOptions: Sendable {
    public var sync: SyncMode
    /// The size at which the log goes on in the next segment; the space is reserved ahead.
    public var segmentBytes = LogLimits.segmentBytes
    /// `everysec`: the time between the starts of two syncs.
    public var syncInterval: Int64 = 1_000_000_000
    /// `everysec`: unsynced bytes that start a sync before the time has come.
    public var syncBytes = 16 << 20
    /// Above this age of the oldest unsynced frame `JournalLag.isOverLimit` is true: refuse with `-BUSY`.
    public var lagAgeLimit: Int64 = 5_000_000_000
    /// Above this many unsynced bytes likewise.
    public var lagBytesLimit = 512 << 20
    /// How long nothing is appended before the durable mark is written into an idle log.
    public var idleMarkDelay: Int64 = 1_000_000_000
    /// How often space for the next segment is asked for again after it was refused.
    public var spaceRetryInterval: Int64 = 1_000_000_000
    /// The operator's word that the damaged, never durable tail that begins with this sequence may be given up.
    public var acceptTailLoss: UInt64?
    /// A log without any event may begin behind the database: a backup was put in its place. Otherwise a log that does
    /// not reach up to the first sequence that is wanted is a damaged one.
    public var beginsAnywhere = false
    /// The system calls; only tests replace them.
    var calls = SystemCalls()

    public init(sync: SyncMode = .everysec) { self.sync = sync }

    /// The largest payload that `append` takes: no frame is larger than a segment or than the format allows.
    public var maximumPayload: Int { SegmentLayout.maximumPayload(segmentBytes: segmentBytes) }
}

/// What became of a frame handed to `append`.
public enum AppendResult: Equatable, Sendable {
    /// It is with the kernel: it survives the death of the process. Replies that wait for `written` may go.
    case written
    /// The write failed with this errno. Nothing may be answered; call `append` again with the very same frame,
    /// which goes to the very same place. Give up (exit 74) after a time that the server chooses.
    case failed(errno: Int32)
    /// The frame needs the next segment and that is not prepared yet. Nothing was written; call again with the very
    /// same frame when the wake descriptor says so. Only a disk that cannot keep up brings this about.
    case notReady
}

/// Whether the journal can take promises. Looked at between turns.
public enum JournalHealth: Equatable, Sendable {
    case ready
    /// No space could be reserved for the next segment (`errno`) and the present one is more than half full. Frames
    /// still fit, but stop promising. It becomes `ready` again by itself when there is space.
    case noSpace(errno: Int32)
    /// A sync failed with this errno. Sticky: the kernel may have dropped the pages, so nothing is tried again.
    case syncFailed(errno: Int32)
}

/// How far the disk is behind.
public struct JournalLag: Equatable, Sendable {
    /// Nanoseconds since the oldest unsynced frame was written, exact to a tenth of a second upwards; 0 if none.
    public var age: Int64
    /// Bytes written and not yet synced.
    public var bytes: Int
    /// Whether one of the two limits of the options is passed: stop promising (`-BUSY`).
    public var isOverLimit: Bool
}

/// Figures for `STATS`.
public struct JournalCounts: Equatable, Sendable {
    /// Since the start: frames and bytes written, syncs completed, the time the last sync took (nanoseconds).
    public var frames: UInt64 = 0
    public var bytes: UInt64 = 0
    public var syncs: UInt64 = 0
    public var lastSyncDuration: Int64 = 0
    /// The number of the segment in use and the newest one that is sealed (complete and synced; 0 if none).
    public var segment: UInt64 = 0
    public var sealedSegment: UInt64 = 0
}
