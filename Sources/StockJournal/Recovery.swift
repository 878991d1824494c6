// What is done with a log at the start: the verdict on how the reading ended, and its consequences. A verdict that refuses
// changes nothing on the disk. One that cuts keeps every byte it takes away.

import Glibc

extension LogEnd {
    /// Whether something that was on the disk, and so may have been promised, cannot be read any more.
    var isHistoryLost: Bool { isDurableMissing || laterMark >= nextSequence }

    /// The one place where the rules of recovery are applied: `Protocol/log-format.md`, "Recovery".
    func verdict(isLive: Bool) -> LogVerdict {
        guard let bad else { return .intact(isLive: isLive) }
        if bad.place.isTorn, !isHistoryLost {
            if isLive { return .intact(isLive: true) }
            return .torn(at: bad.at, sequence: nextSequence, detail: bad.place.reason)
        }
        return .damaged(LogDamage(
            kind: isHistoryLost ? .history : .tail, file: bad.file, offset: bad.at.offset, sequence: nextSequence,
            durableSequence: max(durableSequence, laterMark), reason: bad.place.reason))
    }

    var report: RecoveryReport {
        var report = RecoveryReport()
        report.lastSequence = nextSequence &- 1
        report.lastTime = lastTime
        report.firstSequence = segments.first?.firstSequence ?? nextSequence
        report.frames = frames
        report.events = events
        report.bytes = bytes
        report.firstSegment = segments.first?.number ?? 0
        report.lastSegment = segments.last?.number ?? 0
        report.durableSequence = durableSequence
        report.wasClean = bad == nil && lastKind == .closing
        report.isNew = segments.isEmpty && bad == nil
        return report
    }
}

/// A log that is ready to be continued.
struct RecoveredLog {
    /// The segment to write to, and how much of it is reserved.
    var file: FileDescriptor
    var capacity: Int
    /// What it holds; `length` is `SegmentLayout.headerSize` while it has no frame.
    var segment: LogEnd.Segment
    var chain: UInt32
    var report: RecoveryReport
}

struct Recovery {
    let directory: StoreDirectory
    let options: JournalOptions

    /// Reads, judges, and puts the files in order.
    func run(
        from first: UInt64, progress: (LogProgress) -> Void, replay: (LogFrame) throws -> Void
    ) throws -> RecoveredLog {
        try directory.removeTemporaries()
        if options.beginsAnywhere, first > 1, try directory.hasNoEvents() { return try beginning(with: first) }
        let end = try LogReader(directory, from: first, isLive: false).runAhead(progress: progress, visit: replay)

        var report = end.report
        switch end.verdict(isLive: false) {
        case .intact:
            break
        case .torn(let at, let sequence, let detail):
            report.cut = TailCut(
                reason: .torn, detail: detail, position: at, sequence: sequence, bytes: 0, keptIn: [])
        case .damaged(let damage):
            guard damage.kind == .tail, options.acceptTailLoss == damage.sequence, let bad = end.bad else {
                throw JournalError.damaged(damage)
            }
            report.cut = TailCut(
                reason: .acceptedLoss, detail: damage.reason, position: bad.at, sequence: damage.sequence, bytes: 0,
                keptIn: [])
        }
        // From here on files change, each step so that a crash after it leads here again.
        if var cut = report.cut {
            try keep(&cut, behind: end)
            report.cut = cut
        }
        try clearBehind(end, &report.cut)
        return try continuing(end, report: report)
    }

    /// An empty log that goes on from a database: its first segment is not the one that begins with event 1.
    private func beginning(with first: UInt64) throws(JournalError) -> RecoveredLog {
        for number in try StoreDirectory.segmentNumbers(in: directory.log).reversed() {
            try directory.removeUnused(number)
        }
        let file = try directory.createSegment(2, bytes: options.segmentBytes, calls: options.calls)
        let segment = LogEnd.Segment(
            number: 2, firstSequence: first, lastSequence: first - 1, length: SegmentLayout.headerSize)
        var report = RecoveryReport()
        report.firstSequence = first
        report.lastSequence = first - 1
        return RecoveredLog(
            file: file, capacity: options.segmentBytes, segment: segment, chain: 0, report: report)
    }

    /// Copies the bytes that are cut off a segment whose beginning is kept.
    private func keep(_ cut: inout TailCut, behind end: LogEnd) throws(JournalError) {
        guard let last = end.segments.last, last.number == cut.position.segment else { return }
        var segment = try SegmentReader(last.number, in: directory)
        let dataEnd = try segment.endOfData(from: last.length)
        guard dataEnd > last.length else { return }
        let path = try directory.keepTorn(last.number, range: last.length..<dataEnd, calls: options.calls)
        cut.keptIn.append(path)
        cut.bytes += UInt64(dataEnd - last.length)
    }

    /// Removes the empty segments behind the last one that is kept, and puts aside those with something in them.
    private func clearBehind(_ end: LogEnd, _ cut: inout TailCut?) throws(JournalError) {
        let last = end.segments.last?.number ?? 0
        // The last one first: what a crash leaves is then still without a gap.
        for number in try StoreDirectory.segmentNumbers(in: directory.log).reversed() where number > last {
            var segment = try SegmentReader(number, in: directory)
            let dataEnd = try segment.endOfData(from: SegmentLayout.headerSize)
            if case .success = try StoreDirectory.readHeader(of: segment.file), dataEnd == SegmentLayout.headerSize {
                try directory.removeUnused(number)
                continue
            }
            let path = try directory.putAside(number)
            cut?.keptIn.append(path)
            cut?.bytes += UInt64(dataEnd)
        }
        try directory.log.syncAll()
    }

    /// Opens the last segment for more: as it is after an orderly end, else as a fresh synced copy.
    private func continuing(_ end: LogEnd, report: RecoveryReport) throws(JournalError) -> RecoveredLog {
        guard let last = end.segments.last else {
            let file = try directory.createSegment(1, bytes: options.segmentBytes, calls: options.calls)
            let segment = LogEnd.Segment(
                number: 1, firstSequence: 1, lastSequence: 0, length: SegmentLayout.headerSize)
            return RecoveredLog(
                file: file, capacity: options.segmentBytes, segment: segment, chain: 0, report: report)
        }
        if report.wasClean {
            let (file, capacity) = try directory.openSegment(
                last.number, reserving: options.segmentBytes, calls: options.calls)
            return RecoveredLog(file: file, capacity: capacity, segment: last, chain: end.chain, report: report)
        }
        // Earlier segments that nothing vouches for may be in the kernel's memory only, like the last one.
        for segment in end.segments.dropLast() where segment.lastSequence > end.durableSequence {
            _ = try directory.copySegment(segment.number, length: segment.length, reserving: 0, calls: options.calls)
        }
        let file = try directory.copySegment(
            last.number, length: last.length, reserving: options.segmentBytes, calls: options.calls)
        return RecoveredLog(
            file: file, capacity: max(options.segmentBytes, last.length), segment: last, chain: end.chain,
            report: report)
    }
}
