// The thread that keeps the next segment ready, so that the loop changes segments by changing a descriptor. It is a
// thread of its own: a sync that takes seconds must not keep the next segment from being there.

import Glibc
import Synchronization

/// What the loop and the preparing thread share.
final class PrepareState: Sendable {
    struct Order: Sendable {
        /// The number of the segment to make; nil when none is wanted.
        var wanted: UInt64?
        var ready: FileDescriptor?
    }

    let order: Mutex<Order>
    /// Why the last attempt failed; 0 after one that did not.
    let failure = Atomic<Int32>(0)
    let isStopping = Atomic<Bool>(false)
    let bell: Bell

    init(first: UInt64) throws(JournalError) {
        bell = try Bell()
        order = Mutex(Order(wanted: first))
    }

    /// From the loop: the segment that is ready, and the order for the one after it. Nil when it is not ready.
    func take(orderingNext next: UInt64) -> FileDescriptor? {
        let file = order.withLock { order -> FileDescriptor? in
            guard let file = order.ready else { return nil }
            order.ready = nil
            order.wanted = next
            return file
        }
        if file != nil { bell.ring() }
        return file
    }
}

/// The thread itself.
struct Preparer: Sendable {
    let state: PrepareState
    let loopBell: Bell
    let directory: StoreDirectory
    let options: JournalOptions

    func start() throws(JournalError) -> Thread {
        let state = state
        return try Thread(
            name: "log-prepare",
            stop: {
                state.isStopping.store(true, ordering: .sequentiallyConsistent)
                state.bell.ring()
            },
            body: { run() })
    }

    private func run() {
        while !state.isStopping.load(ordering: .sequentiallyConsistent) {
            guard let number = state.order.withLock({ $0.wanted }) else {
                state.bell.wait(atMost: nil)
                continue
            }
            do throws(JournalError) {
                let file = try directory.createSegment(number, bytes: options.segmentBytes, calls: options.calls)
                state.order.withLock {
                    $0.wanted = nil
                    $0.ready = file
                }
                state.failure.store(0, ordering: .releasing)
                loopBell.ring()
            } catch {
                var code = EIO
                if case .system(_, _, let errno) = error { code = errno }
                state.failure.store(code, ordering: .releasing)
                loopBell.ring()
                state.bell.wait(atMost: options.spaceRetryInterval)
            }
        }
    }
}
