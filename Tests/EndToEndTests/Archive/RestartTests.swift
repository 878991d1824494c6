// Where a start gets its state from: the database and the log after it, the log alone, a backup; and when it refuses.

import Foundation
import StockArchive
import StockConnection
import Testing

extension EndToEnd {
    @Suite("A start from the database")
    struct RestartTests {
        @Test("The database and the log after it are all that there was, and only the log after it is read")
        func snapshotAndLog() throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            var shop = try Self.openedShop(data)
            try shop.sell(300, "first")
            try shop.expect("SNAPSHOT", "SNAPSHOT")
            try shop.sell(20, "then")
            let digest = try Self.digest(shop)
            try shop.server.kill()

            shop = try ArchiveShop(data)
            #expect(try Self.digest(shop) == digest)
            #expect(try shop.figure("restored_seq") == "301")
            #expect(try shop.connection.request("STATS server").items.contains { $0.text == "+recovered_events=20" })
            #expect(try shop.expect("SOLD", "DEDUCT first-7 phone 1 buyer=b0").isReplay)
            try shop.expect("VERIFIED", "VERIFY")
            #expect(try shop.server.terminate() == .exited(0))

            // An orderly end leaves nothing to replay.
            shop = try ArchiveShop(data)
            #expect(try shop.connection.request("STATS server").items.contains { $0.text == "+recovered_events=0" })
            #expect(try Self.digest(shop) == digest)
        }

        @Test("A database that is missing or damaged is made again while the whole log is there, and that is said",
            arguments: ["missing", "garbage", "flipped", "row"])
        func rebuilt(how: String) throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            var shop = try Self.openedShop(data)
            try shop.sell(300, "o")
            let digest = try Self.digest(shop)
            #expect(try shop.server.terminate() == .exited(0))
            try Self.spoil(data, how)

            shop = try ArchiveShop(data)
            #expect(shop.server.stderr.contains("made again from the whole log"), "\(shop.server.stderr)")
            #expect(try Self.digest(shop) == digest)
            try shop.expect("VERIFIED", "VERIFY")
            let kept = try LogFiles.files(in: data) { $0.hasSuffix(".sqlite.damaged") }
            #expect(kept.count == (how == "missing" ? 0 : 1), "a damaged database must be kept")
            #expect(try shop.server.terminate() == .exited(0))
            #expect(try Digests(data).areRight)
        }

        @Test("When the log was shortened, a database that cannot be used stops the start and names the way out",
            arguments: ["missing", "garbage", "flipped", "row"])
        func refused(how: String) throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            let digest = try Self.shortened(data)
            let aside = directory.appending("aside")
            try FileManager.default.copyItem(atPath: data, toPath: aside)
            try Self.spoil(data, how)
            let before = try LogFiles.files(in: data) { _ in true }
            let refusal = try ServerProcess.refusal(directory: data)
            #expect(refusal.status == .exited(78), "\(refusal)")
            #expect(refusal.stderr.contains("stockade rebuild"), "\(refusal)")
            let now = try LogFiles.files(in: data) { _ in true }
            #expect(now.filter { !$0.hasSuffix("-shm") && !$0.hasSuffix("-wal") } == before.filter { !$0.hasSuffix("-shm") && !$0.hasSuffix("-wal") })

            // The way out by hand, as the message has it: a backup and the segments after it.
            for file in try LogFiles.files(in: data, where: { $0.hasPrefix("archive.sqlite") }) {
                try FileManager.default.removeItem(atPath: file)
            }
            let backup = try #require(try LogFiles.files(in: data) { $0.hasPrefix("backup/backup-") }.last)
            try FileManager.default.copyItem(atPath: backup, toPath: ArchiveShop.database(in: data))
            let shop = try ArchiveShop(data)
            #expect(try Self.digest(shop) == digest)
            try shop.expect("VERIFIED", "VERIFY")
        }

        @Test("A backup alone, in an empty directory, is a store to start from")
        func backupAlone() throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            _ = try Self.shortened(data)
            let backup = try #require(try LogFiles.files(in: data) { $0.hasPrefix("backup/backup-") }.last)
            let other = directory.appending("other")
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
            try FileManager.default.copyItem(atPath: backup, toPath: ArchiveShop.database(in: other))

            var shop = try ArchiveShop(other)
            #expect(shop.server.stderr.contains("no log beside the database"), "\(shop.server.stderr)")
            #expect(try shop.expect("SOLD", "DEDUCT o-7 phone 1 buyer=b0").isReplay)
            // Killed before anything was written, then with a little, then stopped: it goes on each time.
            try shop.server.kill()
            shop = try ArchiveShop(other)
            try shop.sell(5, "new")
            try shop.server.kill()
            shop = try ArchiveShop(other)
            #expect(try shop.expect("SOLD", "DEDUCT new-3 phone 1 buyer=b3").isReplay)
            try shop.expect("VERIFIED", "VERIFY")
            #expect(try shop.server.terminate() == .exited(0))
            shop = try ArchiveShop(other)
            try shop.expect("VERIFIED", "VERIFY")
        }

        @Test("The database of another store is refused, and so is a log that ends before the database")
        func foreign() throws {
            let directory = try TestDirectory()
            let (one, other) = (directory.appending("one"), directory.appending("other"))
            for data in [one, other] {
                let shop = try Self.openedShop(data)
                try shop.sell(3, "o")
                #expect(try shop.server.terminate() == .exited(0))
            }
            let own = ArchiveShop.database(in: one)
            try FileManager.default.moveItem(atPath: own, toPath: own + ".own")
            try FileManager.default.copyItem(atPath: ArchiveShop.database(in: other), toPath: own)
            let refusal = try ServerProcess.refusal(directory: one)
            #expect(refusal.status == .exited(78), "\(refusal)")
            #expect(refusal.stderr.contains("another store"), "\(refusal)")

            try FileManager.default.removeItem(atPath: own)
            try FileManager.default.moveItem(atPath: own + ".own", toPath: own)
            let segments = try LogFiles.segments(in: one)
            for segment in segments.dropFirst() { try FileManager.default.removeItem(atPath: segment) }
            let bytes = try LogFiles.bytes(of: segments[0])
            try bytes.prefix(4_200).write(to: URL(filePath: segments[0]))
            let short = try ServerProcess.refusal(directory: one)
            #expect(short.status == .exited(78), "\(short)")
        }

        // MARK: Helpers

        static func openedShop(_ data: String, _ flags: [String] = ArchiveShop.quiet) throws -> ArchiveShop {
            let shop = try ArchiveShop(data, flags)
            try shop.expect("CREATED", "CREATE phone 1000000")
            return shop
        }

        /// A store whose log no longer begins with event 1, killed with a few orders that only the log has. Its digest.
        private static func shortened(_ data: String) throws -> String {
            let flags = ArchiveShop.quiet + ["--backup-every", "1ms", "--keep-log", "0"]
            let shop = try openedShop(data, flags)
            try shop.sell(100, "o")
            try shop.expect("SNAPSHOT", "SNAPSHOT")
            // A segment goes when the one after it is on the disk.
            try shop.sell(100, "p")
            try shop.expect("SNAPSHOT", "SNAPSHOT")
            try shop.await("log_segments_removed") { $0 != "0" }
            try shop.sell(10, "late")
            let digest = try Self.digest(shop)
            try shop.server.kill()
            return digest
        }

        static func digest(_ shop: ArchiveShop) throws -> String {
            try shop.connection.request("STATS digest").items.first?.text ?? ""
        }

        private static func spoil(_ data: String, _ how: String) throws {
            let path = ArchiveShop.database(in: data)
            switch how {
            case "missing":
                for file in try LogFiles.files(in: data, where: { $0.hasPrefix("archive.sqlite") }) {
                    try FileManager.default.removeItem(atPath: file)
                }
            case "garbage":
                try Data(repeating: 0x55, count: 20_000).write(to: URL(filePath: path))
            case "flipped":
                // Everything into the one file, then a page of rows that is not one any more.
                try Database(path, .write).execute("PRAGMA wal_checkpoint(TRUNCATE)")
                var bytes = try LogFiles.bytes(of: path)
                let place = try #require(bytes.range(of: Data("o-42".utf8)))
                for index in (place.lowerBound & ~4_095)..<(place.lowerBound & ~4_095) + 64 { bytes[index] ^= 0xA5 }
                try bytes.write(to: URL(filePath: path))
            default:
                try ArchiveShop.change(data, "UPDATE sku SET onhand = onhand + 1, loaded = loaded + 1")
            }
        }
    }

    /// The digests of a database, counted again from its rows.
    struct Digests {
        let areRight: Bool

        init(_ data: String) throws {
            let path = ArchiveShop.database(in: data)
            let statement = try Database(path, .read).prepare(
                "SELECT (SELECT count(*) FROM record) > 0 AND (SELECT sum(sold) FROM sku) = (SELECT sum(sold) FROM record_line)")
            areRight = try statement.step() && statement.integer(0) == 1
        }
    }
}
