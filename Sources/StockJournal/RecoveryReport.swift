// What a reader of the log hands out: a frame at a time, where it stands, how far the reading is, and at the end
// what was found.

import StockModel

/// One frame as read. `payload` points into the reader's buffer: valid only until the closure it is handed to returns.
public struct LogFrame {
    /// The encoded events, exactly as they were appended.
    public var payload: UnsafeRawBufferPointer
    public var firstSequence: UInt64
    public var eventCount: UInt32
    /// Ledger time in Unix milliseconds.
    public var time: Int64
    /// The newest sequence that was known to be durable when the frame was written.
    public var durableSequence: UInt64
    public var position: LogPosition
    /// The payload's events, up to the first that cannot be read, which `problem` is about.
    public var events: UnsafeBufferPointer<Event>
    public var problem: MalformedEvent?
    /// `events`, and behind them those of the next frames, as far as they are read: for those who look ahead.
    public var upcoming: UpcomingEvents

    /// The sequence of its last event. The reader has checked that this does not overflow.
    public var lastSequence: UInt64 { firstSequence &+ UInt64(eventCount) &- 1 }

    /// A frame whose events are not decoded yet.
    init(_ header: FrameHeader, payload: UnsafeRawPointer, at position: LogPosition) {
        self.payload = UnsafeRawBufferPointer(start: payload, count: header.payloadCount)
        firstSequence = header.firstSequence
        eventCount = header.eventCount
        time = header.time
        durableSequence = header.durableSequence
        self.position = position
        events = UnsafeBufferPointer(start: nil, count: 0)
        upcoming = UpcomingEvents(events: events, idHashes: UnsafeBufferPointer(start: nil, count: 0))
    }
}

/// A place in the log.
public struct LogPosition: Equatable, Sendable {
    public var segment: UInt64
    public var offset: UInt64
}

/// How far a reading is, for a progress line.
public struct LogProgress: Equatable, Sendable {
    public var bytesDone: UInt64
    /// Of all segments to be read, without the space that is reserved in the last ones.
    public var bytesTotal: UInt64
    /// The newest sequence read.
    public var sequence: UInt64
}

/// What was found at the start, and what was done about it.
public struct RecoveryReport: Equatable, Sendable {
    /// The newest event, 0 for an empty log; its ledger time in Unix milliseconds, 0 for an empty log.
    public var lastSequence: UInt64 = 0
    public var lastTime: Int64 = 0
    /// The first event that is still in the log (1, unless segments were dropped at the front).
    public var firstSequence: UInt64 = 1
    /// Frames, events and bytes read (not only those handed out).
    public var frames: UInt64 = 0
    public var events: UInt64 = 0
    public var bytes: UInt64 = 0
    /// Segments found, with frames in them.
    public var firstSegment: UInt64 = 0
    public var lastSegment: UInt64 = 0
    /// The newest sequence that a durable mark of the log itself vouches for.
    public var durableSequence: UInt64 = 0
    /// Whether the server before this one closed the log in order (also true of a new directory).
    public var wasClean = true
    /// Whether the directory held no log at all.
    public var isNew = false
    /// What was cut off the end, if anything.
    public var cut: TailCut?

    public init() {}
}

/// An end of the log that was cut off: never acknowledged as durable, kept for inspection.
public struct TailCut: Equatable, Sendable {
    /// Why it was cut: the end was torn by a crash, or it was damaged and the operator accepted the loss.
    public enum Reason: Equatable, Sendable { case torn, acceptedLoss }
    public var reason: Reason
    /// What was wrong with it, in words.
    public var detail: String
    /// Where the log was cut.
    public var position: LogPosition
    /// The sequence that the first lost event would have had.
    public var sequence: UInt64
    /// How many bytes were put aside, and into which files (paths; several if later segments were cut off whole).
    public var bytes: UInt64
    public var keptIn: [String]
}

/// What `LogInspector.check` found.
public enum LogVerdict: Equatable, Sendable {
    /// Every frame is as it was written, to the end. `isLive`: a server is writing to it at this moment.
    case intact(isLive: Bool)
    /// The end is torn: the next start cuts it off. `at` is the place, `sequence` the first event lost.
    case torn(at: LogPosition, sequence: UInt64, detail: String)
    /// A start would be refused.
    case damaged(LogDamage)
}
