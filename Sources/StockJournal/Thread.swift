// A plain thread with a bell: it sleeps until the bell rings or a time has come, and whoever drops it waits for its end.

import CLinux
import Glibc
import StockModel
import Synchronization

/// Something to sleep on: an eventfd. Ringing it never blocks and is never lost.
package final class Bell: Sendable {
    let descriptor: FileDescriptor

    package init() throws(JournalError) {
        let number = clinux_eventfd()
        guard number >= 0 else { throw .system(call: "eventfd", path: "", errno: errno) }
        descriptor = FileDescriptor(number, path: "eventfd")
    }

    /// Readable while it rings.
    package var number: Int32 { descriptor.number }

    package func ring() { _ = clinux_eventfd_signal(descriptor.number) }

    package func silence() { _ = clinux_eventfd_drain(descriptor.number) }

    /// Sleeps until it rings, for at most `nanoseconds` (nil: for ever), and silences it.
    package func wait(atMost nanoseconds: Int64?) {
        var entry = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        // Rounded up, so that waking early and finding that the time has not come does not turn into spinning.
        let milliseconds = nanoseconds.map { Int32(clamping: (max(0, $0) + 999_999) / 1_000_000) }
        if poll(&entry, 1, milliseconds ?? -1) > 0 { silence() }
    }
}

/// A running thread; `deinit` asks it to end through `stop` and waits until it has.
package final class Thread: @unchecked Sendable {  // The handle is written once, before anyone else sees the object.
    private var handle = pthread_t()
    private let stop: @Sendable () -> Void

    /// - Parameters:
    ///   - name: up to 15 bytes, for tools that list threads.
    ///   - stop: makes `body` return soon.
    package init(name: String, stop: @escaping @Sendable () -> Void, body: @escaping @Sendable () -> Void) throws(JournalError) {
        self.stop = stop
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        let code = pthread_create(&handle, nil, { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            // Signals are for the loop's thread alone.
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_SETMASK, &all, nil)
            clinux_name_thread(start.name)
            start.body()
            return nil
        }, start.toOpaque())
        if code != 0 {
            start.release()
            throw .system(call: "pthread_create", path: name, errno: code)
        }
    }

    deinit {
        stop()
        pthread_join(handle, nil)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
