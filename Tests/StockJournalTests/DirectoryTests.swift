// The directory of a store: one server at a time, no surprises by links, looking leaves no trace.

import Glibc
import Synchronization
import Testing

@testable import StockJournal

@Suite("The store's directory", .timeLimit(.minutes(5)))
struct DirectoryTests {
    private static func mode(_ path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test("a new directory is for its owner only, and so are the files in it")
    func modes() throws {
        let sandbox = try Sandbox()
        let old = umask(0)
        defer { umask(old) }
        let writer = try openWriter(sandbox, options())
        #expect(Self.mode(sandbox.store) == 0o700)
        #expect(Self.mode("\(sandbox.store)/log") == 0o700)
        #expect(Self.mode("\(sandbox.store)/lock") == 0o600)
        #expect(Self.mode(sandbox.segment(1)) == 0o600)
        try writer.close()
    }

    @Test("a second server is refused and told who holds the directory; when the first is gone it may")
    func lock() throws {
        let sandbox = try Sandbox()
        let writer = try openWriter(sandbox, options())
        #expect(throws: JournalError.locked(path: sandbox.store, processID: "\(getpid())")) {
            _ = try StoreDirectory.open(sandbox.store)
        }
        #expect(try StoreDirectory.open(sandbox.store, access: .inspect).isServed)
        try writer.close()
        #expect(try !StoreDirectory.open(sandbox.store, access: .inspect).isServed)
        _ = try StoreDirectory.open(sandbox.store)
    }

    @Test("the identity is drawn once and stays")
    func identity() throws {
        let sandbox = try Sandbox()
        let other = try Sandbox()
        let directory = try StoreDirectory.open(sandbox.store)
        let first = directory.identity
        try JournalWriter(opening: directory, options: options()) { _ in }.close()
        _ = consume directory
        #expect(try StoreDirectory.open(sandbox.store).identity == first)
        #expect(try StoreDirectory.open(other.store).identity != first)
    }

    @Test("symbolic links in the directory are refused, the directory itself may be one")
    func links() throws {
        let sandbox = try Sandbox()
        try openWriter(sandbox, options()).close()
        symlink(sandbox.store, "\(sandbox.path)/link")
        _ = try StoreDirectory.open("\(sandbox.path)/link")

        rename(sandbox.segment(1), "\(sandbox.path)/elsewhere")
        symlink("\(sandbox.path)/elsewhere", sandbox.segment(1))
        #expect(throws: JournalError.self) { _ = try openWriter(sandbox, options()) }

        rename("\(sandbox.store)/lock", "\(sandbox.path)/lock")
        symlink("\(sandbox.path)/lock", "\(sandbox.store)/lock")
        #expect(throws: JournalError.self) { _ = try StoreDirectory.open(sandbox.store) }
    }

    @Test("a pipe or a directory under the name of a segment is refused without waiting for it")
    func notAFile() throws {
        let sandbox = try Sandbox()
        try openWriter(sandbox, options()).close()
        mkfifo(sandbox.segment(7), 0o600)
        #expect(throws: JournalError.self) { _ = try openWriter(sandbox, options()) }
        unlink(sandbox.segment(7))
        mkdir(sandbox.segment(7), 0o700)
        #expect(throws: JournalError.self) { _ = try openWriter(sandbox, options()) }
    }

    @Test("looking changes nothing, not even at a torn log, and needs a log to look at")
    func inspectionLeavesNoTrace() throws {
        let sandbox = try Sandbox()
        #expect(throws: JournalError.self) { _ = try inspect(sandbox) }
        #expect(Files.names(sandbox.path).isEmpty)
        var writer = try openWriter(sandbox, options())
        try writer.append(payload(1, count: 100))
        _ = consume writer
        var bytes = try Files.read(sandbox.segment(1))
        bytes[SegmentLayout.firstEventsOffset + 150] = 0
        for offset in SegmentLayout.firstEventsOffset + 150..<bytes.count { bytes[offset] = 0 }
        try Files.write(sandbox.segment(1), bytes)
        let names = Files.names("\(sandbox.store)/log")
        guard case .torn = try inspect(sandbox).verdict else {
            Issue.record("not torn")
            return
        }
        #expect(Files.names("\(sandbox.store)/log") == names)
        #expect(try Files.read(sandbox.segment(1)) == bytes)
    }

    @Test("files under other names are left alone, temporary ones are removed at the start")
    func otherNames() throws {
        let sandbox = try Sandbox()
        try openWriter(sandbox, options()).close()
        let log = "\(sandbox.store)/log"
        for name in ["notes.txt", "1.seg", "0000000000.seg", "0000000009.seg.torn", "00000000zz.seg"] {
            try Files.write("\(log)/\(name)", [1])
        }
        try Files.write("\(log)/0000000005.seg.tmp", [1])
        try openWriter(sandbox, options()).close()
        let names = Files.names(log)
        #expect(names.contains("notes.txt") && names.contains("1.seg") && names.contains("0000000009.seg.torn"))
        #expect(!names.contains("0000000005.seg.tmp"))
    }

    @Test("a log is read without complaint while a server writes to it")
    func liveLog() throws {
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options())
        var written: [Record] = []
        for round in 0..<40 {
            for _ in 0..<5 { written.append(try writer.append(payload(UInt64(round), count: 900))) }
            let (verdict, records, report) = try inspect(sandbox)
            #expect(verdict == .intact(isLive: true))
            #expect(records == written)
            #expect(!report.wasClean)
        }
        try writer.close()
    }

    @Test("a reader beside a running writer sees an exact beginning each time, over segment changes")
    func concurrentReader() async throws {
        let sandbox = try Sandbox()
        let store = sandbox.store
        var writer = try openWriter(sandbox, options())
        try writer.append([1])
        let isDone = Shared(Atomic<Bool>(false))
        let reader = Task.detached {
            defer { isDone.value.store(true, ordering: .releasing) }
            var last: UInt64 = 0
            for _ in 0..<12 {
                var next: UInt64 = 1
                let directory = try StoreDirectory.open(store, access: .inspect)
                let (verdict, report) = try LogInspector.check(directory, visit: { frame in
                    #expect(frame.firstSequence == next)
                    next = frame.lastSequence + 1
                })
                #expect(verdict == .intact(isLive: true))
                #expect(report.lastSequence >= last)
                last = report.lastSequence
            }
        }
        // Bounded: each reading starts at the beginning.
        while !isDone.value.load(ordering: .acquiring), writer.writtenSequence < 1_500 {
            try writer.append(payload(writer.writtenSequence, count: 700))
        }
        try await reader.value
        try writer.close()
    }
}
