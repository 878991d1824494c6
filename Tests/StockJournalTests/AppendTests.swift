// What is appended is what is read: over restarts, over segments, from any sequence on.

import Glibc
import Testing

@testable import StockJournal

@Suite("Appending and reading")
struct AppendTests {
    @Test("every frame comes back as it was written, after an orderly end and after a crash", arguments: [true, false])
    func roundTrip(isOrderly: Bool) throws {
        let sandbox = try Sandbox()
        var written: [Record] = []
        for round in 0..<3 {
            let replay = Replay()
            var writer = try openWriter(sandbox, options(.always), replay: replay)
            #expect(replay.records == written)
            #expect(writer.recovery.isNew == (round == 0))
            #expect(writer.recovery.wasClean == (round == 0 || isOrderly))
            #expect(writer.recovery.cut == nil)
            #expect(writer.writtenSequence == written.last?.last ?? 0)
            #expect(writer.durableSequence == writer.writtenSequence)
            for count in [1, 7, 8, 9, 0, 500] {
                let first = writer.writtenSequence + 1
                written.append(try writer.append(payload(first, count: count), events: UInt32(count / 8 + 1)))
            }
            if isOrderly { try writer.close() }
        }
        let (verdict, records, report) = try inspect(sandbox)
        #expect(verdict == .intact(isLive: false))
        #expect(records == written)
        #expect(report.wasClean == isOrderly)
    }

    @Test("frames that do not fit go on in the next segment, and each segment opens with what it follows")
    func segmentChange() throws {
        let sandbox = try Sandbox()
        var written: [Record] = []
        var writer = try openWriter(sandbox, options())
        for _ in 0..<40 { written.append(try writer.append(payload(writer.writtenSequence, count: 1_500))) }
        #expect(writer.counts.segment >= 5)
        #expect(writer.counts.sealedSegment == 0)
        try writer.awaitDurable()
        #expect(writer.counts.sealedSegment == writer.counts.segment - 1)
        try writer.close()

        let (verdict, records, report) = try inspect(sandbox)
        #expect(verdict == .intact(isLive: false))
        #expect(records == written)
        #expect(report.firstSegment == 1)
        #expect(report.lastSegment >= 5)
        // A sealed segment has given back what it did not use.
        #expect(try Files.read(sandbox.segment(1)).count < 16 << 10)
    }

    @Test("reading from a sequence on hands out the frame that holds it and all after it")
    func readFrom() throws {
        let sandbox = try Sandbox()
        var written: [Record] = []
        var writer = try openWriter(sandbox, options())
        for _ in 0..<30 { written.append(try writer.append(payload(writer.writtenSequence, count: 1_500), events: 3)) }
        try writer.close()
        for first in UInt64(1)...91 {
            let replay = Replay()
            let writer = try openWriter(sandbox, options(), from: first, replay: replay)
            #expect(replay.records == written.filter { $0.last >= first })
            #expect(writer.writtenSequence == 90)
        }
        // A snapshot that is ahead of the log means that the log has lost its end.
        #expect(throws: JournalError.self) { _ = try openWriter(sandbox, options(), from: 92) }
    }

    @Test("segments dropped at the front are no damage when nothing before them is needed")
    func frontDropped() throws {
        let sandbox = try Sandbox()
        var written: [Record] = []
        var writer = try openWriter(sandbox, options())
        for _ in 0..<30 { written.append(try writer.append(payload(writer.writtenSequence, count: 1_500))) }
        try writer.close()
        unlink(sandbox.segment(1))
        let (verdict, records, report) = try inspect(sandbox)
        #expect(verdict == .intact(isLive: false))
        #expect(records == written.filter { $0.first >= report.firstSequence })
        #expect(report.firstSequence > 1)
        let replay = Replay()
        _ = try openWriter(sandbox, options(), from: report.firstSequence, replay: replay)
        #expect(replay.records == records)
        guard case .failure(let damage) = try recover(sandbox, options()) else {
            Issue.record("a replay from 1 must be refused")
            return
        }
        #expect(damage.kind == .history)
    }

    @Test("the largest frame that the options allow fits into an empty segment", arguments: [8_192, 8_193, 16_384, 20_001])
    func largestFrame(segmentBytes: Int) throws {
        let sandbox = try Sandbox()
        let options = options(segmentBytes: segmentBytes)
        var writer = try openWriter(sandbox, options)
        let largest = payload(1, count: options.maximumPayload)
        let written = [try writer.append(largest), try writer.append(largest), try writer.append([1])]
        try writer.close()
        #expect(try inspect(sandbox).records == written)
        #expect(try inspect(sandbox).verdict == .intact(isLive: false))
    }

    @Test("an error of the replay comes out as it is and leaves the files alone")
    func replayThrows() throws {
        struct Stop: Error {}
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options())
        try writer.append([1, 2, 3])
        try writer.close()
        let before = try Files.read(sandbox.segment(1))
        let directory = try StoreDirectory.open(sandbox.store)
        #expect(throws: Stop.self) {
            _ = try JournalWriter(opening: directory, options: options()) { _ in throw Stop() }
        }
        #expect(try Files.read(sandbox.segment(1)) == before)
    }

    @Test("after a crash every segment that nothing vouches for becomes a fresh file, after an orderly end none does")
    func freshCopies() throws {
        func inodes(_ sandbox: Sandbox, _ numbers: ClosedRange<Int>) -> [UInt] {
            numbers.map { number in
                var status = stat()
                stat(sandbox.segment(number), &status)
                return UInt(status.st_ino)
            }
        }
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options())
        // Segment 1 and the beginning of 2 are synced, and a frame in 2 says so; 3 and 4 are not.
        for _ in 0..<10 { try writer.append(payload(1, count: 1_500)) }
        try writer.awaitDurable()
        for _ in 0..<18 { try writer.append(payload(1, count: 1_500)) }
        #expect(writer.counts.segment == 4)
        _ = consume writer
        let before = inodes(sandbox, 1...4)
        let contents = try (1...4).map { try Files.read(sandbox.segment($0)) }

        writer = try openWriter(sandbox, options())
        let after = inodes(sandbox, 1...4)
        #expect(after[0] == before[0])
        for index in 1...3 {
            #expect(after[index] != before[index])
            let copy = try Files.read(sandbox.segment(index + 1))
            #expect(copy == Array(contents[index].prefix(copy.count)))
        }
        try writer.close()
        try openWriter(sandbox, options()).close()
        #expect(inodes(sandbox, 1...4) == after)
    }

    @Test("an orderly start and end without a change adds nothing to the log")
    func idleRestart() throws {
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options())
        try writer.append([1, 2, 3])
        try writer.close()
        let before = try Files.read(sandbox.segment(1))
        for _ in 0..<3 {
            let writer = try openWriter(sandbox, options())
            try writer.close()
        }
        #expect(try Files.read(sandbox.segment(1)) == before)
    }
}
