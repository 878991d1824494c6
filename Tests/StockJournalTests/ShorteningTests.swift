// A log that is ended before its segments are full, read in parts, and shortened from its front.

import Glibc
import Testing

@testable import StockJournal

@Suite("Ending and removing segments")
struct ShorteningTests {
    @Test("a segment is ended on demand when it has events, sealed soon after, and the log is one log all the same")
    func finishing() throws {
        let sandbox = try Sandbox()
        var written: [Record] = []
        var writer = try openWriter(sandbox, options(.never))
        #expect(writer.finishSegment() == .ended(segment: 0))
        for number in 1...4 {
            written.append(try writer.append(payload(writer.writtenSequence, count: 100)))
            let sealed = writer.finishSegment(within: 5_000_000_000)
            #expect(sealed == UInt64(number))
            // Nothing new: nothing to end.
            #expect(writer.finishSegment() == .ended(segment: UInt64(number)))
        }
        written.append(try writer.append(payload(writer.writtenSequence, count: 100)))
        // The reading of what is sealed does not touch the rest.
        let directory = try StoreDirectory.open(sandbox.store, access: .inspect)
        var firsts: [UInt64] = []
        try LogInspector.readSealed(directory, from: 2, through: 3) { firsts.append($0.firstSequence) }
        #expect(firsts == written[1...2].map(\.first))
        try writer.close()
        let (verdict, records, _) = try inspect(sandbox)
        #expect(verdict == .intact(isLive: false))
        #expect(records == written)
    }

    @Test("segments go from the front, never the last one in use; the log then begins later, and goes on", arguments: [true, false])
    func removing(isOrderly: Bool) throws {
        let sandbox = try Sandbox()
        var written: [Record] = []
        do {
            var writer = try openWriter(sandbox, options(.always))
            for _ in 1...4 {
                written.append(try writer.append(payload(writer.writtenSequence, count: 100)))
                _ = writer.finishSegment(within: 5_000_000_000)
            }
            let directory = try StoreDirectory.open(sandbox.store, access: .inspect)
            #expect(try directory.segments().map(\.firstSequence) == [1, 2, 3, 4, 5])
            #expect(try directory.removeSegments(through: 5) == 0, "the last one in use must stay")
            #expect(try directory.removeSegments(through: 3) == 3)
            #expect(try directory.segments().map(\.number) == [4, 5])
            if isOrderly { try writer.close() }
        }
        let (verdict, records, report) = try inspect(sandbox)
        #expect(verdict == .intact(isLive: false))
        #expect(records == Array(written[3...]))
        #expect(report.firstSequence == 4)
        // What went is needed by a start from nothing, and not by one that has event 3 elsewhere.
        #expect(throws: JournalError.self) { _ = try openWriter(sandbox, options(.always)) }
        let directory = try StoreDirectory.open(sandbox.store)
        var writer = try JournalWriter(opening: directory, options: options(.always), replayFrom: 4) { _ in }
        #expect(writer.writtenSequence == 4)
        _ = try writer.append(payload(writer.writtenSequence, count: 100))
        try writer.close()
    }

    @Test("an empty log begins behind a database only when it is told to, also after a crash before its first event")
    func beginning() throws {
        let sandbox = try Sandbox()
        var told = options(.always)
        told.beginsAnywhere = true
        for _ in 0..<3 {
            let directory = try StoreDirectory.open(sandbox.store)
            #expect(try directory.hasNoEvents())
            let writer = try JournalWriter(opening: directory, options: told, replayFrom: 100) { _ in }
            #expect(writer.writtenSequence == 99)
        }
        do {
            let directory = try StoreDirectory.open(sandbox.store)
            #expect(throws: JournalError.self) {
                _ = try JournalWriter(opening: directory, options: options(.always), replayFrom: 100) { _ in }
            }
            var writer = try JournalWriter(opening: directory, options: told, replayFrom: 100) { _ in }
            _ = try writer.append(payload(99, count: 100))
        }
        let directory = try StoreDirectory.open(sandbox.store)
        #expect(try !directory.hasNoEvents())
        var count = 0
        let writer = try JournalWriter(opening: directory, options: told, replayFrom: 100) { _ in count += 1 }
        #expect(count == 1)
        #expect(writer.writtenSequence == 100)
    }
}
