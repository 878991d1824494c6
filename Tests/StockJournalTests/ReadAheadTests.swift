// Frames read and decoded by another thread: the same frames, in order, on the thread that asked.

import Glibc
import StockModel
import Testing

@testable import StockJournal

@Suite("Reading ahead", .timeLimit(.minutes(5)))
struct ReadAheadTests {
    /// The bytes of orders with `lines` lines each, named by their numbers.
    private static func orders(_ numbers: Range<Int>, lines: Int) -> [UInt8] {
        var events = EventBuffer()
        let all = (0..<lines).map {
            EventLine(ordinal: UInt32($0 + 1), quantity: 1, after: CountersAfter(onhand: 1 << 40, held: 3, sold: -1 << 30))
        }
        for number in numbers {
            var name = "order-\(number)"
            name.withUTF8 { name in
                all.withUnsafeBufferPointer { all in
                    guard let base = name.baseAddress else { return }
                    events.append(
                        .deducted(id: Token(base: base, count: name.count), lines: all, buyer: nil, born: nil))
                }
            }
        }
        return Array(events.bytes)
    }

    @Test("Events of small frames and of frames larger than a batch come as they were written, and with what follows them")
    func decoded() throws {
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options(segmentBytes: 4 << 20))
        var next = 0
        var written: [(count: Int, lines: Int)] = []
        let shapes = [(1, 1), (3, 2), (2_000, 1), (700, 20), (1, 1_024), (5, 1)] + Array(repeating: (40, 3), count: 300)
        for (count, lines) in shapes {
            try writer.append(Self.orders(next..<(next + count), lines: lines), events: UInt32(count))
            next += count
            written.append((count, lines))
        }
        try writer.close()
        var frames = 0
        var seen = 0
        var problems = 0
        var reported = LogProgress(bytesDone: 0, bytesTotal: 0, sequence: 0)
        let directory = try StoreDirectory.open(sandbox.store, access: .inspect)
        let (verdict, _) = try LogInspector.check(directory, progress: { reported = $0 }) { frame in
            let expected = written[frames]
            frames += 1
            if frame.events.count != expected.count || frame.problem != nil { problems += 1 }
            if frame.upcoming.events.count < frame.events.count { problems += 1 }
            for (index, event) in frame.upcoming.events.enumerated() {
                guard case .deducted(let id, let lines, _, _) = event, id.text == "order-\(seen + index)" else {
                    problems += 1
                    continue
                }
                if frame.upcoming.idHashes[index] != directory.identity.hashKey.hash(id) { problems += 1 }
                if index < expected.count, lines.count != expected.lines { problems += 1 }
                for (place, line) in lines.enumerated()
                where line.ordinal != UInt32(place + 1) || line.after.onhand != 1 << 40 || line.after.sold != -1 << 30 {
                    problems += 1
                }
            }
            seen += frame.events.count
        }
        #expect(verdict == .intact(isLive: false))
        #expect(frames == written.count && seen == next && problems == 0)
        #expect(reported.sequence == UInt64(next) && reported.bytesDone == reported.bytesTotal)
    }

    @Test("A payload that is no events is handed over with the problem, and those after it are whole")
    func malformed() throws {
        let sandbox = try Sandbox()
        var writer = try openWriter(sandbox, options())
        let good = Self.orders(0..<2, lines: 1)
        var bad = Self.orders(2..<4, lines: 1)
        bad[bad.count / 2 + 2] = 0xEE
        try writer.append(good, events: 2)
        try writer.append(bad, events: 2)
        try writer.append(Self.orders(4..<6, lines: 2), events: 2)
        try writer.close()
        var counts: [Int] = []
        var problems: [Bool] = []
        let directory = try StoreDirectory.open(sandbox.store, access: .inspect)
        _ = try LogInspector.check(directory, visit: { frame in
            counts.append(frame.events.count)
            problems.append(frame.problem != nil)
        })
        #expect(counts == [2, 1, 2])
        #expect(problems == [false, true, false])
    }

    @Test("A visitor that says no gets no more frames, and a start that is refused so changes nothing")
    func refused() throws {
        struct No: Error {}
        let sandbox = try Sandbox()
        let options = options(segmentBytes: 8 << 20)
        var writer = try openWriter(sandbox, options)
        for number in 0..<3_000 {
            try writer.append(Self.orders((number * 20)..<(number * 20 + 20), lines: 2), events: 20)
        }
        _ = consume writer
        // It was not closed in order: a start that goes through would put a fresh copy in its place.
        let file = Self.file(sandbox.segment(1))
        var visited = 0
        #expect(throws: No.self) {
            _ = try JournalWriter(opening: try StoreDirectory.open(sandbox.store), options: options) { _ in
                visited += 1
                if visited == 2_990 { throw No() }
            }
        }
        #expect(visited == 2_990)
        #expect(Self.file(sandbox.segment(1)) == file)
        try openWriter(sandbox, options).close()
        #expect(Self.file(sandbox.segment(1)) != file)
    }

    /// The number that the file system knows a file by.
    private static func file(_ path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
    }
}
