// What the tests of the log share: a directory that goes away again, a log with known contents, and eyes on its bytes.

import CLinux
import Glibc
import StockModel
import Testing

@testable import StockJournal

/// A directory for one test, removed when the object goes. In memory where the machine has such a place: the tests sync
/// thousands of times.
final class Sandbox {
    let path: String

    init() throws {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/stockade-journal-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } != nil }
        try #require(made, "no temporary directory")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Files.removeAll(path) }

    var store: String { "\(path)/store" }
    func segment(_ number: Int) -> String { "\(store)/log/\(StoreDirectory.segmentName(UInt64(number)))" }
}

enum Files {
    static func read(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY)
        try #require(file >= 0, "cannot open \(path)")
        defer { close(file) }
        var status = stat()
        fstat(file, &status)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let got = pread(file, &bytes, bytes.count, 0)
        try #require(got == bytes.count)
        return bytes
    }

    static func write(_ path: String, _ bytes: some Sequence<UInt8>) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0, "cannot write \(path)")
        defer { close(file) }
        let bytes = Array(bytes)
        try #require(pwrite(file, bytes, bytes.count, 0) == bytes.count)
    }

    static func names(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func removeAll(_ path: String) {
        for name in names(path) {
            let child = "\(path)/\(name)"
            if unlink(child) != 0 { removeAll(child) }
        }
        rmdir(path)
    }

    static func copy(_ from: String, _ to: String) throws { try write(to, try read(from)) }
}

/// A payload that tells which frame it is of.
func payload(_ sequence: UInt64, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: Int(sequence) &* 37 &+ $0 &* 11) | 1 }
}

/// What a test remembers of a frame: its first sequence, number of events and payload.
struct Record: Equatable {
    var first: UInt64
    var count: UInt32
    var payload: [UInt8]

    init(first: UInt64, count: UInt32, payload: [UInt8]) {
        self.first = first
        self.count = count
        self.payload = payload
    }

    init(_ frame: LogFrame) {
        self.init(first: frame.firstSequence, count: frame.eventCount, payload: Array(frame.payload))
    }

    var last: UInt64 { first + UInt64(count) - 1 }
}

func options(_ mode: SyncMode = .never, segmentBytes: Int = 16 << 10) -> JournalOptions {
    var options = JournalOptions(sync: mode)
    options.segmentBytes = segmentBytes
    return options
}

extension JournalWriter {
    /// Appends one frame once.
    mutating func appendOnce(_ bytes: [UInt8], events: UInt32 = 1, time: Int64 = 1_000) -> AppendResult {
        let size = Frame.headerSize + bytes.count + Frame.maximumTrailerSize
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        bytes.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { (buffer + Frame.headerSize).copyMemory(from: base, byteCount: bytes.count) }
        }
        return append(
            buffer: buffer, payloadCount: bytes.count, firstSequence: writtenSequence + 1, eventCount: events, time: time)
    }

    /// Appends one frame, awaiting the next segment if need be.
    @discardableResult
    mutating func append(_ bytes: [UInt8], events: UInt32 = 1, time: Int64 = 1_000) throws -> Record {
        let record = Record(first: writtenSequence + 1, count: events, payload: bytes)
        try awaitNews { (writer: inout JournalWriter) in
            writer.appendOnce(bytes, events: events, time: time) == .written
        }
        return record
    }

    /// Repeats `condition`, sleeping on the wake descriptor in between, until it is true; fails after 20 seconds.
    mutating func awaitNews(_ condition: (inout JournalWriter) throws -> Bool) throws {
        let end = clinux_monotonic_ns() + 20_000_000_000
        while try !condition(&self) {
            try #require(clinux_monotonic_ns() < end, "what was awaited did not come")
            var wait: Int64 = 100_000_000
            if let due = nextService { wait = min(wait, max(0, due - clinux_monotonic_ns())) }
            var entry = pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, Int32((wait + 999_999) / 1_000_000)) > 0 { silenceBell() }
            _ = service()
        }
    }

    mutating func awaitDurable() throws {
        requestSync()
        try awaitNews { (writer: inout JournalWriter) in writer.durableSequence == writer.writtenSequence }
    }
}

/// Takes the records of a replay.
final class Replay {
    var records: [Record] = []
}

/// Opens a store to write; what is replayed goes to `replay`.
func openWriter(
    _ sandbox: Sandbox, _ options: JournalOptions, from first: UInt64 = 1, replay: Replay = Replay()
) throws -> JournalWriter {
    let directory = try StoreDirectory.open(sandbox.store)
    return try JournalWriter(opening: directory, options: options, replayFrom: first) {
        replay.records.append(Record($0))
    }
}

/// The verdict on a store and the records before it, without touching it.
func inspect(_ sandbox: Sandbox) throws -> (verdict: LogVerdict, records: [Record], report: RecoveryReport) {
    var records: [Record] = []
    let directory = try StoreDirectory.open(sandbox.store, access: .inspect)
    let (verdict, report) = try LogInspector.check(directory, visit: { records.append(Record($0)) })
    return (verdict, records, report)
}

/// Recovers a store: what was replayed and the report, or the damage. The writer is dropped as by a crash.
func recover(_ sandbox: Sandbox, _ options: JournalOptions) throws -> Result<([Record], RecoveryReport), LogDamage> {
    do {
        let replay = Replay()
        let writer = try openWriter(sandbox, options, replay: replay)
        return .success((replay.records, writer.recovery))
    } catch JournalError.damaged(let damage) {
        return .failure(damage)
    }
}
