// The only time the ledger sees. A wall clock can be stepped: by an operator, by a time service, by a machine that
// wakes up with an empty battery. A step back must not stop time, and a step forward must not expire every hold of a
// running sale at once. So ledger time advances by a clock that nobody can set (CLOCK_BOOTTIME, which goes on in
// suspend) and is only drawn towards wall time: it runs at half to double speed until the two agree, and then it
// follows the wall clock exactly. It never goes backwards, also not across a restart.

import CLinux
import StockModel

/// Both clocks of the machine at one moment, in nanoseconds.
public struct ClockReading: Equatable, Sendable {
    /// Since the machine started, suspend included (CLOCK_BOOTTIME).
    public var boot: Int64
    /// Since 1970 (CLOCK_REALTIME).
    public var wall: Int64

    public init(boot: Int64, wall: Int64) {
        self.boot = boot
        self.wall = wall
    }

    /// Reads the machine's clocks.
    public static func machine() -> ClockReading {
        ClockReading(boot: clinux_boottime_ns(), wall: clinux_realtime_ns())
    }
}

/// The wall clock at the start does not fit the log. Times are Unix milliseconds.
public enum ClockRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The log's newest event is later than the wall clock by more than is waited out.
    case behind(wall: Int64, newest: Int64)
    /// The wall clock is further ahead of the log's newest event than `maximumClockJump` (`limit`).
    case ahead(wall: Int64, newest: Int64, limit: Int64)
    /// The log's newest event is at a time that no clock can show.
    case unreachable(newest: Int64)

    public var description: String {
        switch self {
        case .behind(let wall, let newest):
            "The clock of this machine says \(UTCTime(wall)), but the newest event of the log is of \(UTCTime(newest)), "
                + "\(DurationText(newest - wall)) later. Set the clock. If the clock is right and the log's time is "
                + "wrong, start with --accept-clock: time then goes on from the log's, at half speed until the clock "
                + "has caught up, and holds run out that much later."
        case .ahead(let wall, let newest, let limit):
            "The clock of this machine says \(UTCTime(wall)), \(DurationText(wall - newest)) after the newest event of "
                + "the log (\(UTCTime(newest))); more than \(DurationText(limit)) is not believed. If the clock is "
                + "right, start with --accept-clock (holds that ran out in between are released at once) or with a "
                + "larger --max-clock-jump. If it is not, set it."
        case .unreachable(let newest):
            "The newest event of the log has a time that no clock can show: \(newest) ms since 1970."
        }
    }
}

/// Ledger time: never backwards, never faster than double, never slower than half the speed of CLOCK_BOOTTIME.
public struct LedgerClock: Sendable {
    /// How far wall time may be behind the log's newest time at a start without being refused, in milliseconds.
    public static let toleratedLag: Int64 = 10_000

    /// Ledger time, in nanoseconds since 1970.
    private var ledger: Int64
    private var newestReading: ClockReading

    /// Decides at which time a server goes on.
    ///
    /// - Parameters:
    ///   - newest: the time of the log's newest event, `nil` when it has none.
    ///   - maximumJump: how far wall time may be ahead of it, in milliseconds.
    ///   - accept: the operator's word that the wall clock is right. Even then time does not go behind `newest`.
    public init(
        startingAt reading: ClockReading, after newest: Timestamp?, maximumJump: Int64, accept: Bool = false
    ) throws(ClockRefusal) {
        newestReading = reading
        ledger = reading.wall
        guard let newest else { return }
        let (nanoseconds, overflow) = newest.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow, newest.milliseconds >= 0 else {
            throw .unreachable(newest: newest.milliseconds)
        }
        let wall = reading.wall / 1_000_000
        if !accept {
            guard newest.milliseconds - wall <= Self.toleratedLag else {
                throw .behind(wall: wall, newest: newest.milliseconds)
            }
            guard wall - newest.milliseconds <= maximumJump else {
                throw .ahead(wall: wall, newest: newest.milliseconds, limit: maximumJump)
            }
        }
        ledger = max(reading.wall, nanoseconds)
    }

    /// Reads the clocks of the machine and advances: once per turn of the loop.
    public mutating func now() -> Timestamp {
        advance(to: .machine())
    }

    /// Advances to a reading, and gives the ledger time there.
    public mutating func advance(to reading: ClockReading) -> Timestamp {
        // Wrapping on purpose: whatever a clock claims, time goes on, and a reading from before the last one is none.
        let elapsed = max(0, reading.boot &- newestReading.boot)
        newestReading.boot = max(newestReading.boot, reading.boot)
        newestReading.wall = reading.wall
        let unhurried = ledger &+ elapsed
        let correction = min(max(reading.wall &- unhurried, -(elapsed / 2)), elapsed)
        ledger = max(ledger, unhurried &+ correction)
        return Timestamp(milliseconds: ledger / 1_000_000)
    }

    /// How far ledger time is ahead of wall time at the newest reading, in milliseconds; negative when behind. Zero
    /// but after a step of the wall clock.
    public var lead: Int64 { (ledger &- newestReading.wall) / 1_000_000 }
}
