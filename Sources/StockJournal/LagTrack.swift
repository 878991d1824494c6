// How old the oldest unsynced frame is, without a note per frame: at most ten notes a second.

/// Notes of when the log stood where. Positions are bytes since the start, times nanoseconds of monotonic time.
struct LagTrack {
    private struct Note {
        var position: UInt64
        var time: Int64
    }

    /// Ten notes a second for 12.8 s; beyond that the newest is stretched, and the age comes out too high, never too low.
    private static let capacity = 128
    private static let step: Int64 = 100_000_000

    private var notes: ContiguousArray<Note>
    private var head = 0
    private var count = 0

    init() { notes = ContiguousArray(repeating: Note(position: 0, time: 0), count: Self.capacity) }

    /// A frame was written at `position`.
    @inline(__always)
    mutating func note(_ position: UInt64, at time: Int64) {
        if count > 0, time &- notes[(head &+ count &- 1) % Self.capacity].time < Self.step { return }
        guard count < Self.capacity else { return }
        notes[(head &+ count) % Self.capacity] = Note(position: position, time: time)
        count &+= 1
    }

    /// Nanoseconds since the first byte behind `synced` was written, at most a tenth of a second too many.
    mutating func age(synced: UInt64, written: UInt64, at now: Int64) -> Int64 {
        // A note is done with when the one after it is not behind the synced position.
        while count > 1, notes[(head &+ 1) % Self.capacity].position <= synced {
            head = (head &+ 1) % Self.capacity
            count &-= 1
        }
        guard written > synced else {
            count = 0
            return 0
        }
        return count > 0 ? max(0, now &- notes[head].time) : 0
    }
}
