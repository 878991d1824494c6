// All segments in a row, as one sequence of frames: each continues where the one before it stopped, by sequence and by
// chain. Reading ends at the end of the log or at the first bad place; nothing behind a bad place is ever handed out,
// but its durable marks are looked at, because they decide whether something that was on the disk has been lost.

import Glibc

/// Where and how a reading ended.
struct LogEnd {
    /// The end of each segment that has frames, in order: what is kept of it, and the sequence of its newest event.
    struct Segment: Equatable {
        var number: UInt64
        var firstSequence: UInt64
        var lastSequence: UInt64
        var length: Int
    }

    var segments: [Segment] = []
    var nextSequence: UInt64 = 1
    var lastTime: Int64 = 0
    /// The header CRC of the newest frame.
    var chain: UInt32 = 0
    var lastKind: FrameKind = .closing
    /// The newest durable mark before the end.
    var durableSequence: UInt64 = 0
    /// Segments behind the newest frame that were prepared and never used.
    var unused: [UInt64] = []
    /// What ended the reading, if not the end of the log; then also the newest mark behind it, and whether the reading
    /// found by other means that what is missing was durable.
    var bad: (place: BadPlace, at: LogPosition, file: String)?
    var laterMark: UInt64 = 0
    var isDurableMissing = false
    var frames: UInt64 = 0
    var events: UInt64 = 0
    var bytes: UInt64 = 0
}

struct LogReader: ~Copyable {
    let directory: StoreDirectory
    private let numbers: [UInt64]
    /// The first sequence that is to be handed out.
    private let first: UInt64
    /// A server is writing at this moment: what looks wrong at the end is looked at again.
    private let isLive: Bool
    private var end = LogEnd()
    private var bytesDone: UInt64 = 0
    private var bytesTotal: UInt64 = 0
    private var nextProgress: UInt64 = 0

    /// Between two calls of a progress closure.
    private static let progressStep: UInt64 = 8 << 20
    /// How often a place that looks wrong is read again while a server writes, a millisecond apart.
    private static let liveAttempts = 200

    /// - Parameter last: the number of the last segment to read; all by default.
    init(
        _ directory: StoreDirectory, from first: UInt64, through last: UInt64 = .max, isLive: Bool
    ) throws(JournalError) {
        self.directory = directory
        self.first = first
        self.isLive = isLive
        numbers = try Self.numbersWanted(in: directory, from: first, through: last)
        end.nextSequence = first
    }

    /// Reads to the end or to the first bad place, and hands each frame with an event ≥ `first` to `visit`. Its events are
    /// not decoded: see `runAhead`.
    mutating func run(progress: (LogProgress) -> Void, visit: (LogFrame) throws -> Void) throws -> LogEnd {
        for number in numbers {
            if let size = try? SegmentReader(number, in: directory).writtenSize { bytesTotal += UInt64(size) }
        }
        for (index, number) in numbers.enumerated() {
            if index > 0, number != numbers[index - 1] + 1 {
                let name = StoreDirectory.segmentName(numbers[index - 1] + 1)
                let place = BadPlace(reason: "this segment is missing, a later one is there", isTorn: false)
                end.bad = (place, LogPosition(segment: numbers[index - 1] + 1, offset: 0), "\(directory.log.path)/\(name)")
            } else {
                let next = index + 1 < numbers.count ? numbers[index + 1] : nil
                try read(number, before: next, progress: progress, visit: visit)
            }
            if end.bad != nil {
                try lookBehind(index)
                break
            }
        }
        // An empty log is one that has not begun: segment 1, and nothing in it was ever known elsewhere.
        let hasBegun = !end.segments.isEmpty || (numbers.first ?? 1) > 1 || first > 1
        if end.segments.isEmpty, hasBegun {
            if end.bad == nil { reject(numbers.first ?? 1, 0, "there is no frame to begin with") }
            end.isDurableMissing = true
        } else if end.nextSequence < first, let last = end.segments.last {
            if end.bad == nil { reject(last.number, last.length, "the log ends here, needed is event \(first - 1)") }
            end.isDurableMissing = true
        }
        progress(LogProgress(bytesDone: bytesTotal, bytesTotal: bytesTotal, sequence: end.nextSequence &- 1))
        return end
    }

    // MARK: One segment

    private mutating func read(
        _ number: UInt64, before next: UInt64?, progress: (LogProgress) -> Void, visit: (LogFrame) throws -> Void
    ) throws {
        var segment = try SegmentReader(number, in: directory)
        if let fault = try headerFault(of: segment) {
            reject(number, 0, fault)
            return
        }
        var offset = SegmentLayout.headerSize
        var attempts = isLive ? Self.liveAttempts : 0
        var isEndSure = !isLive || next == nil
        reading: while true {
            switch try segment.finding(at: offset) {
            case .frame(let header, let payload):
                if let missing = bytesMissingBefore(header, payload: payload) {
                    rejectEnd(of: missing)
                    break reading
                }
                if let fault = fault(in: header, payload: payload, number: number, offset: offset) {
                    if try again(&segment, &attempts) { continue reading }
                    reject(number, offset, fault)
                    break reading
                }
                take(header, number: number, offset: offset)
                if header.kind == .events, header.nextSequence > first {
                    let position = LogPosition(segment: number, offset: UInt64(offset))
                    try visit(LogFrame(header, payload: payload, at: position))
                }
                offset += header.frameSize
                if bytesDone + UInt64(offset) >= nextProgress {
                    nextProgress = bytesDone + UInt64(offset) + Self.progressStep
                    progress(LogProgress(
                        bytesDone: min(bytesDone + UInt64(offset), bytesTotal), bytesTotal: bytesTotal, sequence: end.nextSequence &- 1))
                }
            case .end:
                // When the server has gone on to the next segment, this one is complete: what was not there a moment
                // ago must be there now.
                if !isEndSure, let next, try SegmentReader.isInUse(next, in: directory) {
                    isEndSure = true
                    try segment.refresh()
                    continue reading
                }
                break reading
            case .bad(let place):
                if try again(&segment, &attempts) { continue reading }
                end.bad = (place, LogPosition(segment: number, offset: UInt64(offset)), segment.file.path)
                break reading
            }
        }
        if offset == SegmentLayout.headerSize, end.bad == nil { end.unused.append(number) }
        bytesDone += UInt64(offset)
    }

    private func again(_ segment: inout SegmentReader, _ attempts: inout Int) throws(JournalError) -> Bool {
        guard attempts > 0 else { return false }
        attempts -= 1
        // The writer's call lasts microseconds; a millisecond gives it all the time it wants.
        usleep(1000)
        try segment.refresh()
        return true
    }

    private func headerFault(of segment: borrowing SegmentReader) throws(JournalError) -> String? {
        switch try StoreDirectory.readHeader(of: segment.file) {
        case .failure(let fault): return fault.reason
        case .success(let header):
            if header.identity != directory.identity { return "this segment belongs to another store" }
            if header.number != segment.number { return "this file is segment \(header.number) under another name" }
            return nil
        }
    }

    /// What is wrong with a frame whose checksums are right: it does not continue the log.
    private func fault(in header: FrameHeader, payload: UnsafeRawPointer, number: UInt64, offset: Int) -> String? {
        let isFirst = offset == SegmentLayout.headerSize
        guard (header.kind == .opening) == isFirst else {
            return isFirst ? "the first frame does not open the segment" : "an opening frame in the middle of a segment"
        }
        if isFirst {
            guard header.payloadCount == SegmentLayout.openingPayload else { return "an opening frame of a wrong length" }
            guard end.unused.isEmpty else { return "the segment before this one is empty" }
            if let fault = openingFault(header, payload: payload, number: number) { return fault }
        } else {
            guard header.chain == end.chain else { return "a frame that does not continue the frame before it" }
            guard header.firstSequence == end.nextSequence else {
                return "a frame begins with event \(header.firstSequence), expected is \(end.nextSequence)"
            }
        }
        guard header.firstSequence > 0, header.durableSequence < header.firstSequence else {
            return "a frame calls durable what comes after it"
        }
        let hasEvents = header.kind == .events
        guard (header.eventCount > 0) == hasEvents, hasEvents || isFirst || header.payloadCount == 0 else {
            return "a frame with a number of events that its kind does not have"
        }
        guard !header.firstSequence.addingReportingOverflow(UInt64(header.eventCount)).overflow else {
            return "a frame whose sequence is out of range"
        }
        return nil
    }

    private func openingFault(_ header: FrameHeader, payload: UnsafeRawPointer, number: UInt64) -> String? {
        let length = payload.littleEndian(UInt64.self, at: 0)
        let firstBefore = payload.littleEndian(UInt64.self, at: 8)
        guard let before = end.segments.last else {
            if number == 1, header.firstSequence != 1 || header.chain != 0 || length != 0 || firstBefore != 0 {
                return "the first segment does not begin with event 1"
            }
            if header.firstSequence > first { return "the log begins with event \(header.firstSequence), needed is \(first)" }
            return nil
        }
        guard header.chain == end.chain, header.firstSequence == end.nextSequence, length == UInt64(before.length),
            firstBefore == before.firstSequence
        else {
            return "this segment begins with event \(header.firstSequence) and follows a segment of \(length) bytes that "
                + "began with event \(firstBefore); the one before it has \(before.length) bytes, begins with event "
                + "\(before.firstSequence) and ends before event \(end.nextSequence)"
        }
        return nil
    }

    /// The segment before an opening frame, if it was longer when that frame was written than it is now: its end was
    /// never written to the disk, though the segment after it was.
    private func bytesMissingBefore(_ header: FrameHeader, payload: UnsafeRawPointer) -> LogEnd.Segment? {
        guard header.kind == .opening, header.payloadCount == SegmentLayout.openingPayload, end.unused.isEmpty,
            let before = end.segments.last, header.firstSequence >= end.nextSequence,
            payload.littleEndian(UInt64.self, at: 0) > UInt64(before.length),
            payload.littleEndian(UInt64.self, at: 8) == before.firstSequence
        else { return nil }
        return before
    }

    private mutating func take(_ header: FrameHeader, number: UInt64, offset: Int) {
        if header.kind == .opening {
            end.nextSequence = header.firstSequence
            end.segments.append(LogEnd.Segment(
                number: number, firstSequence: header.firstSequence, lastSequence: header.firstSequence &- 1, length: 0))
        }
        end.nextSequence = header.nextSequence
        end.segments[end.segments.count - 1].lastSequence = header.nextSequence &- 1
        end.segments[end.segments.count - 1].length = offset + header.frameSize
        end.chain = header.crc
        end.lastKind = header.kind
        end.lastTime = header.time
        end.durableSequence = max(end.durableSequence, header.durableSequence)
        end.frames += 1
        end.events += UInt64(header.eventCount)
        end.bytes += UInt64(header.frameSize)
    }

    // MARK: A bad place

    private mutating func reject(_ number: UInt64, _ offset: Int, _ reason: String) {
        let path = "\(directory.log.path)/\(StoreDirectory.segmentName(number))"
        let place = BadPlace(reason: reason, isTorn: false)
        end.bad = (place, LogPosition(segment: number, offset: UInt64(offset)), path)
    }

    private mutating func rejectEnd(of segment: LogEnd.Segment) {
        reject(segment.number, segment.length, "the end of this segment was never written, a later one goes on")
        end.bad?.place.isTorn = true
    }

    /// Looks for durable marks behind the bad place, which is in (or is) the segment at `index`.
    private mutating func lookBehind(_ index: Int) throws(JournalError) {
        guard let bad = end.bad else { return }
        for number in numbers[index...] {
            var segment = try SegmentReader(number, in: directory)
            let isHere = number == bad.at.segment
            let from = isHere ? Int(bad.at.offset) + Frame.alignment : SegmentLayout.headerSize
            end.laterMark = max(end.laterMark, try segment.newestMark(from: max(from, SegmentLayout.headerSize)))
        }
    }

    /// The first sequence of the first segment; 1 if that cannot be read.
    static func firstSequence(in directory: StoreDirectory) throws(JournalError) -> UInt64 {
        guard let number = try StoreDirectory.segmentNumbers(in: directory.log).first else { return 1 }
        var segment = try SegmentReader(number, in: directory)
        guard case .frame(let header, _) = try segment.finding(at: SegmentLayout.headerSize) else { return 1 }
        return max(1, header.firstSequence)
    }

    /// The segments from the one that holds `first` on. Earlier ones are not needed and not read.
    private static func numbersWanted(
        in directory: StoreDirectory, from first: UInt64, through last: UInt64
    ) throws(JournalError) -> [UInt64] {
        let all = try StoreDirectory.segmentNumbers(in: directory.log).filter { $0 <= last }
        guard first > 1 else { return all }
        for (index, number) in all.enumerated().reversed() {
            var segment = try SegmentReader(number, in: directory)
            if case .frame(let header, _) = try segment.finding(at: SegmentLayout.headerSize),
                header.kind == .opening, header.firstSequence <= first
            {
                return Array(all[index...])
            }
        }
        return all
    }
}

extension SegmentReader {
    /// Whether a segment has a first frame.
    static func isInUse(_ number: UInt64, in directory: StoreDirectory) throws(JournalError) -> Bool {
        var segment = try SegmentReader(number, in: directory)
        guard case .frame = try segment.finding(at: SegmentLayout.headerSize) else { return false }
        return true
    }
}
