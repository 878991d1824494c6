// Frames and segments that are intact each by itself and do not belong where they stand.

import Glibc
import Testing

@testable import StockJournal

@Suite("The chain")
struct ChainTests {
    /// A closed log of several segments, each with eight frames of the same size.
    private static func longLog(_ sandbox: Sandbox, frames: Int = 40) throws -> [Record] {
        var writer = try openWriter(sandbox, options())
        var written: [Record] = []
        for _ in 0..<frames { written.append(try writer.append(payload(writer.writtenSequence, count: 1_400))) }
        try writer.close()
        return written
    }

    private static func expectHistoryRefused(
        _ sandbox: Sandbox, prefixOf written: [Record], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (verdict, records, _) = try inspect(sandbox)
        #expect(records == Array(written.prefix(records.count)), sourceLocation: sourceLocation)
        #expect(records.count < written.count, sourceLocation: sourceLocation)
        guard case .damaged(let damage) = verdict else {
            Issue.record("\(verdict)", sourceLocation: sourceLocation)
            return
        }
        #expect(damage.kind == .history, sourceLocation: sourceLocation)
        guard case .failure(damage) = try recover(sandbox, options()) else {
            Issue.record("check refuses and a start does not", sourceLocation: sourceLocation)
            return
        }
    }

    @Test("two swapped frames are refused")
    func swappedFrames() throws {
        let sandbox = try Sandbox()
        let written = try Self.longLog(sandbox)
        var bytes = try Files.read(sandbox.segment(2))
        let size = Frame.size(payloadCount: 1_400)
        let first = SegmentLayout.firstEventsOffset
        let a = Array(bytes[first..<first + size])
        let b = Array(bytes[first + size..<first + 2 * size])
        bytes.replaceSubrange(first..<first + 2 * size, with: b + a)
        try Files.write(sandbox.segment(2), bytes)
        try Self.expectHistoryRefused(sandbox, prefixOf: written)
    }

    @Test("a frame of another course of the same store is refused by the chain alone")
    func otherCourse() throws {
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options())
        let first = try writer.append(payload(1, count: 64))
        _ = consume writer
        let start = try Files.read(sandbox.segment(1))
        // From the same beginning, two courses that differ in one payload only.
        var courses: [[UInt8]] = []
        for course in 2...3 as ClosedRange<UInt64> {
            try Files.write(sandbox.segment(1), start)
            writer = try openWriter(sandbox, options())
            try writer.append(payload(course, count: 64))
            try writer.append(payload(4, count: 64))
            _ = consume writer
            courses.append(try Files.read(sandbox.segment(1)))
        }
        let second = SegmentLayout.firstEventsOffset + Frame.size(payloadCount: 64)
        let third = second + Frame.size(payloadCount: 64)
        try Files.write(sandbox.segment(1), courses[0][..<third] + courses[1][third...])
        let (verdict, records, _) = try inspect(sandbox)
        #expect(records == [first, Record(first: 2, count: 1, payload: payload(2, count: 64))])
        guard case .damaged(let damage) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(damage.offset == UInt64(third))
        #expect(damage.reason.contains("does not continue"))
    }

    @Test("two swapped segments are refused, also when the names in their headers are put right")
    func swappedSegments() throws {
        let sandbox = try Sandbox()
        let written = try Self.longLog(sandbox)
        let two = try Files.read(sandbox.segment(2))
        let three = try Files.read(sandbox.segment(3))
        try Files.write(sandbox.segment(2), three)
        try Files.write(sandbox.segment(3), two)
        try Self.expectHistoryRefused(sandbox, prefixOf: written)

        let header = SegmentLayout.headerSize
        try Files.write(sandbox.segment(2), two[..<header] + three[header...])
        try Files.write(sandbox.segment(3), three[..<header] + two[header...])
        try Self.expectHistoryRefused(sandbox, prefixOf: written)
    }

    @Test("a segment of another store is refused")
    func foreignSegment() throws {
        let sandbox = try Sandbox()
        let other = try Sandbox()
        let written = try Self.longLog(sandbox)
        _ = try Self.longLog(other)
        try Files.copy(other.segment(3), sandbox.segment(3))
        try Self.expectHistoryRefused(sandbox, prefixOf: written)
    }

    @Test("a missing segment in the middle is refused")
    func gap() throws {
        let sandbox = try Sandbox()
        let written = try Self.longLog(sandbox)
        unlink(sandbox.segment(3))
        try Self.expectHistoryRefused(sandbox, prefixOf: written)
    }

    @Test("a sealed segment that became shorter is refused, wherever it was cut", arguments: [0, 1, 8, 100, 1_456, 2_912])
    func shortSegment(missing: Int) throws {
        let sandbox = try Sandbox()
        let written = try Self.longLog(sandbox)
        let bytes = try Files.read(sandbox.segment(2))
        try Files.write(sandbox.segment(2), bytes[..<(bytes.count - missing)])
        if missing == 0 {
            #expect(try inspect(sandbox).verdict == .intact(isLive: false))
        } else {
            try Self.expectHistoryRefused(sandbox, prefixOf: written)
        }
    }

    @Test("a segment's end that never reached the disk, with a later segment that does not vouch for it, is torn")
    func tornAcrossSegments() throws {
        for missing in [1, 100, 1_456, 2_912] {
            let sandbox = try Sandbox()
            // Nothing is ever synced here, so no frame carries a durable mark.
            var writer = try openWriter(sandbox, options())
            var written: [Record] = []
            for _ in 0..<20 { written.append(try writer.append(payload(writer.writtenSequence, count: 1_400))) }
            _ = consume writer
            var bytes = try Files.read(sandbox.segment(2))
            let dataEnd = (bytes.lastIndex { $0 != 0 } ?? 0) + 1
            for offset in dataEnd - missing..<dataEnd { bytes[offset] = 0 }
            try Files.write(sandbox.segment(2), bytes)

            let before = try inspect(sandbox)
            guard case .torn(let at, _, _) = before.verdict else {
                Issue.record("\(before.verdict)")
                continue
            }
            #expect(at.segment == 2)
            guard case .success(let (records, report)) = try recover(sandbox, options()) else {
                Issue.record("refused")
                continue
            }
            #expect(records == before.records)
            #expect(records == Array(written.prefix(records.count)))
            // Eight frames of 1,456 bytes are in each segment.
            #expect(records.count == 16 - (missing + 1_455) / 1_456)
            #expect(report.cut?.keptIn.contains("\(sandbox.segment(3)).torn") == true)

            let replay = Replay()
            var again = try openWriter(sandbox, options(), replay: replay)
            #expect(replay.records == records)
            let added = try again.append([1])
            try again.close()
            #expect(try inspect(sandbox).records == records + [added])
        }
    }

    @Test("a segment that turns into noise is refused, wherever the noise begins")
    func noise() throws {
        var state: UInt64 = 42
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        let sandbox = try Sandbox()
        let written = try Self.longLog(sandbox)
        let intact = try Files.read(sandbox.segment(2))
        for round in 0..<60 {
            // A good header with noise behind it gets furthest.
            var bytes = Array(intact[..<(SegmentLayout.headerSize + round * 3)])
            for _ in 0..<(random() % 9_000) { bytes.append(UInt8(truncatingIfNeeded: random())) }
            try Files.write(sandbox.segment(2), bytes)
            try Self.expectHistoryRefused(sandbox, prefixOf: written)
        }
    }
}
