// When the log reaches the disk, and what the loop is told. The clock and fdatasync are the test's own where it matters.

import Glibc
import Synchronization
import Testing

@testable import StockJournal

/// fdatasync as a test wants it: counted, held back, or failing.
private final class Disk: Sendable {
    let syncs = Atomic<Int>(0)
    let failure = Atomic<Int32>(0)
    let clock = Atomic<Int64>(1_000_000_000_000)
    private let gate = Mutex<Bool>(true)

    /// While closed, a sync that began does not end.
    func setGate(open isOpen: Bool) { gate.withLock { $0 = isOpen } }

    func sync() -> Int32 {
        syncs.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while !gate.withLock({ $0 }) { sched_yield() }
        let code = failure.load(ordering: .sequentiallyConsistent)
        if code == 0 { return 0 }
        errno = code
        return -1
    }

    func advance(_ nanoseconds: Int64) { clock.wrappingAdd(nanoseconds, ordering: .sequentiallyConsistent) }

    func calls(ownClock: Bool = false) -> SystemCalls {
        var calls = SystemCalls()
        calls.sync = { _ in self.sync() }
        if ownClock { calls.now = { self.clock.load(ordering: .sequentiallyConsistent) } }
        return calls
    }

    /// Waits until the sync thread has begun its `count`-th sync.
    func awaitSync(_ count: Int) { while syncs.load(ordering: .sequentiallyConsistent) < count { sched_yield() } }
}

@Suite("Syncing", .timeLimit(.minutes(5)))
struct SyncTests {
    @Test("always: a frame becomes durable by itself, and frames written during a sync share the next one")
    func groups() throws {
        let sandbox = try Sandbox()
        let disk = Disk()
        var options = options(.always)
        options.calls = disk.calls()
        options.idleMarkDelay = .max / 2
        var writer = try openWriter(sandbox, options)
        disk.setGate(open: false)
        try writer.append([1])
        disk.awaitSync(1)
        for _ in 0..<50 { try writer.append([2]) }
        #expect(writer.durableSequence == 0)
        #expect(writer.lag().bytes > 0)
        disk.setGate(open: true)
        try writer.awaitNews { (writer: inout JournalWriter) in writer.durableSequence == 51 }
        #expect(disk.syncs.load(ordering: .sequentiallyConsistent) == 2)
        #expect(writer.lag() == JournalLag(age: 0, bytes: 0, isOverLimit: false))
    }

    @Test("everysec: one sync at once, the next a second of monotonic time after it began, or after so many bytes")
    func everysec() throws {
        let sandbox = try Sandbox()
        let disk = Disk()
        var options = options(.everysec)
        options.calls = disk.calls(ownClock: true)
        options.syncBytes = 4_000
        var writer = try openWriter(sandbox, options)
        try writer.append([1])
        try writer.awaitNews { (writer: inout JournalWriter) in writer.durableSequence == 1 }
        disk.advance(900_000_000)
        try writer.append([2])
        // The thread has looked at the clock when it rests until the next sync is due.
        #expect(disk.syncs.load(ordering: .sequentiallyConsistent) == 1)
        #expect(writer.durableSequence == 1)
        disk.advance(100_000_000)
        try writer.awaitNews { (writer: inout JournalWriter) in writer.durableSequence == 2 }
        #expect(disk.syncs.load(ordering: .sequentiallyConsistent) == 2)
        try writer.append(payload(3, count: 5_000))
        try writer.awaitNews { (writer: inout JournalWriter) in writer.durableSequence == 3 }
        #expect(disk.syncs.load(ordering: .sequentiallyConsistent) == 3)
    }

    @Test("never: nothing is synced until someone asks, then everything is")
    func never() throws {
        let sandbox = try Sandbox()
        let disk = Disk()
        var options = options(.never)
        options.calls = disk.calls()
        options.idleMarkDelay = .max / 2
        var writer = try openWriter(sandbox, options)
        for _ in 0..<20 { try writer.append(payload(1, count: 2_000)) }
        #expect(disk.syncs.load(ordering: .sequentiallyConsistent) == 0)
        #expect(writer.durableSequence == 0)
        #expect(!writer.lag().isOverLimit)
        try writer.awaitDurable()
        #expect(writer.durableSequence == 20)
        // One for each segment.
        #expect(disk.syncs.load(ordering: .sequentiallyConsistent) == Int(writer.counts.segment))
        // Nothing new: nothing to do.
        writer.requestSync()
        #expect(writer.counts.syncs == 1)
    }

    @Test("a log that goes idle after a sync gets the durable mark, once")
    func idleMark() throws {
        let sandbox = try Sandbox()
        var options = options(.always)
        options.idleMarkDelay = 1_000_000
        var writer = try openWriter(sandbox, options)
        let written = [try writer.append([1, 2, 3]), try writer.append([4])]
        try writer.awaitNews { (writer: inout JournalWriter) in
            writer.durableSequence == 2 && writer.nextService == nil && writer.lag().bytes == 0
        }
        // Opening, two frames of events, one mark.
        #expect(writer.counts.frames == 4)
        for _ in 0..<10 { _ = writer.service() }
        #expect(writer.counts.frames == 4)
        _ = consume writer

        var (verdict, records, report) = try inspect(sandbox)
        #expect(verdict == .intact(isLive: false))
        #expect(records == written)
        #expect(report.durableSequence == 2)
        // So a torn end can no longer hide that something is missing.
        var bytes = try Files.read(sandbox.segment(1))
        bytes[SegmentLayout.firstEventsOffset + Frame.size(payloadCount: 3) + 5] = 0xFF
        try Files.write(sandbox.segment(1), bytes)
        (verdict, records, report) = try inspect(sandbox)
        guard case .damaged(let damage) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(damage.kind == .history)
        #expect(damage.sequence == 2)
    }

    @Test("after a crash and a restart the mark is written even if nothing else is")
    func markAfterRestart() throws {
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options(.never))
        try writer.append([1])
        _ = consume writer
        var options = options(.never)
        options.idleMarkDelay = 0
        writer = try openWriter(sandbox, options)
        #expect(writer.durableSequence == 1)
        #expect(writer.nextService != nil)
        _ = writer.service()
        _ = consume writer
        #expect(try inspect(sandbox).report.durableSequence == 1)
    }

    @Test("a failed sync is told, kept, and never tried again", arguments: [SyncMode.always, .everysec, .never])
    func syncFails(mode: SyncMode) throws {
        let sandbox = try Sandbox()
        let disk = Disk()
        disk.failure.store(EIO, ordering: .sequentiallyConsistent)
        var options = options(mode)
        options.calls = disk.calls()
        options.idleMarkDelay = 0
        var writer = try openWriter(sandbox, options)
        try writer.append([1])
        writer.requestSync()
        try writer.awaitNews { (writer: inout JournalWriter) in writer.service() == .syncFailed(errno: EIO) }
        disk.failure.store(0, ordering: .sequentiallyConsistent)
        try writer.append([2])
        writer.requestSync()
        #expect(writer.service() == .syncFailed(errno: EIO))
        #expect(writer.durableSequence == 0)
        #expect(writer.nextService == nil)
        do throws(JournalError) {
            try writer.close()
            Issue.record("closed in order after a failed sync")
        } catch {
            guard case .system("fdatasync", _, EIO) = error else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(disk.syncs.load(ordering: .sequentiallyConsistent) == 1)
        #expect(try !inspect(sandbox).report.wasClean)
    }

    @Test("the lag tells the age of the oldest unsynced frame and passes its limits")
    func lag() throws {
        let sandbox = try Sandbox()
        let disk = Disk()
        var options = options(.always)
        options.calls = disk.calls(ownClock: true)
        options.lagBytesLimit = 3_000
        options.lagAgeLimit = 5_000_000_000
        options.idleMarkDelay = .max / 2
        var writer = try openWriter(sandbox, options)
        disk.setGate(open: false)
        try writer.append([1])
        disk.awaitSync(1)
        disk.advance(3_000_000_000)
        try writer.append([2])
        #expect(writer.lag().age == 3_000_000_000)
        #expect(!writer.lag().isOverLimit)
        disk.advance(2_000_000_001)
        #expect(writer.lag().isOverLimit)
        disk.setGate(open: true)
        try writer.awaitNews { (writer: inout JournalWriter) in writer.durableSequence == 2 }
        #expect(writer.lag().age == 0)

        let before = disk.syncs.load(ordering: .sequentiallyConsistent)
        disk.setGate(open: false)
        try writer.append([3])
        disk.awaitSync(before + 1)
        #expect(!writer.lag().isOverLimit)
        try writer.append(payload(4, count: 4_000))
        #expect(writer.lag().isOverLimit)
        disk.setGate(open: true)
    }

    @Test("the notes of the lag never make it look younger than it is")
    func lagTrack() {
        var track = LagTrack()
        var frames: [(position: UInt64, time: Int64)] = []
        var synced: UInt64 = 0
        var state: UInt64 = 7
        for step in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let time = Int64(step) * 7_000_000
            frames.append((UInt64(step) * 10, time))
            track.note(UInt64(step) * 10, at: time)
            let written = UInt64(step + 1) * 10
            if state >> 33 % 40 == 0 { synced = max(synced, written - min(written, state >> 50 % 900 / 10 * 10)) }
            frames.removeAll { $0.position < synced }
            let exact = frames.first.map { time - $0.time } ?? 0
            let told = track.age(synced: synced, written: written, at: time)
            #expect(told >= exact)
            #expect(told <= exact + 100_000_000)
        }
    }
}
