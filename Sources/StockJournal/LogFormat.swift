// The numbers of the log's format and its limits, in one place. `Protocol/log-format.md` tells the same in prose,
// with a worked example; `FrameHeader.swift` and `SegmentHeader.swift` put the fields into bytes.

/// What a caller of `JournalWriter.append` must know about the bytes around a payload.
///
/// A frame lies in the caller's buffer like this, and is written from there with one system call:
///
///     headerSize bytes (reserved) | payload | up to maximumTrailerSize bytes (room)
public enum Frame {
    /// Bytes to leave free in front of the payload; the journal fills them in place.
    public static let headerSize = 48
    /// Room to leave after the payload, for the padding to eight bytes and the footer.
    public static let maximumTrailerSize = 16

    /// "STF" in the low three bytes of a frame's first word; the high byte is its `FrameKind`.
    static let magic: UInt32 = 0x0046_5453
    static let footerSize = 8
    /// No byte of it is zero and none becomes zero by one flipped bit, so that its absence can be told from damage.
    static let footer: UInt64 = 0xC596_A35C_3AC5_A369
    /// Everything in a segment begins at a multiple of this.
    static let alignment = 8

    /// The bytes that a frame with `payloadCount` bytes of payload takes in the file.
    @inline(__always)
    static func size(payloadCount: Int) -> Int {
        headerSize &+ ((payloadCount &+ 7) & ~7) &+ footerSize
    }
}

/// What a frame is for: the high byte of its first word.
enum FrameKind: UInt8 {
    /// The events of one turn.
    case events = 0x45  // E
    /// No events: the durable mark of a log that went idle.
    case mark = 0x4D  // M
    /// The first frame of a segment: no events, the length of the segment before it.
    case opening = 0x4F  // O
    /// No events: the log was closed in order, nothing was waiting to be synced.
    case closing = 0x43  // C
}

/// Limits of the log; each is a refusal or a design bound, none is a guess about memory.
public enum LogLimits {
    /// The largest payload of one frame. A frame is one turn of the loop, and a turn ends after a millisecond: 16 MiB
    /// is several times what a turn can decide. It also bounds what a reader must hold at once.
    public static let maximumPayload = 16 << 20
    /// The usual size of a segment.
    public static let segmentBytes = 64 << 20
    /// Segments are numbered from 1; ten digits name the file.
    public static let maximumSegmentNumber: UInt64 = 9_999_999_999
    /// The unit that a disk writes whole: a frame with such a piece all zero was never written completely.
    static let sectorBytes = 512
    /// What a reader fetches with one call.
    static let readChunk = 1 << 20
}

/// The bytes at the start of a segment that belong to its header: a page of its own, so that no later write of a
/// frame can touch the sector that holds it.
enum SegmentLayout {
    static let headerSize = 4096
    static let magic: UInt64 = 0x474F_4C4B_434F_5453  // "STOCKLOG"
    static let version: UInt32 = 1
    /// The payload of an opening frame: length and first sequence of the segment before it.
    static let openingPayload = 16
    static let openingFrame = Frame.headerSize + openingPayload + Frame.footerSize
    /// Where the first frame of events begins.
    static let firstEventsOffset = headerSize + openingFrame

    /// Room at the end of each segment that only a closing frame may take.
    static let closingRoom = Frame.headerSize + Frame.footerSize

    /// The largest payload that fits into an empty segment of `segmentBytes`; not above 0 if none does.
    static func maximumPayload(segmentBytes: Int) -> Int {
        let room = (segmentBytes - firstEventsOffset - closingRoom) & ~(Frame.alignment - 1)
        return min(LogLimits.maximumPayload, room - Frame.headerSize - Frame.footerSize)
    }
}
