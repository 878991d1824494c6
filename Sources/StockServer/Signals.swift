// How an operator asks the server to stop: SIGTERM or SIGINT, read from a descriptor as one more event of the loop.
// A second one does what such a signal does to any process, so that a server that waits for a stuck disk can still
// be ended.

import CLinux
import Glibc

/// The signals that the loop takes. Make it before the first thread is started, the journal's included: threads
/// inherit which signals are blocked. A class, because a server may have none.
public final class Signals {
    let descriptor: Int32
    private static let stopping: [Int32] = [SIGTERM, SIGINT]

    /// Blocks SIGTERM and SIGINT in this thread and those it starts, and ignores SIGPIPE.
    public init() throws(SystemError) {
        clinux_ignore_sigpipe()
        descriptor = clinux_signalfd(Signals.stopping, Int32(Signals.stopping.count))
        if descriptor < 0 { throw SystemError("signalfd") }
    }

    deinit {
        close(descriptor)
    }

    /// The name of the signal that asks to stop, if one came.
    func next() -> String? {
        switch clinux_signalfd_next(descriptor) {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        default: nil
        }
    }

    /// From now on SIGTERM and SIGINT end the process at once.
    func letNextOneKill() {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in Signals.stopping { sigaddset(&set, signal) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
