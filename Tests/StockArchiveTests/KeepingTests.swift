// What is kept and what goes: backups, and a history that is pruned.

import Glibc
import StockLedger
import StockModel
import Testing

@testable import StockArchive

@Suite("Keeping")
struct KeepingTests {
    @Test("A backup made while folds go on is the state of one sequence, and a server starts from it")
    func backup() throws {
        var shop = RandomShop(seed: 71)
        shop.run(turns: 300)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns.prefix(150) { try archive.fold(turn) }
        _ = try archive.commit()
        let digest = archive.position.digest

        let path = scratch.path + "/copy.sqlite"
        var backup = try Backup(of: scratch.database, to: path, identity: testIdentity)
        var next = 150
        while try !backup.step(pages: 2) {
            guard next < 200 else { continue }
            try archive.fold(shop.turns[next])
            _ = try archive.commit()
            next += 1
        }
        #expect(next > 150)
        #expect(access(path, F_OK) != 0)
        try backup.finish()
        #expect(access(path + "-wal", F_OK) != 0 && access(path + ".tmp", F_OK) != 0)

        var copy = try Archive.open(path, identity: testIdentity)
        #expect(copy.position.digest == digest)
        for turn in shop.turns { try copy.fold(turn) }
        _ = try copy.commit()
        #expect(copy.position.digest == shop.turns.last?.digest)
    }

    @Test("A backup of a damaged database does not get its name, and the one before it stays")
    func damagedBackup() throws {
        var shop = RandomShop(seed: 72)
        shop.run(turns: 100)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns { try archive.fold(turn) }
        _ = try archive.commit()
        let path = scratch.path + "/copy.sqlite"
        _ = try Backup.make(of: scratch.database, to: path, identity: testIdentity)
        try Database(scratch.database, .write).execute("UPDATE sku SET sold = sold + 1 WHERE ordinal = 1")
        let error = thrown { () throws(ArchiveError) in
            _ = try Backup.make(of: scratch.database, to: path, identity: testIdentity)
        }
        guard case .damaged = error else {
            Issue.record("\(String(describing: error)) instead of damage")
            return
        }
        try ArchiveReader(path, identity: testIdentity).verifyDigests()
        #expect(access(path + ".tmp", F_OK) != 0)
    }

    @Test("Of automatic backups the newest two stay")
    func rotation() throws {
        var shop = RandomShop(seed: 73)
        shop.run(turns: 120)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        var made: [UInt64] = []
        for (index, turn) in shop.turns.enumerated() {
            try archive.fold(turn)
            guard index % 20 == 19 else { continue }
            let sequence = try archive.commit().sequence
            let path = scratch.path + "/" + Backup.name(sequence: sequence)
            made.append(try Backup.make(of: scratch.database, to: path, identity: testIdentity))
        }
        #expect(made.count >= 3)
        #expect(try Backup.rotate(in: scratch.path, keep: 2) == Array(made.suffix(2)))
        #expect(access(scratch.path + "/" + Backup.name(sequence: made[0]), F_OK) != 0)
        #expect(access(scratch.database, F_OK) == 0)
    }

    @Test("Pruning takes the history away in slices, never the state, and leaves nothing behind", arguments: 74...77)
    func prune(seed: Int) throws {
        var shop = RandomShop(seed: UInt64(seed))
        shop.run(turns: 400)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for (index, turn) in shop.turns.enumerated() {
            try archive.fold(turn)
            guard index % 40 == 39 else { continue }
            _ = try archive.commit()
            #expect(archive.position.digest == turn.digest)
            while try archive.prune(olderThan: turn.time - 30_000, limit: 7) == 7 {}
        }
        let path = scratch.database
        try ArchiveReader(path, identity: testIdentity).verifyDigests()
        let oldest = try answer("SELECT min(time) FROM entry", in: path).first.flatMap { Int64($0) } ?? 0
        #expect(oldest > RandomShop(seed: 0).time.milliseconds)

        // All of it, after a last fold: then ids are known only by what is remembered.
        _ = try archive.commit()
        while try archive.prune(olderThan: shop.time + 1, limit: 100) == 100 {}
        for table in ["entry", "entry_of_sku", "entry_of_id", "entry_of_buyer"] {
            #expect(try answer("SELECT count(*) FROM \(table)", in: path) == ["0"], "\(table)")
        }
        let (known, remembered) = (
            try answer("SELECT id, number FROM known_id ORDER BY number", in: path),
            try answer("SELECT id, number FROM record ORDER BY number", in: path)
        )
        #expect(known == remembered)
        var ledger = try restored(path)
        #expect(ledger.brokenLaw() == nil)

        // And the last of them: when everything is forgotten, no name is left.
        var events = EventBuffer()
        let end = shop.time + 3_600_000
        let first = shop.ledger.sequence + 1
        while shop.ledger.expire(at: end, limit: 1_000, events: &events) == 1_000 {}
        try archive.fold(payload: events.bytes, firstSequence: first, at: end)
        events.removeAll()
        let forgetting = shop.ledger.sequence + 1
        while shop.ledger.forget(at: end + 3_600_000, limit: 1_000, events: &events) == 1_000 {}
        try archive.fold(payload: events.bytes, firstSequence: forgetting, at: end + 3_600_000)
        _ = try archive.commit()
        #expect(archive.position.digest == shop.ledger.digest())
        #expect(try answer("SELECT count(*) FROM record", in: path) == ["0"])
        #expect(try answer("SELECT count(*) FROM known_id WHERE number < \(first)", in: path) == ["0"])
    }
}
