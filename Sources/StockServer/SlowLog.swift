// The slow log: the last turns of the loop that took longer than they may, each with what it did and with the time that
// its thread really worked. A turn that the kernel interrupted, or that waited for a disk, is told from one that had too
// much to do. An ordinary turn pays two comparisons for it; the kernel is asked after half a millisecond of work, and
// nothing is allocated but at the start.

import CLinux
import StockModel
import StockWire

/// What one turn of the loop did. Durations and moments are nanoseconds, moments of the monotonic clock; 0: not come to.
struct TurnRecord {
    var nanoseconds: Int64 = 0
    var requests = 0
    var expirySteps = 0
    /// Holds that are due are left for the next turn.
    var leavesDueHolds = false
    var forgettingSteps = 0
    var forgettingDuration: Int64 = 0
    var accepted = 0
    var eventBytes = 0
    /// When requests began to be served: before it, due holds were released.
    var servingAt: Int64 = 0
    /// When the frame began to be written, and when it was.
    var writingAt: Int64 = 0
    var writtenAt: Int64 = 0
    /// Spent on walking the laws for a VERIFY.
    var walkDuration: Int64 = 0
    /// A segment was ended for the archivist.
    var beginsRound = false
}

/// How often one verb was asked.
struct VerbCount {
    var verb: UInt8 = 0
    var count: UInt64 = 0
}

/// A turn of the slow log.
struct SlowTurn {
    /// Its number, counted from the server's start.
    var number: UInt64 = 0
    /// Unix milliseconds of its start.
    var at: Int64 = 0
    /// Monotonic nanoseconds of its start.
    var start: Int64 = 0
    var record = TurnRecord()
    /// What the loop's thread spent and did since it was last looked at. The turn has at most this; the turns before it,
    /// up to half a millisecond of them, have the rest.
    var usage = clinux_thread_usage()
    var grownBytes = 0
    var segments: UInt64 = 0
    /// The verbs asked most since then, 0 of them where there were fewer.
    var verbs = InlineArray<4, VerbCount>(repeating: VerbCount())

    /// Nanoseconds that the turn worked itself, at most: the rest it waited, or the kernel let somebody else run.
    var ownWork: Int64 { min(record.nanoseconds, usage.cpu_ns) }
}

/// The newest slow turns, and what is needed to tell what a turn did.
struct SlowLog: ~Copyable {
    /// Turns that it keeps.
    static let capacity = 128
    /// The thread is looked at when it has worked for so long since the last time, in nanoseconds.
    static let lookInterval: Int64 = 500_000

    /// A turn that takes longer is slow. Nanoseconds.
    let limit: Int64
    /// Slow turns since the start.
    private(set) var count: UInt64 = 0
    /// The most that any turn has worked itself, so far as it was looked at.
    private(set) var mostOwnWork: Int64 = 0
    private let turns: UnsafeMutablePointer<SlowTurn>

    /// Time of the turns since the last look.
    private var sinceLook: Int64 = 0
    private var usage = clinux_thread_usage()
    private var ledgerBytes = 0
    private var segment: UInt64 = 0
    private let calls: UnsafeMutablePointer<UInt64>
    /// Verbs have the numbers below this one.
    private static let verbs = Verb.allCases.reduce(0) { max($0, Int($1.rawValue) + 1) }

    init(limit: Int64) {
        self.limit = limit
        turns = .allocate(capacity: SlowLog.capacity)
        turns.initialize(repeating: SlowTurn(), count: SlowLog.capacity)
        calls = .allocate(capacity: SlowLog.verbs)
        calls.initialize(repeating: 0, count: SlowLog.verbs)
    }

    deinit {
        turns.deallocate()
        calls.deallocate()
    }

    /// Turns that are kept.
    var kept: Int { Int(min(count, UInt64(SlowLog.capacity))) }

    /// The slow turn that many back from the newest, which is 0.
    subscript(back: Int) -> SlowTurn {
        turns[Int((count &- 1 &- UInt64(back)) % UInt64(SlowLog.capacity))]
    }

    /// Whether the turn that has just ended is to be looked at.
    @inline(__always)
    mutating func wantsLook(_ nanoseconds: Int64) -> Bool {
        sinceLook &+= nanoseconds
        return sinceLook >= SlowLog.lookInterval || nanoseconds > limit
    }

    /// Looks at the thread and, if the turn was slow, keeps it. Call it on the loop's thread.
    ///
    /// - Parameters:
    ///   - statistics: requests by verb so far.
    ///   - ledgerBytes: of all tables.
    ///   - segment: the segment that is written to.
    mutating func look(
        at record: TurnRecord, start: Int64, _ statistics: borrowing Statistics, ledgerBytes: Int, segment: UInt64
    ) {
        let usage = clinux_thread_usage()
        var turn = SlowTurn()
        turn.record = record
        turn.usage = clinux_thread_usage(
            cpu_ns: usage.cpu_ns &- self.usage.cpu_ns, page_faults: usage.page_faults &- self.usage.page_faults,
            waits: usage.waits &- self.usage.waits, preemptions: usage.preemptions &- self.usage.preemptions)
        if self.segment != 0 { mostOwnWork = max(mostOwnWork, turn.ownWork) }
        if record.nanoseconds > limit {
            turn.at = clinux_realtime_ns() &- record.nanoseconds
            turn.at /= 1_000_000
            turn.start = start
            turn.grownBytes = ledgerBytes &- self.ledgerBytes
            turn.segments = segment &- self.segment
            countVerbs(of: &turn, statistics)
            keep(turn)
        }
        self.usage = usage
        self.ledgerBytes = ledgerBytes
        self.segment = segment
        for verb in 0..<SlowLog.verbs { calls[verb] = statistics.calls[verb] }
        sinceLook = 0
    }

    private mutating func keep(_ turn: SlowTurn) {
        var turn = turn
        turn.number = count &+ 1
        turns[Int(count % UInt64(SlowLog.capacity))] = turn
        count &+= 1
    }

    /// Finds the verbs that were asked most since the last look.
    private func countVerbs(of turn: inout SlowTurn, _ statistics: borrowing Statistics) {
        for verb in 0..<SlowLog.verbs {
            var next = VerbCount(verb: UInt8(verb), count: statistics.calls[verb] &- calls[verb])
            // Each place keeps the larger and hands the smaller one down.
            for place in turn.verbs.indices where next.count > turn.verbs[place].count {
                swap(&next, &turn.verbs[place])
            }
        }
    }
}

extension SlowTurn {
    /// The words of its line in `STATS slow`, behind its number: when, and then what as `key=value`.
    var text: String {
        let record = record
        let end = start &+ record.nanoseconds
        // Where a part was not come to, the next one begins.
        let written = record.writtenAt == 0 ? end : record.writtenAt
        let writing = record.writingAt == 0 ? written : record.writingAt
        let serving = record.servingAt == 0 ? writing : record.servingAt
        var words = [
            "\(at)", "us=\(record.nanoseconds / 1_000)", "cpu_us=\(ownWork / 1_000)",
            "clock_us=\((serving &- start) / 1_000)",
            "requests_us=\((writing &- serving &- record.forgettingDuration) / 1_000)",
            "forgetting_us=\(record.forgettingDuration / 1_000)",
            "write_us=\((written &- writing) / 1_000)",
            "delivery_us=\((end &- written &- record.walkDuration) / 1_000)",
            "verify_us=\(record.walkDuration / 1_000)",
            "requests=\(record.requests)", "accepted=\(record.accepted)", "expiry_steps=\(record.expirySteps)",
            "forgetting_steps=\(record.forgettingSteps)", "event_bytes=\(record.eventBytes)",
            "snapshot=\(record.beginsRound ? 1 : 0)", "segments=\(segments)", "grown_bytes=\(grownBytes)",
            "faults=\(usage.page_faults)", "waits=\(usage.waits)", "preempted=\(usage.preemptions)",
        ]
        var names: [String] = []
        for place in verbs.indices where verbs[place].count > 0 {
            let verb = Verb.allCases.first { $0.rawValue == verbs[place].verb }
            names.append((verb.map { "\($0.name)".lowercased() } ?? "?") + ":\(verbs[place].count)")
        }
        if !names.isEmpty { words.append("verbs=" + names.joined(separator: ",")) }
        return words.joined(separator: " ")
    }
}
