// What the server counts about itself, for `STATS`. Counting must cost next to nothing, so the counters are plain
// numbers in arrays by verb and by code, and the clock is not read for each request: one request in 64 is timed and
// stands for the others.

import StockModel
import StockWire

/// A fixed row of counters.
struct CounterRow: ~Copyable {
    private let counters: UnsafeMutablePointer<UInt64>
    private let count: Int

    init(count: Int) {
        self.count = count
        counters = .allocate(capacity: count)
        counters.initialize(repeating: 0, count: count)
    }

    deinit {
        counters.deallocate()
    }

    subscript(index: Int) -> UInt64 {
        @inline(__always)
        get {
            invariant(index < count, "a counter for each index")
            return counters[index]
        }
        @inline(__always)
        nonmutating set {
            invariant(index < count, "a counter for each index")
            counters[index] = newValue
        }
    }
}

/// Counters since the start of the server. Durations are nanoseconds.
struct Statistics: ~Copyable {
    /// One request in this many is timed. A power of two.
    static let sampling: UInt64 = 64

    /// By `Verb.rawValue`.
    let calls = CounterRow(count: Int(UInt8.max) + 1)
    private let sampledCalls = CounterRow(count: Int(UInt8.max) + 1)
    private let sampledTime = CounterRow(count: Int(UInt8.max) + 1)
    /// By `RefusalCode.rawValue`.
    let refusals = CounterRow(count: Int(UInt8.max) + 1)

    var requests: UInt64 = 0
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0

    var accepted: UInt64 = 0
    /// Refused because there were too many.
    var turnedAway: UInt64 = 0
    /// Closed because they did not take their replies.
    var closedForPatience: UInt64 = 0
    /// How often accepting paused because descriptors or memory ran out.
    var acceptPauses: UInt64 = 0

    var turns: UInt64 = 0
    var busyTime: Int64 = 0
    /// The turn that took longest, and what it did.
    var longestTurn = TurnRecord()
    var expirySteps: UInt64 = 0
    /// How late the latest release of a hold was at the beginning of its turn, at most; milliseconds.
    var longestExpiryLag: Int64 = 0
    var failedWrites: UInt64 = 0
    var slowestSync: Int64 = 0

    /// Whether the request about to be served is one of those that are timed.
    @inline(__always)
    var timesNext: Bool { requests & (Statistics.sampling - 1) == 0 }

    func countRefusal(_ code: RefusalCode) {
        refusals[Int(code.rawValue)] &+= 1
    }

    func addSample(_ verb: Verb, nanoseconds: Int64) {
        let index = Int(verb.rawValue)
        sampledCalls[index] &+= 1
        sampledTime[index] &+= UInt64(max(0, nanoseconds))
    }

    /// Microseconds spent on `verb`: what the timed requests took, times how many there were for each of them.
    func estimatedMicroseconds(_ verb: Verb) -> UInt64 {
        let index = Int(verb.rawValue)
        guard sampledCalls[index] > 0 else { return 0 }
        let mean = Double(sampledTime[index]) / Double(sampledCalls[index])
        return UInt64(mean * Double(calls[index]) / 1_000)
    }
}
