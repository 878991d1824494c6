// Everything that happens because of time rather than because of a client: a small table of named deadlines. The
// loop waits for sockets until the nearest of them, and asks at the start of each turn which are due. There are few
// enough that looking at all of them is cheaper than keeping them in order.

/// What the loop wants to be woken for.
enum TimerName: Int, CaseIterable {
    /// A hold runs out.
    case expiry
    /// Ended orders leave memory.
    case forgetting
    /// The listeners are watched again after descriptors ran out.
    case accepting
    /// Connections that do not take their replies, or linger, are looked through.
    case patience
    /// A frame that could not be written is tried again.
    case writing
    /// The journal's own affairs: the mark of an idle log, space that was refused.
    case journal
    /// The database is to be brought up to the log.
    case archive
    /// The laws are walked on, or somebody is told what came of it.
    case verification
    /// A server that stops does not wait for ever.
    case stopping
}

/// Deadlines in nanoseconds of monotonic time, at most one for each name.
struct Timers {
    private static let never = Int64.max
    private var deadlines = [Int64](repeating: Timers.never, count: TimerName.allCases.count)
    /// The nearest deadline, `Int64.max` when there is none.
    private(set) var next = Timers.never

    /// Wakes the loop for `name` at `deadline`, and no longer at the one set before. `nil`: not at all.
    mutating func set(_ name: TimerName, at deadline: Int64?) {
        let deadline = deadline ?? Timers.never
        let old = deadlines[name.rawValue]
        if old == deadline { return }
        deadlines[name.rawValue] = deadline
        if deadline <= next {
            next = deadline
        } else if old == next {
            next = deadlines.min() ?? Timers.never
        }
    }

    func deadline(_ name: TimerName) -> Int64? {
        let deadline = deadlines[name.rawValue]
        return deadline == Timers.never ? nil : deadline
    }

    func isSet(_ name: TimerName) -> Bool { deadlines[name.rawValue] != Timers.never }

    /// Whether `name` is due at `now`. A due timer is taken: it does not fire again until it is set again.
    mutating func take(_ name: TimerName, at now: Int64) -> Bool {
        guard deadlines[name.rawValue] <= now else { return false }
        set(name, at: nil)
        return true
    }

    /// How long the loop may wait, in nanoseconds; negative: no limit.
    func wait(from now: Int64) -> Int64 {
        if next == Timers.never { return -1 }
        return next <= now ? 0 : next &- now
    }
}
