// A small log, cut at every byte and with every bit flipped. Whatever happens to it, what is read is an exact beginning of
// what was written, reaching at least to what the log itself says was durable; or it is refused.

import Glibc
import Testing

@testable import StockJournal

@Suite("Cutting and flipping")
struct CutAndFlipTests {
    /// A log of one segment, as a crash leaves it: three frames; the third knows that events up to 3 are durable.
    private static func smallLog(_ sandbox: Sandbox) throws -> [Record] {
        var writer = try openWriter(sandbox, options(segmentBytes: 8_192))
        var written = [try writer.append(payload(1, count: 21), events: 2)]
        written.append(try writer.append(payload(3, count: 8)))
        try writer.awaitDurable()
        written.append(try writer.append(payload(4, count: 40), events: 3))
        written.append(try writer.append(payload(7, count: 3)))
        return written
    }

    private static let durable: UInt64 = 3

    /// Where each frame begins and where the last one ends, after the opening frame.
    private static func boundaries(_ written: [Record]) -> [Int] {
        written.reduce(into: [SegmentLayout.firstEventsOffset]) { ends, record in
            ends.append((ends.last ?? 0) + Frame.size(payloadCount: record.payload.count))
        }
    }

    @Test("a log cut at any byte, short or followed by zeros, recovers to the frames before the cut and keeps the rest",
        arguments: [true, false])
    func cutEverywhere(isShort: Bool) throws {
        let sandbox = try Sandbox()
        let written = try Self.smallLog(sandbox)
        let whole = try Files.read(sandbox.segment(1))
        let ends = Self.boundaries(written)
        let dataEnd = try #require(ends.last)
        #expect(whole.count == 8_192)
        for cut in SegmentLayout.headerSize...dataEnd {
            Files.removeAll("\(sandbox.store)/log")
            mkdir("\(sandbox.store)/log", 0o700)
            let bytes = whole[..<cut] + (isShort ? [] : [UInt8](repeating: 0, count: whole.count - cut))
            try Files.write(sandbox.segment(1), bytes)
            // Nothing of a frame: its beginning is a clean end.
            let isClean = ends.contains(cut) || cut == SegmentLayout.headerSize
            let expected = Array(written[..<max(0, ends.lastIndex { $0 <= cut } ?? 0)])

            let seen = try inspect(sandbox)
            #expect(seen.records == expected)
            if isClean {
                #expect(seen.verdict == .intact(isLive: false))
            } else if case .torn(let at, let sequence, _) = seen.verdict {
                #expect(at.offset == UInt64(ends.last { $0 <= cut } ?? SegmentLayout.headerSize))
                #expect(sequence == (expected.last?.last ?? 0) + 1)
            } else {
                Issue.record("cut at \(cut): \(seen.verdict)")
            }

            guard case .success(let (records, report)) = try recover(sandbox, options(segmentBytes: 8_192)) else {
                Issue.record("cut at \(cut): refused")
                continue
            }
            #expect(records == expected)
            #expect((report.cut == nil) == isClean)
            if let tail = report.cut {
                #expect(tail.reason == .torn)
                let kept = try Files.read(try #require(tail.keptIn.first))
                // A segment without one whole frame is put aside as it is.
                let from = cut < SegmentLayout.firstEventsOffset ? 0 : Int(tail.position.offset)
                // Zeros at the end of what was kept say nothing and are left out.
                let lost = Array(whole[from..<cut])
                #expect(Array(kept.prefix(lost.count)) == Array(lost.prefix(kept.count)))
                #expect(lost.dropFirst(kept.count).allSatisfy { $0 == 0 })
            }
            // The second start finds nothing to cut, and goes on.
            var writer = try openWriter(sandbox, options(segmentBytes: 8_192))
            #expect(writer.recovery.cut == nil)
            let added = try writer.append([1, 2, 3])
            try writer.close()
            let after = try inspect(sandbox)
            #expect(after.verdict == .intact(isLive: false))
            #expect(after.records == expected + [added])
        }
    }

    @Test("a header cut at any byte is refused")
    func cutHeader() throws {
        let sandbox = try Sandbox()
        _ = try Self.smallLog(sandbox)
        let whole = try Files.read(sandbox.segment(1))
        for cut in stride(from: 0, to: SegmentLayout.headerSize, by: 61) {
            try Files.write(sandbox.segment(1), whole[..<cut])
            #expect(throws: JournalError.self) { _ = try openWriter(sandbox, options(segmentBytes: 8_192)) }
            #expect(try Files.read(sandbox.segment(1)).count == cut)
        }
    }

    @Test("every flipped bit of a frame is refused: as history before the durable mark, as a damaged tail behind it")
    func flipFrames() throws {
        let sandbox = try Sandbox()
        let written = try Self.smallLog(sandbox)
        let whole = try Files.read(sandbox.segment(1))
        let ends = Self.boundaries(written)
        let dataEnd = try #require(ends.last)
        for offset in SegmentLayout.headerSize..<dataEnd {
            for bit in 0..<8 {
                var bytes = whole
                bytes[offset] ^= 1 << bit
                try Files.write(sandbox.segment(1), bytes)
                let (verdict, records, _) = try inspect(sandbox)
                let before = max(0, ends.lastIndex { $0 <= offset } ?? 0)
                #expect(records == Array(written[..<before]))
                guard case .damaged(let damage) = verdict else {
                    Issue.record("bit \(bit) of byte \(offset): \(verdict)")
                    continue
                }
                let sequence = (records.last?.last ?? 0) + 1
                #expect(damage.sequence == sequence)
                #expect(damage.kind == (sequence <= Self.durable ? .history : .tail))
                #expect(damage.offset == UInt64(ends.last { $0 <= offset } ?? SegmentLayout.headerSize))
                #expect(damage.file == sandbox.segment(1))
            }
        }
    }

    @Test("every flipped bit of the header is refused")
    func flipHeader() throws {
        let sandbox = try Sandbox()
        _ = try Self.smallLog(sandbox)
        var bytes = try Files.read(sandbox.segment(1))
        for offset in 0..<SegmentLayout.headerSize {
            // The padding is covered by one checksum like the rest: one bit of each of its bytes is enough.
            let isField = offset < 64 || offset >= SegmentLayout.headerSize - 8
            for bit in isField ? 0..<8 : (offset % 8)..<(offset % 8 + 1) {
                bytes[offset] ^= 1 << bit
                try Files.write(sandbox.segment(1), bytes)
                #expect(throws: JournalError.self) { _ = try openWriter(sandbox, options(segmentBytes: 8_192)) }
                bytes[offset] ^= 1 << bit
            }
        }
    }

    @Test("a flipped bit in the unused space behind the frames loses nothing")
    func flipBehind() throws {
        let sandbox = try Sandbox()
        let written = try Self.smallLog(sandbox)
        let whole = try Files.read(sandbox.segment(1))
        let dataEnd = try #require(Self.boundaries(written).last)
        for offset in dataEnd..<whole.count {
            var bytes = whole
            bytes[offset] ^= 1 << (offset % 8)
            try Files.write(sandbox.segment(1), bytes)
            let (verdict, records, _) = try inspect(sandbox)
            #expect(records == written)
            if case .intact = verdict { Issue.record("byte \(offset) is not zero and nobody noticed") }
        }
    }

    @Test("a zero sector in a frame that was never durable is torn, one in durable history is refused")
    func zeroSector() throws {
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options())
        let first = try writer.append(payload(1, count: 3_000))
        try writer.awaitDurable()
        let second = try writer.append(payload(2, count: 3_000))
        let third = try writer.append(payload(3, count: 3_000))
        _ = consume writer
        let whole = try Files.read(sandbox.segment(1))
        let ends = Self.boundaries([first, second, third])
        for sector in SegmentLayout.headerSize / 512..<ends[3] / 512 {
            var bytes = whole
            for offset in sector * 512..<sector * 512 + 512 { bytes[offset] = 0 }
            try Files.write(sandbox.segment(1), bytes)
            let (verdict, records, _) = try inspect(sandbox)
            if sector * 512 < ends[1] {
                guard case .damaged(let damage) = verdict else {
                    Issue.record("sector \(sector): \(verdict)")
                    continue
                }
                #expect(damage.kind == .history)
                #expect(records.isEmpty)
            } else {
                guard case .torn = verdict else {
                    Issue.record("sector \(sector): \(verdict)")
                    continue
                }
                #expect(records == (sector * 512 < ends[2] ? [first] : [first, second]))
            }
        }
    }

    @Test("a damaged tail is given up only when its sequence is named, and its bytes are kept")
    func acceptTailLoss() throws {
        let sandbox = try Sandbox()
        let written = try Self.smallLog(sandbox)
        var bytes = try Files.read(sandbox.segment(1))
        let ends = Self.boundaries(written)
        bytes[ends[2] + 60] ^= 4
        try Files.write(sandbox.segment(1), bytes)
        var options = options(segmentBytes: 8_192)
        for wrong in [nil, 1, 3, 5, 7] as [UInt64?] {
            options.acceptTailLoss = wrong
            guard case .failure(let damage) = try recover(sandbox, options) else {
                Issue.record("accepted \(String(describing: wrong))")
                continue
            }
            #expect(damage.kind == .tail)
            #expect(damage.sequence == 4)
            #expect(damage.description.contains("--accept-tail-loss=4"))
            #expect(try Files.read(sandbox.segment(1)) == bytes)
        }
        options.acceptTailLoss = 4
        guard case .success(let (records, report)) = try recover(sandbox, options) else {
            Issue.record("refused although the loss was accepted")
            return
        }
        #expect(records == Array(written[..<2]))
        #expect(report.cut?.reason == .acceptedLoss)
        let kept = try Files.read("\(sandbox.segment(1)).torn")
        #expect(kept == Array(bytes[ends[2]..<ends[4]]))
    }

    @Test("damaged history is refused even when its sequence is named")
    func historyIsNotGivenUp() throws {
        let sandbox = try Sandbox()
        let written = try Self.smallLog(sandbox)
        var bytes = try Files.read(sandbox.segment(1))
        bytes[Self.boundaries(written)[1] + 50] ^= 1
        try Files.write(sandbox.segment(1), bytes)
        var options = options(segmentBytes: 8_192)
        options.acceptTailLoss = 3
        guard case .failure(let damage) = try recover(sandbox, options) else {
            Issue.record("accepted the loss of history")
            return
        }
        #expect(damage.kind == .history)
        #expect(damage.durableSequence == 3)
    }

    @Test("a second torn end is kept beside the first")
    func tornTwice() throws {
        let sandbox = try Sandbox()
        for round in 1...3 {
            var writer = try openWriter(sandbox, options(segmentBytes: 8_192))
            try writer.append(payload(1, count: 40))
            let end = Int(writer.counts.bytes)
            _ = consume writer
            var bytes = try Files.read(sandbox.segment(1))
            let dataEnd = (bytes.lastIndex { $0 != 0 } ?? 0) + 1
            #expect(end > 0)
            for offset in dataEnd - 10..<dataEnd { bytes[offset] = 0 }
            try Files.write(sandbox.segment(1), bytes)
            guard case .success(let (records, report)) = try recover(sandbox, options(segmentBytes: 8_192)) else {
                Issue.record("refused")
                return
            }
            #expect(records.isEmpty)
            #expect(report.cut?.keptIn == ["\(sandbox.segment(1)).torn\(round == 1 ? "" : ".\(round)")"])
        }
    }
}
