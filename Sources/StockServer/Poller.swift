// Step 1 of a request's way: waiting until a socket has something to say. This is epoll and nothing else: what to
// watch, and what is ready. Descriptors are registered once, level-triggered, so that a turn of the loop makes no
// call to epoll but the one that waits.

import CLinux
import Glibc
import StockModel

/// What an event belongs to. Connections carry their descriptor and a generation, so that an event for a closed and
/// reused descriptor is recognised; generation 0 is never a connection's and names the server's own descriptors.
struct PollToken: Equatable {
    let packed: UInt64

    init(packed: UInt64) { self.packed = packed }

    init(descriptor: Int32, generation: UInt32) { packed = clinux_pack(generation, descriptor) }

    /// A descriptor of the server's own.
    init(own number: Int) { packed = clinux_pack(0, Int32(truncatingIfNeeded: number)) }

    var descriptor: Int32 { clinux_packed_fd(packed) }
    var generation: UInt32 { clinux_packed_generation(packed) }
    var isConnection: Bool { generation != 0 }

    /// Waiting signals.
    static let signals = PollToken(own: 0)
    /// The journal's threads have news.
    static let journal = PollToken(own: 1)
    /// The archivist has news.
    static let archive = PollToken(own: 2)
    /// Listener number `index`.
    static func listener(_ index: Int) -> PollToken { PollToken(own: 3 + index) }
    var listenerIndex: Int? { isConnection || descriptor < 3 ? nil : Int(descriptor) - 3 }
}

/// What a descriptor is watched for, or ready for.
struct Readiness: OptionSet {
    let rawValue: UInt32

    static let input = Readiness(rawValue: clinux_epoll_in())
    static let output = Readiness(rawValue: clinux_epoll_out())
    /// The peer will send no more.
    static let inputEnded = Readiness(rawValue: clinux_epoll_rdhup())
    /// Both directions are closed. Reported whether asked for or not, as is `failed`.
    static let hangUp = Readiness(rawValue: clinux_epoll_hup())
    static let failed = Readiness(rawValue: clinux_epoll_err())
}

/// A call to the kernel that failed while the server was being set up.
public struct SystemError: Error, CustomStringConvertible {
    public let call: String
    public let errno: Int32

    init(_ call: String, errno: Int32 = Glibc.errno) {
        self.call = call
        self.errno = errno
    }

    public var description: String { "\(call): \(errorText(errno))" }
}

/// The kernel's words for an error number.
func errorText(_ number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    return String(cString: text)
}

/// Owns an epoll descriptor and the list that it fills.
struct Poller: ~Copyable {
    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    /// Ready descriptors that one wait may report; the others are reported by the next.
    private static let capacity = 1_024

    init() throws(SystemError) {
        descriptor = clinux_epoll_create()
        if descriptor < 0 { throw SystemError("epoll_create1") }
        events = .allocate(capacity: Poller.capacity)
        events.initialize(repeating: epoll_event(), count: Poller.capacity)
    }

    deinit {
        close(descriptor)
        events.deallocate()
    }

    /// Whether the kernel took the descriptor on; it may be out of memory or watches.
    func add(_ watched: Int32, for interest: Readiness, as token: PollToken) -> Bool {
        clinux_epoll_add(descriptor, watched, interest.rawValue, token.packed) == 0
    }

    func change(_ watched: Int32, to interest: Readiness, as token: PollToken) {
        let result = clinux_epoll_modify(descriptor, watched, interest.rawValue, token.packed)
        // The only errors left are wrong descriptors: ours.
        invariant(result == 0, "a watched descriptor is known to epoll")
    }

    /// Waits until something is ready or `nanoseconds` have passed (negative: no limit); how many are ready.
    /// A signal that interrupts the wait counts as nothing ready.
    func wait(nanoseconds: Int64) -> Int {
        let count = clinux_epoll_wait_ns(descriptor, events, Int32(Poller.capacity), nanoseconds)
        if count >= 0 { return Int(count) }
        invariant(errno == EINTR, "epoll_wait only fails when it is interrupted")
        return 0
    }

    /// The event at `index` of those that the last `wait` counted.
    func event(_ index: Int) -> (token: PollToken, ready: Readiness) {
        (
            PollToken(packed: clinux_event_data(events + index)),
            Readiness(rawValue: clinux_event_bits(events + index))
        )
    }
}
