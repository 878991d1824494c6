// A database that cannot be written, for whatever reason: sales go on, those who ask for a snapshot are told, and when
// the trouble is over everything is there.

import Foundation
import StockArchive
import StockConnection
import Testing

extension EndToEnd {
    @Suite("A database in trouble")
    struct TroubleTests {
        @Test("A stranger holds its lock: sales go on, SNAPSHOT says -BUSY, and later it is done")
        func locked() throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            let shop = try RestartTests.openedShop(data)
            try shop.expect("SNAPSHOT", "SNAPSHOT")
            do {
                let stranger = try Database(shop.database, .write)
                try stranger.execute("BEGIN IMMEDIATE")
                try shop.sell(50, "one")
                let refusal = try shop.ask("SNAPSHOT")
                #expect(refusal.text.hasPrefix("-BUSY the database cannot be written"), "\(refusal)")
                #expect(refusal.text.contains("locked"), "\(refusal)")
                #expect(try shop.ask("VERIFY").word == "BUSY")
                #expect(try shop.figure("archive_state") == "failing")
                try shop.sell(50, "two")
                try stranger.execute("ROLLBACK")
            }
            let done = try shop.expect("SNAPSHOT", "SNAPSHOT")
            #expect(done.number("orders") == 100)
            #expect(try shop.figure("archive_state") == "ok")
            #expect(try shop.figure("fold_lag_events") == "0")
            try shop.expect("VERIFIED", "VERIFY")
        }

        @Test("It cannot grow: sales go on, and a start where it can has everything")
        func full() throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            // The limit is on the size of any file: the segments of the log are smaller, the database is not.
            let child = directory.appending("limited")
            let script = "#!/bin/sh\ntrap '' XFSZ\nulimit -f 512\nexec '\(ServerProcess.executable)' \"$@\"\n"
            try script.write(toFile: child, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: child)
            let flags = ["--snapshot-every", "0", "--snapshot-bytes", "0", "--segment-size", "128KiB"]
            let server = try ServerProcess(directory: data, flags: flags, program: child)
            let connection = try server.connect()
            try server.witness {
                _ = try connection.request("CREATE phone 1000000")
                var isRefused = false
                for round in 0..<40 where !isRefused {
                    for reply in try connection.pipeline((0..<500).map { "DEDUCT o-\(round)-\($0) phone 1 buyer=b\($0)" }) {
                        guard reply.head.word == "SOLD" else { throw Failure("\(reply)") }
                    }
                    let line = try connection.request("SNAPSHOT").head
                    guard line.word == "SNAPSHOT" || line.word == "BUSY" else { throw Failure("\(line)") }
                    isRefused = line.isRefusal
                }
                guard isRefused else { throw Failure("the database was never full") }
                for reply in try connection.pipeline((0..<500).map { "DEDUCT late-\($0) phone 1" }) {
                    guard reply.head.word == "SOLD" else { throw Failure("\(reply)") }
                }
            }
            let digest = try connection.request("STATS digest").items.first?.text
            try server.kill()

            let shop = try ArchiveShop(data)
            #expect(try RestartTests.digest(shop) == digest)
            try shop.expect("SNAPSHOT", "SNAPSHOT")
            try shop.expect("VERIFIED", "VERIFY")
        }

        @Test("It is torn away, or a page of it is overwritten: sales go on, and the next start has everything",
            arguments: ["removed", "overwritten"])
        func tornAway(how: String) throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            var shop = try RestartTests.openedShop(data)
            try shop.sell(200, "one")
            try shop.expect("SNAPSHOT", "SNAPSHOT")
            if how == "removed" {
                for file in try LogFiles.files(in: data, where: { $0.hasPrefix("archive.sqlite") }) {
                    try FileManager.default.removeItem(atPath: file)
                }
            } else {
                let file = try FileHandle(forWritingTo: URL(filePath: shop.database))
                try file.write(contentsOf: Data(repeating: 0xA5, count: 40_000))
                try file.close()
            }
            try shop.sell(200, "two")
            let line = try shop.ask("SNAPSHOT")
            #expect(["BUSY", "SNAPSHOT"].contains(String(line.word)), "\(line)")
            try shop.sell(200, "three")
            let digest = try RestartTests.digest(shop)
            try shop.server.kill()
            shop = try ArchiveShop(data)
            #expect(try RestartTests.digest(shop) == digest)
            try shop.expect("SNAPSHOT", "SNAPSHOT")
            try shop.expect("VERIFIED", "VERIFY")
        }

        @Test("VERIFY finds what a stranger changed in a row, and names it", arguments: [
            ("UPDATE sku SET onhand = onhand + 1 WHERE name = 'phone'", "sku=phone"),
            ("UPDATE sku SET onhand = onhand + 1, loaded = loaded + 1 WHERE name = 'phone'", "sku=phone"),
            ("UPDATE record_line SET sold = sold + 1 WHERE place = (SELECT max(place) FROM record_line)", "shard="),
            ("DELETE FROM record WHERE id = 'o-3'", "has no record"),
            ("UPDATE record SET id = 'o-x' WHERE id = 'o-3'", "shard="),
            ("UPDATE buyer_count SET units = 1 WHERE buyer = 'b2'", "shard="),
            ("UPDATE meta SET value = '99' WHERE key = 'forgotten_count'", "its digest is not"),
        ])
        func planted(sql: String, name: String) throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            let shop = try RestartTests.openedShop(data)
            try shop.sell(20, "o")
            try shop.expect("VERIFIED", "VERIFY")
            try ArchiveShop.change(data, sql)
            let line = try shop.expect("CORRUPT", "VERIFY")
            #expect(line.text.hasPrefix("-CORRUPT database "), "\(line)")
            #expect(line.text.contains(name), "\(line)")
            try shop.sell(20, "p")
        }
    }
}
