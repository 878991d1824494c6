// epoll as the load generator uses it: connections known by their index, and one descriptor that ends the run.

import CLinux
import Glibc

/// What is ready, in batches.
struct Poller: ~Copyable {
    private let descriptor: Int32
    private let events: UnsafeMutableBufferPointer<epoll_event>
    /// How many events the last wait brought.
    private(set) var count = 0

    /// The token of the descriptor that ends the run.
    static let interrupt = Int(UInt32.max)
    private static let batch = 512

    init() throws(BenchError) {
        descriptor = clinux_epoll_create()
        guard descriptor >= 0 else { throw .system(call: "epoll_create1", errno: errno) }
        events = .allocate(capacity: Self.batch)
        events.initialize(repeating: epoll_event())
    }

    deinit {
        _ = close(descriptor)
        events.deallocate()
    }

    /// Watches `descriptor` for input; its events carry `token`.
    func add(_ descriptor: Int32, as token: Int) throws(BenchError) {
        guard clinux_epoll_add(self.descriptor, descriptor, clinux_epoll_in(), UInt64(token)) == 0 else {
            throw .system(call: "epoll_ctl", errno: errno)
        }
    }

    /// Watches `descriptor` for room to write as well, or no longer.
    func watchOutput(_ descriptor: Int32, as token: Int, _ wanted: Bool) throws(BenchError) {
        let bits = wanted ? clinux_epoll_in() | clinux_epoll_out() : clinux_epoll_in()
        guard clinux_epoll_modify(self.descriptor, descriptor, bits, UInt64(token)) == 0 else {
            throw .system(call: "epoll_ctl", errno: errno)
        }
    }

    /// Waits until something is ready, or until `moment` of the monotonic clock.
    mutating func wait(until moment: Int64) throws(BenchError) {
        let time = moment == .max ? -1 : max(0, moment - clinux_monotonic_ns())
        let result = clinux_epoll_wait_ns(descriptor, events.baseAddress, Int32(Self.batch), time)
        if result < 0, errno != EINTR { throw .system(call: "epoll_wait", errno: errno) }
        count = max(0, Int(result))
    }

    /// The token of the `index`-th event.
    func token(_ index: Int) -> Int { withUnsafePointer(to: events[index]) { Int(clinux_event_data($0)) } }
    /// The ready bits of the `index`-th event.
    func bits(_ index: Int) -> UInt32 { withUnsafePointer(to: events[index]) { clinux_event_bits($0) } }
}
