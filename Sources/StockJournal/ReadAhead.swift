// The log read by a thread of its own: it reads, checks and decodes frames while whoever wants them still applies those
// before. Both halves of a replay cost about the same.
//
// Nothing changes for those who visit: frames come in order, on the thread that asked, and when it says no, the reading
// ends there. What is to be done about the end of the log is decided after all visits.

import StockModel

extension LogReader {
    /// The same as `run`, with decoded events. Errors of the reading come after the frames before them.
    ///
    /// - Parameters:
    ///   - progress: called on this thread, behind the frames that it tells of.
    ///   - visit: called on this thread.
    consuming func runAhead(
        progress: (LogProgress) -> Void, visit: (LogFrame) throws -> Void
    ) throws -> LogEnd {
        let hashKey = directory.identity.hashKey
        let pipe = try Pipe((0..<4).map { _ in FrameBatch(hashKey: hashKey) })
        let work = ReadingWork(self)
        let thread = try Thread(name: "log-read", stop: { pipe.abandon() }, body: {
            pipe.close(Result { try work.run(into: pipe) })
        })
        return try withExtendedLifetime(thread) {
            while let batch = try pipe.take() {
                try batch.empty(progress: progress, visit: visit)
                pipe.giveBack(batch)
            }
            return work.end
        }
    }
}

/// A reader in the hands of its thread; `end` is for others when the pipe has been closed.
private final class ReadingWork: @unchecked Sendable {
    private var reader: LogReader
    private(set) var end = LogEnd()

    init(_ reader: consuming LogReader) {
        self.reader = reader
    }

    func run(into pipe: Pipe<FrameBatch>) throws {
        var batch = try pipe.nextFree()
        var newest: LogProgress?
        end = try reader.run(
            progress: { newest = $0 },
            visit: { frame in
                if !batch.hasRoom(for: frame) {
                    batch.progress = newest
                    newest = nil
                    pipe.put(batch)
                    batch = try pipe.nextFree()
                }
                batch.append(frame)
            })
        batch.progress = newest
        pipe.put(batch)
    }
}

/// A few frames with their events and the hashes of their ids, in their own memory. One thread has it at a time.
final class FrameBatch: @unchecked Sendable {
    /// What a batch is filled up to; a frame that is larger has one to itself. Small enough for a processor's own cache.
    private static let payloadBytes = 1 << 16

    private struct Frame {
        var frame: LogFrame
        /// Behind its last event.
        var endOfEvents: Int
    }

    /// Called with the frames, if the reading has got that far.
    var progress: LogProgress?
    private var frames: [Frame] = []
    private var events: [Event] = []
    private var idHashes: [UInt64] = []
    private let hashKey: HashKey
    private var bytes: UnsafeMutableRawBufferPointer
    private var usedBytes = 0
    private var lines: UnsafeMutableBufferPointer<EventLine>
    private var usedLines = 0

    init(hashKey: HashKey) {
        self.hashKey = hashKey
        bytes = .allocate(byteCount: FrameBatch.payloadBytes, alignment: 16)
        lines = .allocate(capacity: EventReader.lineLimit(of: FrameBatch.payloadBytes))
    }

    deinit {
        bytes.deallocate()
        lines.deallocate()
    }

    func hasRoom(for frame: LogFrame) -> Bool { frames.isEmpty || frame.payload.count <= bytes.count - usedBytes }

    /// Copies a frame, for which there is room, and decodes its events.
    func append(_ original: LogFrame) {
        let count = original.payload.count
        if count > bytes.count - usedBytes { grow(to: count) }
        var frame = original
        let copy = UnsafeMutableRawBufferPointer(rebasing: bytes[usedBytes..<(usedBytes + count)])
        copy.copyMemory(from: original.payload)
        frame.payload = UnsafeRawBufferPointer(copy)
        usedBytes += count
        // Its place for lines is as much of the whole as its bytes are: what is left over is not missed.
        let place = UnsafeMutableBufferPointer(rebasing: lines[usedLines..<lines.count])
        var reader = EventReader(frame.payload, keepingLinesIn: place)
        frame.problem = decode(&reader, &events, &idHashes)
        usedLines += reader.keptLines
        frames.append(Frame(frame: frame, endOfEvents: events.count))
    }

    /// Appends what a reader gives; what ended it before its time.
    // Its own function, so that what it appends to is looked up once and not for each event.
    private func decode(
        _ reader: inout EventReader, _ events: inout [Event], _ idHashes: inout [UInt64]
    ) -> MalformedEvent? {
        let hashKey = hashKey
        do throws(MalformedEvent) {
            while let event = try reader.next() {
                events.append(event)
                idHashes.append(event.id.map { hashKey.hash($0) } ?? 0)
            }
            return nil
        } catch {
            return error
        }
    }

    /// Hands the frames on and is empty again.
    func empty(progress report: (LogProgress) -> Void, visit: (LogFrame) throws -> Void) throws {
        try events.withUnsafeBufferPointer { events in
            try idHashes.withUnsafeBufferPointer { idHashes in
                var first = 0
                for entry in frames {
                    var frame = entry.frame
                    frame.events = UnsafeBufferPointer(rebasing: events[first..<entry.endOfEvents])
                    frame.upcoming = UpcomingEvents(
                        events: UnsafeBufferPointer(rebasing: events[first...]),
                        idHashes: UnsafeBufferPointer(rebasing: idHashes[first...]))
                    first = entry.endOfEvents
                    try visit(frame)
                }
            }
        }
        if let progress { report(progress) }
        progress = nil
        frames.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        idHashes.removeAll(keepingCapacity: true)
        usedBytes = 0
        usedLines = 0
    }

    /// Only while it is empty: nobody points into what is given back.
    private func grow(to count: Int) {
        bytes.deallocate()
        lines.deallocate()
        bytes = .allocate(byteCount: count, alignment: 16)
        lines = .allocate(capacity: EventReader.lineLimit(of: count))
    }
}
