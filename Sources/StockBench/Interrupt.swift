// SIGINT and SIGTERM as a readable descriptor, so that a run ends with its result and a comparison with its
// children, instead of in the middle of anything.

import CLinux
import Glibc

/// The wish to end. Made before threads are started and children are spawned: from then on the signals wait here.
public struct Interrupt: ~Copyable {
    /// Readable once a signal has come; -1 when the system has none to give, and the signals end the process.
    public let descriptor: Int32

    public init() {
        descriptor = [SIGINT, SIGTERM].withUnsafeBufferPointer { clinux_signalfd($0.baseAddress, Int32($0.count)) }
    }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    /// Whether a signal came. It stays so: the signal is not taken.
    public func hasCome(within milliseconds: Int32 = 0) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}
