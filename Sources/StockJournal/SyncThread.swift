// The thread that brings the log to the disk. The loop tells it by atomics how far it has written, and rings its bell only
// when the thread would otherwise sleep too long; the thread tells back how far the disk is. The one lock guards the list
// of files and is never held across a system call.

import CLinux
import Glibc
import Synchronization

/// What the loop and the sync thread share.
///
/// Positions are bytes of log since this start, over all segments: they move also when a frame has no events.
final class SyncState: Sendable {
    // Written by the loop.
    let writtenSequence: Atomic<UInt64>
    let writtenBytes = Atomic<UInt64>(0)
    /// All up to this position is to be synced now, whatever the mode.
    let requestedBytes = Atomic<UInt64>(0)

    // Written by the thread.
    let durableSequence: Atomic<UInt64>
    let syncedBytes = Atomic<UInt64>(0)
    /// The errno of the sync that failed. Never goes back to 0.
    let failure = Atomic<Int32>(0)
    let sealedSegment: Atomic<UInt64>
    let syncs = Atomic<UInt64>(0)
    let lastDuration = Atomic<Int64>(0)

    /// What the thread is doing; the loop looks at it to know whether to ring.
    let rest = Atomic<UInt8>(Rest.awake)
    let isStopping = Atomic<Bool>(false)
    let bell: Bell
    let files: Mutex<Files>

    enum Rest {
        static let awake: UInt8 = 0
        /// Asleep until something is written.
        static let untilWritten: UInt8 = 1
        /// Asleep until the next second, while something is unsynced.
        static let untilDue: UInt8 = 2
        /// Asleep until it is asked.
        static let untilAsked: UInt8 = 3
    }

    struct Files: Sendable {
        /// Complete segments that no sync has covered yet, oldest first.
        var finished: [FinishedSegment] = []
        var live: FileDescriptor
    }

    struct FinishedSegment: Sendable {
        var file: FileDescriptor
        var number: UInt64
        var length: Int
    }

    init(live: FileDescriptor, sequence: UInt64, sealedSegment: UInt64) throws(JournalError) {
        bell = try Bell()
        files = Mutex(Files(live: live))
        writtenSequence = Atomic(sequence)
        durableSequence = Atomic(sequence)
        self.sealedSegment = Atomic(sealedSegment)
    }

    func wake() {
        if rest.exchange(Rest.awake, ordering: .sequentiallyConsistent) != Rest.awake { bell.ring() }
    }
}

/// The thread itself: when to sync, and how.
struct Syncer: Sendable {
    let state: SyncState
    let loopBell: Bell
    let options: JournalOptions

    func start() throws(JournalError) -> Thread {
        let state = state
        return try Thread(
            name: "log-sync",
            stop: {
                state.isStopping.store(true, ordering: .sequentiallyConsistent)
                state.bell.ring()
            },
            body: { run() })
    }

    private enum Step: Equatable {
        case sync
        case sleep(rest: UInt8, atMost: Int64?)
    }

    private func run() {
        var lastStart = options.calls.now() - options.syncInterval
        while !state.isStopping.load(ordering: .sequentiallyConsistent) {
            switch next(lastStart: lastStart) {
            case .sync:
                lastStart = options.calls.now()
                sync(at: lastStart)
            case .sleep(let rest, let limit):
                // Say that we sleep, then look once more: the loop does it the other way round (writes, then looks
                // whether we sleep), so one of the two always notices.
                state.rest.store(rest, ordering: .sequentiallyConsistent)
                if case .sleep(rest, _) = next(lastStart: lastStart),
                    !state.isStopping.load(ordering: .sequentiallyConsistent)
                {
                    state.bell.wait(atMost: limit)
                }
                state.rest.store(SyncState.Rest.awake, ordering: .sequentiallyConsistent)
            }
        }
    }

    private func next(lastStart: Int64) -> Step {
        // After a failed sync nothing is ever synced again: the kernel may have dropped the pages, and a second
        // fdatasync would say that all is well.
        guard state.failure.load(ordering: .relaxed) == 0 else {
            return .sleep(rest: SyncState.Rest.untilAsked, atMost: nil)
        }
        let written = state.writtenBytes.load(ordering: .sequentiallyConsistent)
        let synced = state.syncedBytes.load(ordering: .relaxed)
        if state.requestedBytes.load(ordering: .sequentiallyConsistent) > synced { return .sync }
        switch options.sync {
        case .never:
            return .sleep(rest: SyncState.Rest.untilAsked, atMost: nil)
        case .always:
            return written > synced ? .sync : .sleep(rest: SyncState.Rest.untilWritten, atMost: nil)
        case .everysec:
            guard written > synced else { return .sleep(rest: SyncState.Rest.untilWritten, atMost: nil) }
            let wait = lastStart + options.syncInterval - options.calls.now()
            if wait <= 0 || written - synced >= UInt64(options.syncBytes) { return .sync }
            return .sleep(rest: SyncState.Rest.untilDue, atMost: wait)
        }
    }

    private func sync(at start: Int64) {
        // First the position, then the files: whatever is before the position is in one of them.
        let bytes = state.writtenBytes.load(ordering: .acquiring)
        let sequence = state.writtenSequence.load(ordering: .acquiring)
        let files = state.files.withLock { $0 }
        for file in files.finished.map(\.file) + [files.live] {
            guard retry({ options.calls.sync(file.number) }) == 0 else {
                state.failure.store(errno == 0 ? EIO : errno, ordering: .releasing)
                loopBell.ring()
                return
            }
        }
        if let last = files.finished.last {
            state.files.withLock { $0.finished.removeFirst(files.finished.count) }
            // What was reserved and not used goes back. It does not matter if that fails or is lost.
            for segment in files.finished { _ = ftruncate(segment.file.number, segment.length) }
            state.sealedSegment.store(last.number, ordering: .releasing)
        }
        state.lastDuration.store(options.calls.now() - start, ordering: .relaxed)
        state.syncs.wrappingAdd(1, ordering: .relaxed)
        state.durableSequence.store(sequence, ordering: .releasing)
        state.syncedBytes.store(bytes, ordering: .sequentiallyConsistent)
        loopBell.ring()
    }
}
