// Export, history, the offline verdict and the rebuilt database, on stores that a real ledger made.

import Glibc
import StockArchive
import StockInput
import StockModel
import Testing

@testable import StockTools

@Suite("The database in use")
struct StoreTests {
    private static func shop(_ scratch: Scratch) throws -> Shop {
        var shop = try Shop(scratch.store)
        try shop.create("phone", 100, limit: 5)
        try shop.create("a,\"b", 50)
        try shop.sell("o-1", [("phone", 2)], buyer: "ann")
        try shop.hold("o-2", [("a,\"b", 5), ("phone", 1)], buyer: "bob")
        try shop.adjust("a-1", "phone", 3, reason: "restock")
        try shop.giveBack("r-1", of: "o-1", [("phone", 1)])
        try shop.confirm("o-2")
        return shop
    }

    private static func export(
        _ scratch: Scratch, _ table: ExportTable, _ conditions: [String] = [], as format: RowFormat = .csv
    ) throws -> [String] {
        final class Output { var bytes: [UInt8] = [] }
        let output = Output()
        let exporter = try Exporter(table, where: conditions.map { try Condition($0) })
        _ = try exporter.run(on: StoreFiles(scratch.store).read(), as: format) {
            output.bytes += $0
            return true
        }
        return String(decoding: output.bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }

    @Test("SKUs, orders and the ledger are exported as CSV and as JSON")
    func exports() throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        #expect(try Self.export(scratch, .skus) == [
            "sku,onhand,floor,limit,opens,closes,available,held,sold,settled,loaded,paused,ordinal",
            "phone,101,0,5,,,101,0,2,0,103,0,1", "\"a,\"\"b\",45,0,0,,,45,0,5,0,50,0,2",
        ])
        let orders = try Self.export(scratch, .orders, as: .json)
        #expect(orders.count == 3)
        #expect(orders[1].hasPrefix(#"{"id":"o-2","state":"sold","sku":"a,\"b","asked":5,"sold":5,"returned":0,"buyer":"bob","#))
        #expect(try Self.export(scratch, .ledger).count == 1 + 2 + 1 + 2 + 1 + 1 + 2)
    }

    @Test(
        "Conditions choose rows; a value is never SQL",
        arguments: [
            (ExportTable.skus, ["onhand>50"], 1), (.skus, ["onhand>=45", "sold<5"], 1), (.skus, ["sku=phone"], 1),
            (.skus, ["sku!=phone"], 1), (.skus, ["sku=x' OR '1'='1"], 0), (.skus, ["sku=phone' --"], 0),
            (.orders, ["id=o-2"], 2), (.orders, ["state=sold"], 3), (.orders, ["buyer=bob", "sku=phone"], 1),
            (.orders, ["at<2025-11-21T02:00:04"], 1), (.orders, ["state=held"], 0),
            (.ledger, ["sku=phone"], 6), (.ledger, ["order=o-1"], 2), (.ledger, ["id=r-1"], 1), (.ledger, ["id=a-1"], 1),
            (.ledger, ["id=o-2"], 4), (.ledger, ["seq=4"], 2), (.ledger, ["seq>4", "seq<=6"], 2),
            (.ledger, ["kind=confirmed"], 2), (.ledger, ["reason=restock"], 1), (.ledger, ["buyer=ann"], 2),
        ])
    func conditions(table: ExportTable, conditions: [String], rows: Int) throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        #expect(try Self.export(scratch, table, conditions).count == rows + 1)
    }

    @Test("Conditions that make no sense are refused", arguments: ["", "onhand", "=3", "onhand~3", "onhand=x", "color=red", "opens=soon", "1=1"])
    func badConditions(text: String) {
        #expect(throws: ToolError.self) { try Exporter(.skus, where: [Condition(text)]) }
    }

    @Test("The history of a SKU, an order, a return and a buyer: who, when, before and after, why")
    func history() throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        func lines(_ subject: HistorySubject, last: Int? = nil) throws -> [HistoryLine] {
            let reader = HistoryReader(try StoreFiles(scratch.store).read())
            var lines: [HistoryLine] = []
            _ = try reader.forEachLine(about: subject, last: last) {
                lines.append($0)
                return true
            }
            return lines
        }
        let phone = try lines(.sku("phone"))
        #expect(phone.map(\.kind) == ["created", "deducted", "reserved", "adjusted", "returned", "confirmed"])
        #expect(phone.map(\.onhand?.after) == [100, 98, 98, 101, 102, 101])
        #expect(phone[3].reason == "restock" && phone[3].onhand == .init(before: 98, after: 101))
        #expect(phone[2].held == .init(before: 0, after: 1) && phone[2].buyer == "bob")
        #expect(phone[1].time == "2025-11-21T02:00:03.000Z")
        #expect(try lines(.sku("phone"), last: 2).map(\.kind) == ["returned", "confirmed"])
        #expect(try lines(.order("o-1")).map(\.kind) == ["deducted", "returned"])
        #expect(try lines(.order("r-1")).map(\.kind) == ["deducted", "returned"])
        #expect(try lines(.order("a-1")).map(\.kind) == ["adjusted"])
        #expect(try lines(.order("o-2")).count == 4)
        #expect(try lines(.buyer("ann")).map(\.id) == ["o-1", "r-1"])
        #expect(try lines(.buyer("nobody")).isEmpty)
    }

    @Test("A sound store is verified, with or without a database, and the digest is the ledger's")
    func sound() throws {
        let scratch = try Scratch()
        var shop = try Self.shop(scratch)
        // The database may lag behind the log.
        shop.isFolding = false
        try shop.sell("o-9", [("phone", 1)], buyer: "cleo")
        let digest = shop.digest()
        try shop.close()
        let verdict = try StoreCheck(StoreFiles(scratch.store)).run()
        #expect(verdict.problems == [] && verdict.notes == [])
        #expect(verdict.logSequence == 8 && verdict.archiveSequence == 7 && verdict.digest == digest)
        #expect(verdict.skus == 2 && verdict.orders == 3 && verdict.operations == 2)

        for suffix in ["", "-wal", "-shm"] { unlink("\(scratch.store)/archive.sqlite\(suffix)") }
        let alone = try StoreCheck(StoreFiles(scratch.store)).run()
        #expect(alone.isSound && alone.notes.count == 1 && alone.digest == digest && alone.archiveSequence == nil)
    }

    @Test(
        "Whatever a stranger changes in the database is found",
        arguments: [
            "UPDATE sku SET onhand = onhand + 1, loaded = loaded + 1 WHERE ordinal = 1",
            "UPDATE record SET buyer = 'eve' WHERE id = 'o-1'", "DELETE FROM record WHERE id = 'a-1'",
            "UPDATE record_line SET returned = 0", "UPDATE buyer_count SET units = units + 1",
            "UPDATE meta SET value = '6' WHERE key = 'sequence'", "UPDATE meta SET value = '99' WHERE key = 'sequence'",
            "UPDATE meta SET value = '3' WHERE key = 'forgotten_count'", "DROP TABLE record_line",
        ])
    func tampered(sql: String) throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        try Database("\(scratch.store)/archive.sqlite", .write).execute(sql)
        let store = try StoreFiles(scratch.store)
        var isFound = false
        do { isFound = try !StoreCheck(store).run().isSound } catch { isFound = ToolError(error).kind != .tryLater }
        #expect(isFound)
    }

    @Test("A database that is sound in itself and tells another story than the log is found, and so is one that is ahead of it")
    func anotherStory() throws {
        let scratch = try Scratch()
        var shop = try Shop(scratch.store)
        shop.isFolding = false
        try shop.create("phone", 100)
        try shop.close()
        let store = try StoreFiles(scratch.store)
        let words = Words()
        func fold(_ sku: String, _ ordinal: UInt32) throws {
            var archive = try Archive.open(store.archive, identity: store.identity)
            let event = Event.created(ordinal: ordinal, sku: words[sku], onhand: 99, settings: SettingsAfter())
            try archive.fold(event, sequence: UInt64(ordinal), at: Timestamp(milliseconds: 1_763_690_401_000))
            _ = try archive.commit()
        }
        try fold("phone", 1)
        let other = try StoreCheck(store).run()
        #expect(other.problems.count == 1)
        #expect(other.problems.first?.contains("say different things") == true)
        try fold("lamp", 2)
        let ahead = try StoreCheck(store).run()
        #expect(ahead.problems.count == 1)
        #expect(ahead.problems.first?.contains("its end is missing") == true)
    }

    @Test("A flipped byte in the log is found, and nothing is rebuilt from it")
    func damagedLog() throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        let segment = "\(scratch.store)/log/0000000001.seg"
        let file = open(segment, O_RDWR)
        defer { close(file) }
        var byte: UInt8 = 0
        try #require(pread(file, &byte, 1, 4_096 + 300) == 1)
        byte ^= 0x10
        try #require(pwrite(file, &byte, 1, 4_096 + 300) == 1)
        #expect(try !StoreCheck(StoreFiles(scratch.store)).run().isSound)
        let before = Scratch.names(in: scratch.store)
        #expect(throws: ToolError.self) { try ArchiveRebuild(scratch.store, from: nil).run() }
        #expect(Scratch.names(in: scratch.store) == before)
    }

    @Test("A rebuilt database is the one that was lost; what agreed is kept, the old one put aside")
    func rebuild() throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        _ = try reconcile(scratch, against: "phone,101\n", keep: true)
        let before = try Self.export(scratch, .ledger)
        let report = try ArchiveRebuild(scratch.store, from: nil).run()
        #expect(report.sequence == 7 && report.events == 7 && report.keptIn == "\(scratch.store)/archive.sqlite.old")
        #expect(try Self.export(scratch, .ledger) == before)
        #expect(try StoreCheck(StoreFiles(scratch.store)).run().isSound)
        let drift = try reconcile(scratch, against: "phone,99\na,45\n").differences.first { $0.0.sku == "phone" }
        #expect(drift?.1?.agreedAt == 7)
        #expect(try ArchiveRebuild(scratch.store, from: nil).run().keptIn == "\(scratch.store)/archive.sqlite.old.2")
    }

    @Test("From a backup, only the events after it are folded; another store's backup is refused")
    func rebuildFromBackup() throws {
        let scratch = try Scratch()
        var shop = try Self.shop(scratch)
        let store = try StoreFiles(scratch.store)
        let copy = "\(scratch.path)/backup.sqlite"
        #expect(try Backup.make(of: store.archive, to: copy, identity: store.identity) == 7)
        try shop.sell("o-9", [("phone", 1)], buyer: "cleo")
        #expect(throws: (any Error).self, "a server has the directory") {
            try ArchiveRebuild(scratch.store, from: nil).run()
        }
        try shop.close()
        let before = try Self.export(scratch, .ledger)
        unlink("\(scratch.store)/archive.sqlite")
        let report = try ArchiveRebuild(scratch.store, from: copy).run()
        #expect(report == RebuildReport(from: 7, sequence: 8, events: 1))
        #expect(try Self.export(scratch, .ledger) == before)

        let other = try Scratch()
        try Self.shop(other).close()
        #expect(throws: (any Error).self) { try ArchiveRebuild(other.store, from: copy).run() }
        #expect(try StoreCheck(StoreFiles(other.store)).run().isSound)
        #expect(throws: (any Error).self) { try ArchiveRebuild("\(scratch.path)/nowhere", from: nil).run() }
        #expect(!Scratch.names(in: scratch.path).contains("nowhere"))
    }
}
