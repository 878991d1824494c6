// A turn of the loop is short, so that no client waits long for another one's work: this is what a turn may do, and
// the account of what it has done.

import CLinux

/// The sizes of a turn and of its parts.
enum TurnLimits {
    /// A turn ends after this many requests …
    static let requests = 2_048
    /// … or this time, in nanoseconds.
    static let duration: Int64 = 1_000_000
    /// Requests of one connection, so that one deep pipeline starves nobody.
    static let share = 512
    /// The clock is looked at once for this much work; a small request is one unit.
    static let unitsBetweenLooks = 64
    /// Bytes of a request, its reply and its events that count as another unit.
    static let bytesOfUnit = 256
    /// What sending one connection's replies takes at the end of the turn, in nanoseconds: a system call and the way of a
    /// small packet through loopback, measured. It is taken from the time for requests.
    static let delivery: Int64 = 2_500
    /// Time for connections that wait for room or for the disk to be written to, in nanoseconds.
    static let releases: Int64 = 500_000
    /// The most that is written to one of them at once, in bytes.
    static let release = 128 << 10

    /// Bytes of events; the largest order's event has some 40 KiB.
    static let eventBytes = 4 << 20
    /// What the events of one more request, or one more step of expiry, may take.
    static let eventReserve = 96 << 10

    /// Holds released in one turn, and the nanoseconds for it: few at first, so that clients hardly notice, and more the
    /// later they are. A million that are due at once are out within a quarter of a second (half of one, when each is of
    /// another SKU and buyer), and requests are still answered in between.
    static let expirySteps = 4_096
    static let leastExpiry: Int64 = 200_000
    static let expiryPerMillisecondLate: Int64 = 5_000
    static let mostExpiry: Int64 = 700_000
    static let expiryBatch = 64
    /// Ended orders forgotten in one turn.
    static let forgettingSteps = 512

    /// With so many requests in a batch, the ledger is told of them beforehand, so that it waits for memory once for all.
    static let deepBatch = 3

    /// Connections accepted on one listener in one turn.
    static let accepts = 64
    /// How long accepting pauses when descriptors have run out, in nanoseconds.
    static let acceptPause: Int64 = 100_000_000

    /// Bytes read from a socket at once.
    static let read = 64 << 10
    /// A connection's unfinished input up to this size is brought to the shared buffer for a read; a larger one is
    /// added to where it lies, so that a huge request that comes in small pieces is not copied for each of them.
    static let smallInput = 16 << 10

    /// Replies that may wait for one connection however many wait for all …
    static let leastOutput = 16 << 10
    /// … and the part of what is left for all that may wait for one.
    static let outputPart = 64

    /// Replies of a turn for which the shared buffer keeps its memory.
    static let keptReplies = 1 << 20
    /// How long a connection that had its last reply may go on sending, in nanoseconds.
    static let lingering: Int64 = 1_000_000_000
    /// How soon a frame that could not be written is tried again, in nanoseconds; doubled each time up to the last.
    static let firstRetry: Int64 = 1_000_000
    static let lastRetry: Int64 = 100_000_000

    /// A server that stops still reads what was already sent for this long, in nanoseconds …
    static let stoppingReads: Int64 = 250_000_000
    /// … and waits for its replies to be taken for this long.
    static let stoppingFlush: Int64 = 5_000_000_000
    /// While a hold is open the clocks are looked at this often, in nanoseconds, so that a step of the wall clock is
    /// taken in small parts.
    static let clockInterval: Int64 = 1_000_000_000
}

/// What is left of one turn.
struct TurnBudget {
    private(set) var requestsLeft = TurnLimits.requests
    private var unitsToLook = TurnLimits.unitsBetweenLooks
    private var deadline: Int64
    private(set) var isOver = false

    /// - Parameter start: monotonic nanoseconds.
    init(start: Int64) {
        deadline = start &+ TurnLimits.duration
    }

    /// A connection is served, whose replies will have to be sent.
    @inline(__always)
    mutating func reserveDelivery() { deadline &-= TurnLimits.delivery }

    /// Counts one request (or a blank line) of so many bytes, its reply and its events included.
    @inline(__always)
    mutating func spend(bytes: Int) {
        requestsLeft &-= 1
        unitsToLook &-= 1 &+ bytes / TurnLimits.bytesOfUnit
        if requestsLeft <= 0 { isOver = true }
        if unitsToLook <= 0 { look() }
    }

    /// Looks at the clock.
    @inline(never)
    mutating func look() {
        unitsToLook = TurnLimits.unitsBetweenLooks
        if clinux_monotonic_ns() >= deadline { isOver = true }
    }

    /// The turn ends with the request that is being served.
    mutating func end() { isOver = true }
}
