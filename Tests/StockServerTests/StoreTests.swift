// A store opened, written to and opened again: what was there is there, in the same state; and each reason for which
// there is no store to serve from has its error, its text and its exit status.

import Glibc
import StockJournal
import StockLedger
import StockModel
import Testing

@testable import StockServer

/// A new directory that is removed with its last user.
private final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/stockade-store-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        removeAll(path)
    }

    private func removeAll(_ path: String) {
        if let folder = opendir(path) {
            var names: [String] = []
            while let entry = readdir(folder) {
                names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
            }
            closedir(folder)
            for name in names where name != "." && name != ".." { removeAll("\(path)/\(name)") }
        }
        remove(path)
    }
}

private func token(_ text: StaticString) -> Token {
    Token(base: text.utf8Start, count: text.utf8CodeUnitCount)
}

/// Some moment of the year 2026.
private let noon: Int64 = 1_795_246_428_123

private func reading(_ milliseconds: Int64) -> () -> ClockReading {
    { ClockReading(boot: 0, wall: milliseconds * 1_000_000) }
}

private func open(_ directory: TemporaryDirectory, at wall: Int64 = noon) throws -> Store {
    var configuration = ServerConfiguration()
    configuration.directory = directory.path + "/store"
    configuration.segmentSize = 128 << 10
    return try Store(opening: configuration, reading: reading(wall))
}

extension Store {
    /// Decides one command and writes its events, as a turn of the loop does.
    fileprivate mutating func run(_ command: Command, at time: Int64 = noon) -> Outcome {
        var events = EventBuffer(headroom: Frame.headerSize, tailroom: Frame.maximumTrailerSize)
        let outcome = ledger.execute(
            command, at: Timestamp(milliseconds: time), admission: .open, events: &events)
        write(&events, time: time)
        return outcome
    }

    fileprivate mutating func write(_ events: inout EventBuffer, time: Int64 = noon) {
        let result = journal.append(
            buffer: events.base, payloadCount: events.count, firstSequence: journal.writtenSequence + 1,
            eventCount: UInt32(events.eventCount), time: time)
        #expect(result == .written)
    }
}

/// A store in which a phone was created and one of it deducted.
private func smallStore(_ directory: TemporaryDirectory) throws -> UInt64 {
    var store = try open(directory)
    #expect(store.recovery.report.isNew)
    _ = store.run(.create(sku: token("phone"), onhand: 3, settings: StockSettings()))
    let line = OrderLine(sku: token("phone"), quantity: 1)
    withUnsafePointer(to: line) { start in
        NewOrder.with(id: token("o-1"), lines: OrderLines(start: start, count: 1), buyer: token("ann")) {
            _ = store.run(.deduct($0))
        }
    }
    let digest = store.ledger.digest()
    #expect(store.ledger.sequence == 2)
    try store.close()
    return digest
}

@Suite("A store")
struct StoreTests {
    @Test("is found again as it was left")
    func reopened() throws {
        let directory = try TemporaryDirectory()
        let digest = try smallStore(directory)
        var store = try open(directory)
        #expect(store.ledger.sequence == 2)
        #expect(store.ledger.digest() == digest)
        #expect(store.recovery.report.events == 2)
        #expect(store.recovery.report.wasClean)
        #expect(store.recovery.report.cut == nil)
        try store.close()
    }

    @Test("is made with a mode that keeps others out")
    func mode() throws {
        let directory = try TemporaryDirectory()
        _ = try smallStore(directory)
        var status = stat()
        #expect(stat(directory.path + "/store", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
    }

    @Test("goes on at the log's time when the clock is a little behind")
    func clockBehind() throws {
        let directory = try TemporaryDirectory()
        _ = try smallStore(directory)
        var store = try open(directory, at: noon - 4_000)
        #expect(store.clock.lead == 4_000)
        #expect(store.clock.advance(to: reading(noon - 4_000)()).milliseconds == noon)
        try store.close()
    }

    @Test("is refused with status 75 when the clock is not to be believed, and is unharmed", arguments: [-11_000, 40 * 86_400_000])
    func clockRefused(by difference: Int64) throws {
        let directory = try TemporaryDirectory()
        let digest = try smallStore(directory)
        let error = refusal { try open(directory, at: noon + difference) }
        guard case .clock = error else {
            Issue.record("expected a refused clock, got \(error as Any)")
            return
        }
        #expect(error?.exitCode == 75)
        var store = try open(directory)
        #expect(store.ledger.digest() == digest)
        try store.close()
    }

    @Test("is refused with status 75 while another server has it")
    func locked() throws {
        let directory = try TemporaryDirectory()
        let store = try open(directory)
        let error = refusal { try open(directory) }
        #expect(error?.exitCode == 75)
        #expect(error?.description.contains("in use") == true)
        try store.close()
    }

    @Test("is refused with status 73 where no directory can be made")
    func notADirectory() throws {
        let directory = try TemporaryDirectory()
        let file = creat(directory.path + "/store", 0o600)
        #expect(file >= 0)
        Glibc.close(file)
        #expect(refusal { try open(directory) }?.exitCode == 73)
    }

    @Test("is refused with status 78 when an event does not follow from those before it")
    func contradiction() throws {
        let directory = try TemporaryDirectory()
        var store = try open(directory)
        var events = EventBuffer(headroom: Frame.headerSize, tailroom: Frame.maximumTrailerSize)
        events.append(.dropped(ordinal: 77))
        store.write(&events)
        try store.close()
        let error = refusal { try open(directory) }
        guard case .inconsistent(_, sequence: 1, _) = error else {
            Issue.record("expected a contradiction at event 1, got \(error as Any)")
            return
        }
        #expect(error?.exitCode == 78)
    }

    @Test("is refused with status 78 when a frame holds fewer events than it counts, or bytes that are none")
    func miscounted() throws {
        for isGarbage in [false, true] {
            let directory = try TemporaryDirectory()
            var store = try open(directory)
            var events = EventBuffer(headroom: Frame.headerSize, tailroom: Frame.maximumTrailerSize)
            events.append(.created(ordinal: 1, sku: token("phone"), onhand: 3, settings: SettingsAfter()))
            if isGarbage { (events.base + Frame.headerSize).storeBytes(of: 0xFF, toByteOffset: 2, as: UInt8.self) }
            let result = store.journal.append(
                buffer: events.base, payloadCount: events.count, firstSequence: 1, eventCount: 2, time: noon)
            #expect(result == .written)
            try store.close()
            #expect(refusal { try open(directory) }?.exitCode == 78)
        }
    }

    @Test("is cut at a torn end, with the bytes kept")
    func torn() throws {
        let directory = try TemporaryDirectory()
        var store = try open(directory)
        _ = store.run(.create(sku: token("phone"), onhand: 3, settings: StockSettings()))
        let digest = store.ledger.digest()
        _ = store.run(.create(sku: token("shoe"), onhand: 3, settings: StockSettings()))
        // Not closed: the log ends as after a crash. The last frame then loses its end.
        let path = directory.path + "/store/log/0000000001.seg"
        abandon(store)
        let end = try endOfData(path)
        #expect(truncate(path, end - 3) == 0)

        var again = try open(directory)
        #expect(again.ledger.sequence == 1)
        #expect(again.ledger.digest() == digest)
        #expect(again.recovery.report.cut?.sequence == 2)
        #expect(again.recovery.report.cut?.keptIn.isEmpty == false)
        try again.close()
    }

    private func abandon(_ store: consuming Store) {}

    /// Where the last byte that is not zero ends.
    private func endOfData(_ path: String) throws -> Int {
        let file = Glibc.open(path, O_RDONLY)
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 128 << 10)
        let count = read(file, &bytes, bytes.count)
        return try #require(bytes.prefix(max(0, count)).lastIndex { $0 != 0 }) + 1
    }

    /// The error of an opening that must fail.
    private func refusal(_ open: () throws -> Store) -> StoreError? {
        do {
            let store = try open()
            Issue.record("the store was opened")
            try? store.close()
            return nil
        } catch {
            return error as? StoreError
        }
    }
}
