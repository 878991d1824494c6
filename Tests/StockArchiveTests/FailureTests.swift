// What may go wrong: the process dies in the middle of a fold, events come twice or not at all, a stranger holds the
// lock, the file is not what was written.

import CSQLite
import Glibc
import SeededRandom
import StockJournal
import StockLedger
import StockModel
import Testing

@testable import StockArchive

/// An archive of a random shop, committed.
private func filledArchive(_ scratch: Scratch, seed: UInt64, turns: Int = 250) throws -> RandomShop {
    var shop = RandomShop(seed: seed)
    shop.run(turns: turns)
    var archive = try Archive.open(scratch.database, identity: testIdentity)
    for turn in shop.turns { try archive.fold(turn) }
    _ = try archive.commit()
    return shop
}

/// Whether the rows are refused, both by the recount and by a restart.
private func isRefused(_ path: String) -> Bool {
    func fails(_ body: () throws -> Void) -> Bool {
        do { try body() } catch { return true }
        return false
    }
    let recount = fails { try ArchiveReader(path, identity: testIdentity).verifyDigests() }
    let restart = fails { _ = try restored(path) }
    return recount && restart
}

@Suite("Failures")
struct FailureTests {
    @Test("A fold that is cut off leaves the last commit, and folding goes on from there", arguments: 51...56)
    func cutOff(seed: Int) throws {
        var shop = RandomShop(seed: UInt64(seed))
        shop.run(turns: 250)
        let scratch = Scratch()
        var random = SeededGenerator(seed: UInt64(seed))
        var next = 0
        while next < shop.turns.count {
            // Each round is a process: it opens, folds, commits here and there, and dies without a word.
            var archive = try Archive.open(scratch.database, identity: testIdentity)
            let start = archive.position.sequence
            next = shop.turns.firstIndex { $0.first > start } ?? shop.turns.count
            for turn in shop.turns[next...].prefix(random.below(60)) {
                try archive.fold(turn)
                if random.chance(10) {
                    _ = try archive.commit()
                    #expect(archive.position.digest == turn.digest)
                }
            }
            if random.chance(50) { archive.rollback() }
            let digest = try ArchiveReader(scratch.database, identity: testIdentity).position.digest
            #expect(digest == archive.position.digest)
        }
        try ArchiveReader(scratch.database, identity: testIdentity).verifyDigests()
    }

    @Test("After a rollback the same archive folds the same events again")
    func rollback() throws {
        var shop = RandomShop(seed: 57)
        shop.run(turns: 120)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns.prefix(50) { try archive.fold(turn) }
        _ = try archive.commit()
        for turn in shop.turns[50..<90] { try archive.fold(turn) }
        archive.rollback()
        #expect(archive.pendingEvents == 0)
        for turn in shop.turns[50...] { try archive.fold(turn) }
        _ = try archive.commit()
        #expect(archive.position.digest == shop.turns.last?.digest)
    }

    @Test("Events that are folded already are skipped, however often they come")
    func twice() throws {
        let scratch = Scratch()
        let shop = try filledArchive(scratch, seed: 58, turns: 100)
        let before = try rows(of: "entry", in: scratch.database)
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns { try archive.fold(turn) }
        #expect(archive.pendingEvents == 0)
        _ = try archive.commit()
        #expect(try rows(of: "entry", in: scratch.database) == before)
        #expect(archive.position.digest == shop.turns.last?.digest)
    }

    @Test("A gap is refused and changes nothing")
    func gap() throws {
        var shop = RandomShop(seed: 59)
        shop.run(turns: 40)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns.prefix(10) { try archive.fold(turn) }
        let (expected, found) = (shop.turns[10].first, shop.turns[11].first)
        let error = thrown { () throws(ArchiveError) in try archive.fold(shop.turns[11]) }
        #expect(error == .gap(expected: expected, found: found))
        for turn in shop.turns[10...] { try archive.fold(turn) }
        _ = try archive.commit()
        #expect(archive.position.digest == shop.turns.last?.digest)
    }

    @Test("An event that does not fit the rows is refused, and the fold is rolled back")
    func misfit() throws {
        var shop = RandomShop(seed: 60)
        var other = RandomShop(seed: 61)
        shop.run(turns: 60)
        other.run(turns: 120)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns { try archive.fold(turn) }
        _ = try archive.commit()
        let position = archive.position
        // The log of another shop goes on at the same sequence, with other counters.
        var refused = false
        for turn in other.turns where turn.last > position.sequence && !refused {
            if case .misfit = thrown({ () throws(ArchiveError) in try archive.fold(turn) }) { refused = true }
        }
        #expect(refused)
        #expect(archive.position == position)
        try ArchiveReader(scratch.database, identity: testIdentity).verifyDigests()
    }

    @Test("A stranger's lock is a typed error, nothing is lost, and the next try succeeds")
    func locked() throws {
        var shop = RandomShop(seed: 62)
        shop.run(turns: 40)
        let scratch = Scratch()
        var options = ArchiveOptions()
        options.patience = 0
        var archive = try Archive.open(scratch.database, identity: testIdentity, options: options)
        let stranger = try Database(scratch.database, .write)
        try stranger.execute("BEGIN IMMEDIATE")
        let error = thrown { () throws(ArchiveError) in try archive.fold(shop.turns[0]) }
        #expect(error == .busy(path: scratch.database))
        try stranger.execute("COMMIT")
        for turn in shop.turns { try archive.fold(turn) }
        _ = try archive.commit()
        #expect(archive.position.digest == shop.turns.last?.digest)
    }

    @Test("A reader keeps its moment while folds go on, and the write-ahead log shrinks when it is gone")
    func readerBeside() throws {
        var shop = RandomShop(seed: 63)
        shop.run(turns: 300)
        let scratch = Scratch()
        var options = ArchiveOptions()
        options.foldRows = 200
        options.checkpointBytes = 0
        var archive = try Archive.open(scratch.database, identity: testIdentity, options: options)
        for turn in shop.turns.prefix(20) { try archive.fold(turn) }
        _ = try archive.commit()
        let seen = archive.position
        do {
            let reader = try ArchiveReader(scratch.database, identity: testIdentity)
            for turn in shop.turns[20..<150] { try archive.fold(turn) }
            _ = try archive.commit()
            #expect(reader.position == seen)
            try reader.verifyDigests()
        }
        let pinned = try archive.commit().logBytes
        for turn in shop.turns[150...] {
            try archive.fold(turn)
            _ = try archive.commit()
        }
        #expect(try archive.commit().logBytes < pinned)
    }

    @Test("A write-ahead log is copied into the database when it has become long, and begins anew")
    func checkpoints() throws {
        var shop = RandomShop(seed: 66)
        shop.run(turns: 300)
        let scratch = Scratch()
        var options = ArchiveOptions()
        options.checkpointBytes = 1 << 20
        var archive = try Archive.open(scratch.database, identity: testIdentity, options: options)
        let empty = try bytes(of: scratch.database).count
        var longest = 0
        var shortened = 0
        var before = 0
        for turn in shop.turns {
            try archive.fold(turn)
            let length = try archive.commit().logBytes
            longest = max(longest, length)
            // Until the first checkpoint nothing is in the file but the empty tables.
            if longest < options.checkpointBytes { #expect(try bytes(of: scratch.database).count == empty) }
            if length < before { shortened += 1 }
            before = length
        }
        #expect(shortened >= 1)
        #expect(longest < options.checkpointBytes + (1 << 20))
        #expect(archive.position.digest == shop.turns.last?.digest)
    }

    @Test("A reader that never ends stops the folding before the write-ahead log grows without bound")
    func pinned() throws {
        var shop = RandomShop(seed: 64)
        shop.run(turns: 200)
        let scratch = Scratch()
        var options = ArchiveOptions()
        options.patience = 0
        options.logBytes = 1 << 20
        var archive = try Archive.open(scratch.database, identity: testIdentity, options: options)
        var busy = false
        do {
            let reader = try ArchiveReader(scratch.database, identity: testIdentity)
            for turn in shop.turns where !busy {
                if thrown({ () throws(ArchiveError) in try archive.fold(turn) }) == .busy(path: scratch.database) {
                    busy = true
                }
                _ = try archive.commit()
            }
            #expect(reader.position.sequence == 0)
        }
        #expect(busy)
        for turn in shop.turns { try archive.fold(turn) }
        _ = try archive.commit()
        #expect(archive.position.digest == shop.turns.last?.digest)
    }

    // MARK: Damage

    @Test(
        "A row that was changed, taken away or added shows",
        arguments: [
            "UPDATE sku SET onhand = onhand + 1 WHERE ordinal = 3", "DELETE FROM sku WHERE ordinal = 2",
            "UPDATE record SET state = 3 WHERE number = (SELECT max(number) FROM record WHERE state = 2)",
            "UPDATE record SET buyer = 'eve' WHERE number = (SELECT max(number) FROM record WHERE buyer IS NOT NULL)",
            "DELETE FROM record WHERE number = (SELECT max(number) FROM record)",
            "DELETE FROM record_line WHERE place = (SELECT max(place) FROM record_line)",
            "UPDATE record_line SET asked = asked + 1 WHERE place = (SELECT max(place) FROM record_line)",
            "INSERT INTO record_line VALUES (5, 1, 1, 0, 0)",
            "UPDATE buyer_count SET units = units + 1 WHERE sku = (SELECT max(sku) FROM buyer_count)",
            "DELETE FROM buyer_count",
            "UPDATE meta SET value = '1' WHERE key = 'digest'", "DELETE FROM meta WHERE key = 'clock'",
        ])
    func tampered(change: String) throws {
        let scratch = Scratch()
        _ = try filledArchive(scratch, seed: 65)
        let stranger = try Database(scratch.database, .write)
        try stranger.execute(change)
        #expect(stranger.changes > 0)
        #expect(isRefused(scratch.database))
    }

    @Test("A broken page is refused as damage")
    func brokenPage() throws {
        let scratch = Scratch()
        _ = try filledArchive(scratch, seed: 66)
        // Every page but the first: its bytes are turned over.
        let file = Glibc.open(scratch.database, O_RDWR)
        let size = lseek(file, 0, SEEK_END)
        let noise = [UInt8](repeating: 0xA7, count: 512)
        for page in 1..<(size / 4_096) { _ = noise.withUnsafeBytes { pwrite(file, $0.baseAddress, 512, page * 4_096) } }
        _ = Glibc.close(file)
        let error = thrown { () throws(ArchiveError) in
            let reader = try ArchiveReader(scratch.database, identity: testIdentity)
            try reader.verifyDigests()
        }
        guard case .damaged(_, let problem) = error else {
            Issue.record("\(String(describing: error)) instead of damage")
            return
        }
        #expect(!problem.isEmpty)
    }

    @Test("Another store's archive, another program's file and a later format are told apart")
    func foreign() throws {
        let scratch = Scratch()
        _ = try filledArchive(scratch, seed: 67, turns: 20)
        let path = scratch.database
        let other = StoreIdentity(store: 5, hashKey: testIdentity.hashKey)
        let stranger = thrown { () throws(ArchiveError) in _ = try ArchiveReader(path, identity: other) }
        #expect(stranger == .foreign(path: path, problem: "it belongs to another store than the log"))
        let otherKey = StoreIdentity(store: testIdentity.store, hashKey: HashKey(k0: 1, k1: 1))
        let mixed = thrown { () throws(ArchiveError) in _ = try Archive.open(path, identity: otherKey) }
        #expect(mixed == .damaged(path: path, problem: "its hash key is not that of the log"))
        try Database(path, .write).execute("PRAGMA user_version = 3")
        let newer = thrown { () throws(ArchiveError) in _ = try Archive.open(path, identity: testIdentity) }
        #expect(newer == .newerFormat(path: path, found: 3, known: 2))
        let elsewhere = scratch.path + "/shop.sqlite"
        try Database(elsewhere, .create).execute("CREATE TABLE products (name TEXT)")
        let shops = thrown { () throws(ArchiveError) in _ = try Archive.open(elsewhere, identity: testIdentity) }
        #expect(shops == .foreign(path: elsewhere, problem: "it is another program's database"))
        let none = scratch.path + "/none"
        let nothing = thrown { () throws(ArchiveError) in _ = try ArchiveReader(none, identity: testIdentity) }
        #expect(nothing == .missing(path: none))
    }

    @Test("A file in which a power cut left nothing is a database that is missing, and is begun anew")
    func blank() throws {
        let scratch = Scratch()
        let path = scratch.database
        try Database(path, .create).execute("PRAGMA journal_mode = WAL")
        let problem = thrown { () throws(ArchiveError) in _ = try ArchiveReader(path, identity: testIdentity) }
        #expect(problem == .missing(path: path))
        _ = try Archive.open(path, identity: testIdentity)
        #expect(try ArchiveReader(path, identity: testIdentity).position.sequence == 0)
    }

    @Test("A database of format 1 is read as it is; who writes gives every agreement its counter")
    func formatOne() throws {
        let scratch = Scratch()
        let shop = try filledArchive(scratch, seed: 68, turns: 60)
        let path = scratch.database
        try Database(path, .write).execute(
            """
            DROP TABLE agreement; ALTER TABLE reconciliation DROP COLUMN counter;
            CREATE TABLE agreement (
                sku INTEGER PRIMARY KEY, run INTEGER NOT NULL, sequence INTEGER NOT NULL, units INTEGER NOT NULL);
            INSERT INTO reconciliation VALUES (7, 1, 9, 'onhand of the shop.csv', 2, 2, 0, 0, 0),
                (8, 2, 12, 'sold shop.csv', 1, 1, 0, 0, 0);
            INSERT INTO agreement VALUES (1, 7, 9, 5), (2, 8, 12, 3); PRAGMA user_version = 1
            """)
        #expect(try restored(path).sequence == shop.ledger.sequence)
        _ = try Archive.open(path, identity: testIdentity)
        let database = try Database(path, .read)
        #expect(try database.integer("PRAGMA user_version") == 2)
        for (sql, wanted) in [
            ("SELECT source || ':' || counter FROM reconciliation WHERE run = 7", "of the shop.csv:onhand"),
            ("SELECT source || ':' || counter FROM reconciliation WHERE run = 8", "shop.csv:sold"),
            ("SELECT group_concat(counter || sku || ':' || sequence) FROM agreement", "onhand1:9,sold2:12"),
        ] {
            let statement = try database.prepare(sql)
            #expect(try statement.step() && statement.text(0) == wanted, "\(sql): \(statement.text(0))")
        }
    }

    @Test("The database and what SQLite puts beside it are for the owner's eyes only")
    func mode() throws {
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        var shop = RandomShop(seed: 68)
        shop.run(turns: 10)
        for turn in shop.turns { try archive.fold(turn) }
        for suffix in ["", "-wal", "-shm"] {
            var status = stat()
            #expect(stat(scratch.database + suffix, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
        _ = try archive.commit()
    }
}

/// The error that `body` throws, `nil` if none.
func thrown(_ body: () throws(ArchiveError) -> Void) -> ArchiveError? {
    do throws(ArchiveError) {
        try body()
        return nil
    } catch {
        return error
    }
}
