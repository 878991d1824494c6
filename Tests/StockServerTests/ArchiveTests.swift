// SNAPSHOT and VERIFY as the loop sees them, a turn at a time: who waits, who does not, and in which order all are
// answered. The archivist is a real one, on its own thread, with a real database.

import CLinux
import StockArchive
import StockLedger
import StockModel
import Synchronization
import Testing

@testable import StockJournal
@testable import StockServer

@Suite("The loop and the archivist", .timeLimit(.minutes(2)))
struct ArchiveTests {
    private func server(_ sandbox: Sandbox, _ configure: (inout ServerConfiguration) -> Void = { _ in }) throws -> Server {
        try sandbox.server {
            $0.snapshotInterval = 0
            $0.snapshotBytes = 0
            configure(&$0)
        }
    }

    @Test("who asked for a snapshot waits for it, and what it sent behind waits too; nobody else does")
    func order() throws {
        let sandbox = try Sandbox()
        var server = try server(sandbox)
        let client = try TestClient(to: server)
        let other = try TestClient(to: server)
        client.send("CREATE phone 3\nSNAPSHOT\n")
        server.turn(until: { _ in client.lineCount == 2 })
        #expect(client.lines[1].hasPrefix("+SNAPSHOT seq=1 skus=1 orders=0 ms="))

        // Held up by a stranger's lock, for less than the archivist's patience.
        let stranger = try Database("\(sandbox.path)/store/archive.sqlite", .write)
        try stranger.execute("BEGIN IMMEDIATE")
        client.send("DEDUCT o-1 phone 1\nSNAPSHOT\nDEDUCT o-2 phone 1\nPING\n")
        server.turn(until: { _ in client.lineCount == 3 })
        other.send("GET phone\nDEDUCT o-3 phone 1\n")
        server.turn(until: { _ in other.lineCount == 2 })
        #expect(other.lines[0].hasPrefix("+STOCK phone available=2"))
        #expect(client.lineCount == 3)
        try stranger.execute("ROLLBACK")
        server.turn(until: { _ in client.lineCount == 6 })
        #expect(client.lines[3].hasPrefix("+SNAPSHOT seq=2 skus=1 orders=1 ms="))
        #expect(client.lines[4] == "+SOLD o-2 seq=4 available=0")
        #expect(client.lines[5] == "+PONG")
    }

    @Test("a snapshot has everything that was accepted before it was asked for, also when one is under way")
    func rounds() throws {
        let sandbox = try Sandbox()
        var server = try server(sandbox)
        let first = try TestClient(to: server)
        let second = try TestClient(to: server)
        first.send("CREATE phone 30\nSNAPSHOT\n")
        server.turn(until: { $0.archive.round != nil })
        second.send("DEDUCT o-1 phone 1\nSNAPSHOT\n")
        server.turn(until: { _ in first.lineCount == 2 && second.lineCount == 2 })
        #expect(first.lines[1].hasPrefix("+SNAPSHOT seq=1 "))
        #expect(second.lines[1].hasPrefix("+SNAPSHOT seq=2 "))
        let rounds = server.archive.rounds
        #expect(rounds == 2)
    }

    @Test("a client that goes while it waits leaves nothing behind")
    func gone() throws {
        let sandbox = try Sandbox()
        var server = try server(sandbox)
        let client = try TestClient(to: server)
        let other = try TestClient(to: server)
        client.send("CREATE phone 3\nSNAPSHOT\nVERIFY\n")
        server.turn(until: { $0.archive.round != nil })
        client.close()
        other.send("VERIFY\nSNAPSHOT\n")
        server.turn(until: { _ in other.lineCount == 2 })
        #expect(other.lines[0].hasPrefix("+VERIFIED seq=1 skus=1 orders=0 digest="))
        #expect(other.lines[1].hasPrefix("+SNAPSHOT seq=1 "))
        let isEmpty = server.archive.waiting.isEmpty && server.archive.verification.waiting.isEmpty
        #expect(isEmpty)
    }

    @Test("a server that stops does not keep waiting those who asked, and folds what there is")
    func stopping() throws {
        let sandbox = try Sandbox()
        var server = try server(sandbox)
        let client = try TestClient(to: server)
        let other = try TestClient(to: server)
        client.send("CREATE phone 3\n")
        server.turn(until: { _ in client.lineCount == 1 })
        // The archivist cannot begin: it would have to make the database here.
        client.send("SNAPSHOT\n")
        server.turn(until: { !$0.archive.waiting.isEmpty })
        other.send("SHUTDOWN\n")
        let status = server.run()
        #expect(status == .clean)
        #expect(client.lines.count == 2)
        #expect(client.lines[1] == "-BUSY the server stops" || client.lines[1].hasPrefix("+SNAPSHOT seq=1"))
        #expect(other.lines == ["+BYE"])
        let directory = try StoreDirectory.open("\(sandbox.path)/store", access: .inspect)
        let reader = try ArchiveReader("\(sandbox.path)/store/archive.sqlite", identity: directory.identity)
        #expect(reader.position.sequence == 1)
    }

    @Test("snapshots come by the clock and by bytes of log, without being asked for", arguments: [true, false])
    func triggers(byClock: Bool) throws {
        let sandbox = try Sandbox()
        var server = try server(sandbox) {
            if byClock { $0.snapshotInterval = 1 } else { $0.snapshotBytes = 4_000 }
        }
        let client = try TestClient(to: server)
        client.send("CREATE phone 1000\n")
        var count = 0
        server.turn(until: { server in
            // Then turns wait a little, so that the archivist's thread has its time.
            if count < 400 { client.send("DEDUCT o-\(count) phone 1\n") }
            count += 1
            return server.archive.foldedSequence > 100
        })
        let folded = server.archive.foldedSequence
        #expect(folded > 100)
    }

    @Test("an archivist whose backup has every event rests, however long ago that was; one that has news does not wait")
    func rest() throws {
        let sandbox = try Sandbox()
        var server = try server(sandbox) { $0.backupInterval = 0 }
        let client = try TestClient(to: server)
        client.send("CREATE phone 3\nSNAPSHOT\n")
        server.turn(until: { _ in client.lineCount == 2 })

        // Another archivist of the same store, without a thread: its days are made by hand.
        var configuration = ServerConfiguration()
        configuration.backupInterval = 1
        var work = ArchivistWork(
            directory: server.store.directory, options: ArchivistOptions(configuration), mail: try ArchiveMail())
        work.archive = try Archive.open(work.archivePath, identity: server.store.directory.identity)
        work.backupAt = 0
        work.backupSequence = 1
        work.keepHouse()
        let now = clinux_monotonic_ns()
        var hasBackup = work.backup != nil
        #expect(!hasBackup)
        #expect(work.tidyAt > now)

        work.backupSequence = 0
        work.tidyAt = 0
        work.keepHouse()
        hasBackup = work.backup != nil
        #expect(hasBackup)
    }

    @Test("the archivist pauses after a stretch of work, and not before")
    func breath() {
        let start = clinux_monotonic_ns()
        let asked = AskedMoment()
        let breath = Breath(unless: { asked.note() })
        while asked.moment == nil { breath.take() }
        let moment = asked.moment ?? 0
        #expect(moment &- start >= ArchiveLimits.stretch)
    }

    @Test("a law that does not hold in memory is found while sales go on, and named")
    func brokenLaw() throws {
        let sandbox = try Sandbox()
        var server = try server(sandbox)
        let client = try TestClient(to: server)
        client.send("CREATE phone 1000\nRESERVE o-1 1h phone 2\nVERIFY\n")
        server.turn(until: { _ in client.lineCount == 3 })
        #expect(client.lines[2].hasPrefix("+VERIFIED seq=2 skus=1 orders=1 digest="))
        // Memory that goes wrong is a ledger that was made from other rows: two units held, by an order of three.
        server.store.ledger = try Self.contradictory(hashKey: server.store.directory.identity.hashKey)
        client.send("VERIFY\nPING\n")
        server.turn(until: { _ in client.lineCount == 5 })
        #expect(client.lines[3] == "-CORRUPT memory sku=phone held=2 its-open-orders=0")
        #expect(client.lines[4] == "+PONG")
    }

    /// Stands at event 2, with a SKU that holds units for no order.
    private static func contradictory(hashKey: HashKey) throws -> Ledger {
        var restorer = LedgerRestorer(hashKey: hashKey)
        var digest: UInt64 = 0
        try withToken("phone") { key in
            let row = SKURow(
                ordinal: 1, key: key, onhand: 1_000, held: 2, sold: 0, settled: 0, loaded: 1_000,
                settings: SettingsAfter(), isDropped: false)
            try restorer.add(row)
            var hasher = ItemHasher(.ledger)
            hasher.combineLedger(
                newestOrdinal: 1, forgottenBy: Timestamp(milliseconds: -1), forgottenCount: 0)
            digest = row.digest &+ hasher.finish()
        }
        return try restorer.finish(
            LedgerRow(
                sequence: 2, clock: Timestamp(milliseconds: 1), forgottenBy: Timestamp(milliseconds: -1),
                forgottenCount: 0, digest: digest))
    }

    private static func withToken(_ text: String, _ body: (Token) throws -> Void) rethrows {
        try Array(text.utf8).withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { try body(Token(base: base, count: bytes.count)) }
        }
    }
}

/// When somebody asked for the first time.
private final class AskedMoment: Sendable {
    private let first = Mutex<Int64?>(nil)

    var moment: Int64? { first.withLock { $0 } }

    func note() -> Bool {
        first.withLock { $0 = $0 ?? clinux_monotonic_ns() }
        return false
    }
}
