// A disk that takes half a write, refuses one, or is full. The loop is told, nothing is skipped, nothing is written twice.

import Glibc
import Synchronization
import Testing

@testable import StockJournal

@Suite("Faults of the disk", .timeLimit(.minutes(5)))
struct FaultTests {
    @Test("short writes and interruptions are carried on until the frame is whole", arguments: [1, 7, 48, 100])
    func shortWrites(most: Int) throws {
        let sandbox = try Sandbox()
        var options = options()
        let calls = Atomic<Int>(0)
        let shared = Shared(calls)
        options.calls.write = { file, bytes, count, offset in
            if shared.value.wrappingAdd(1, ordering: .relaxed).newValue % 3 == 0 {
                errno = EINTR
                return -1
            }
            return pwrite(file, bytes, min(count, most), Int(offset))
        }
        var writer = try openWriter(sandbox, options)
        var written: [Record] = []
        for _ in 0..<12 { written.append(try writer.append(payload(writer.writtenSequence, count: 1_500))) }
        try writer.close()
        #expect(try inspect(sandbox).records == written)
        #expect(try inspect(sandbox).verdict == .intact(isLive: false))
    }

    @Test("a frame that failed in the middle is written again at the same place, and then the log is whole",
        arguments: [ENOSPC, EIO, EDQUOT])
    func failedWrite(code: Int32) throws {
        let sandbox = try Sandbox()
        let budget = Shared(Atomic<Int>(.max))
        var options = options()
        options.calls.write = { file, bytes, count, offset in
            let left = budget.value.load(ordering: .relaxed)
            if left <= 0 {
                errno = code
                return -1
            }
            let wrote = pwrite(file, bytes, min(count, left), Int(offset))
            if left != .max { budget.value.store(left - max(wrote, 0), ordering: .relaxed) }
            return wrote
        }
        var writer = try openWriter(sandbox, options)
        var written = [try writer.append(payload(1, count: 200))]
        let bytes = payload(2, count: 300)
        for allowed in [0, 1, 47, 48, 200, 355] {
            budget.value.store(allowed, ordering: .relaxed)
            #expect(writer.appendOnce(bytes) == .failed(errno: code))
            #expect(writer.writtenSequence == 1)
        }
        budget.value.store(.max, ordering: .relaxed)
        written.append(try writer.append(bytes))
        written.append(try writer.append([3]))
        try writer.close()
        #expect(try inspect(sandbox).records == written)
        #expect(try inspect(sandbox).verdict == .intact(isLive: false))
    }

    @Test("a change of segment survives a failing write at every call")
    func failedOpening() throws {
        for failing in 1...6 {
            let sandbox = try Sandbox()
            let count = Shared(Atomic<Int>(-1_000_000))
            var options = options()
            options.calls.write = { file, bytes, size, offset in
                // Only the loop's frames count, not the header that the other thread writes.
                if offset >= 4_096, count.value.wrappingAdd(1, ordering: .relaxed).newValue == failing {
                    errno = EIO
                    return -1
                }
                return pwrite(file, bytes, size, Int(offset))
            }
            var writer = try openWriter(sandbox, options)
            var written: [Record] = []
            for _ in 0..<7 { written.append(try writer.append(payload(1, count: 1_500))) }
            count.value.store(0, ordering: .relaxed)
            for _ in 0..<7 { written.append(try writer.append(payload(2, count: 1_500))) }
            try writer.close()
            #expect(try inspect(sandbox).records == written)
            #expect(try inspect(sandbox).verdict == .intact(isLive: false))
        }
    }

    @Test("no space for the next segment: told while frames still fit, refused when they do not, over when there is space")
    func noSpace() throws {
        let sandbox = try Sandbox()
        let isFull = Shared(Atomic<Bool>(false))
        var options = options()
        options.spaceRetryInterval = 1_000_000
        options.calls.reserve = { file, bytes in
            if isFull.value.load(ordering: .relaxed), bytes > 0 {
                errno = ENOSPC
                return -1
            }
            return ftruncate(file, Int(bytes))
        }
        var writer = try openWriter(sandbox, options)
        // Once segment 2 is ready, the disk fills up.
        try writer.awaitNews { (_: inout JournalWriter) in access(sandbox.segment(2), F_OK) == 0 }
        isFull.value.store(true, ordering: .relaxed)
        var written: [Record] = []
        for _ in 0..<8 { written.append(try writer.append(payload(1, count: 1_500))) }
        #expect(writer.counts.segment == 2)
        try writer.awaitNews { (writer: inout JournalWriter) in
            if writer.service() == .ready { written.append(try writer.append(payload(2, count: 500))) }
            return writer.service() == .noSpace(errno: ENOSPC)
        }
        // There is still room for what must be written, such as the clock's releases.
        #expect(writer.counts.segment == 2)
        #expect(writer.appendOnce(payload(3, count: 1_500)) == .written)
        written.append(Record(first: writer.writtenSequence, count: 1, payload: payload(3, count: 1_500)))
        var last = AppendResult.written
        while last == .written {
            last = writer.appendOnce(payload(4, count: 1_500))
            if last == .written {
                written.append(Record(first: writer.writtenSequence, count: 1, payload: payload(4, count: 1_500)))
            }
        }
        #expect(last == .notReady)
        isFull.value.store(false, ordering: .relaxed)
        written.append(try writer.append(payload(4, count: 1_500)))
        #expect(writer.service() == .ready)
        try writer.close()
        #expect(try inspect(sandbox).records == written)
    }

    @Test("a full disk does not keep a log from being closed in order")
    func closeOnFullDisk() throws {
        let sandbox = try Sandbox()
        var options = options()
        let isFull = Shared(Atomic<Bool>(false))
        options.calls.reserve = { file, bytes in
            if isFull.value.load(ordering: .relaxed) {
                errno = ENOSPC
                return -1
            }
            return ftruncate(file, Int(bytes))
        }
        var writer = try openWriter(sandbox, options)
        try writer.awaitNews { (_: inout JournalWriter) in access(sandbox.segment(2), F_OK) == 0 }
        isFull.value.store(true, ordering: .relaxed)
        while writer.appendOnce([1]) == .written {}
        let last = writer.writtenSequence
        try writer.close()
        let (verdict, records, report) = try inspect(sandbox)
        #expect(verdict == .intact(isLive: false))
        #expect(report.wasClean)
        #expect(records.last?.last == last)
    }

    @Test("a file system that cannot reserve space gets zeros written instead")
    func noFallocate() throws {
        let sandbox = try Sandbox()
        var options = options()
        options.calls.reserve = { _, _ in
            errno = EOPNOTSUPP
            return -1
        }
        var writer = try openWriter(sandbox, options)
        var written: [Record] = []
        for _ in 0..<12 { written.append(try writer.append(payload(1, count: 1_500))) }
        #expect(try Files.read(sandbox.segment(2)).count == 16 << 10)
        try writer.close()
        #expect(try inspect(sandbox).records == written)
    }
}

/// An atomic that several closures may hold.
final class Shared<Value: ~Copyable & Sendable>: Sendable {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
}
