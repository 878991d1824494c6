// Stock goes in by `load` and comes out by `export`, with a real server between them.

import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("Loading and exporting")
    struct LoadExportTests {
        @Test("A file is loaded; its bad rows are named; loaded again, nothing changes, and what was sold stays sold")
        func loadTwice() throws {
            let directory = try TestDirectory()
            let file = try directory.write(
                "sku,onhand,limit\nphone,10,2\n\"a,b\",5,\ntwo words,1,\nlamp,many,\nsofa,7,\n", to: "stock.csv")
            try withServer(directory: directory.appending("data"), flags: smallSegments) { server in
                let address = server.address.description
                let first = try ToolRun("load", file, "--server", address, expecting: 1)
                #expect(first.output.contains("3 SKUs created, 0 there already, 2 bad rows not loaded"))
                #expect(first.error.split(separator: "\n").map { $0.prefix(16) } == ["stockade: line 4", "stockade: line 5"])
                let connection = try server.connect()
                #expect(try connection.request("DEDUCT o-1 phone 2 buyer=ann").head.word == "SOLD")

                let second = try ToolRun("load", file, "--server", address, "--json", expecting: 1)
                let objects = try second.objects()
                #expect(objects.compactMap { $0["line"] as? Int } == [4, 5])
                let summary = try #require(objects.last)
                #expect(summary["created"] as? Int == 0 && summary["existing"] as? Int == 3 && summary["bad"] as? Int == 2)
                #expect(summary["seq"] as? Int == 4 && summary["done"] as? Bool == true)
                #expect(second.error.isEmpty)
                let phone = try connection.request("GET phone").head
                #expect(phone.number("onhand") == 8 && phone.number("limit") == 2)
                #expect(try connection.request("GET a,b").head.number("onhand") == 5)
            }
        }

        @Test("A load that broke off is taken up by loading again: every row is there once")
        func resume() throws {
            let directory = try TestDirectory()
            let rows = (0..<30_000).map { "sku-\($0),\($0 % 100)\n" }
            let half = try directory.write(rows.prefix(12_345).joined(), to: "half.csv")
            let whole = try directory.write(rows.joined(), to: "whole.csv")
            try withServer(directory: directory.appending("data"), flags: smallSegments) { server in
                try ToolRun("load", half, "--server", server.address.description)
                let run = try ToolRun("load", whole, "--server", server.address.description, "--json")
                let summary = try #require(run.objects().last)
                #expect(summary["created"] as? Int == 17_655 && summary["existing"] as? Int == 12_345)
                #expect(run.error.isEmpty, "there is no progress bar in a pipe")
                #expect(try server.connect().request("STATS ledger").items.contains { $0.text == "+skus=30000" })
            }
        }

        @Test("What cannot work says what to do and ends with its own status")
        func refusals() throws {
            let directory = try TestDirectory()
            let file = try directory.write("phone,1\n", to: "stock.csv")
            let odd = try directory.write("sku,onhand,flor\nphone,1,2\n", to: "odd.csv")
            let password = try directory.write("secret", to: "password")
            let flags = smallSegments + ["--password-file", password]
            try withServer(directory: directory.appending("data"), flags: flags) { server in
                let address = server.address.description
                #expect(try ToolRun("load", file, "--server", address, expecting: 77).error.contains("--password-file"))
                try ToolRun("load", file, "--server", address, "--password-file", password)
                #expect(
                    try ToolRun("load", odd, "--server", address, "--password-file", password, expecting: 65)
                        .error.contains("'flor'"))
                try ToolRun("load", directory.appending("none.csv"), "--server", address, expecting: 66)
            }
            #expect(try ToolRun("load", file, "--server", "127.0.0.1:1", expecting: 69).error.contains("nobody listens"))
            try ToolRun("load", file, "--server", "localhost:99999", expecting: 64)
            try ToolRun("export", "skus", "--dir", directory.appending("nowhere"), expecting: 66)
            try ToolRun("verify", directory.appending("nowhere"), expecting: 66)
            try ToolRun("rebuild", directory.appending("nowhere"), expecting: 66)
            try ToolRun("export", "skus", "--where", "color=red", "--dir", directory.appending("data"), expecting: 64)
        }

        @Test("What export wrote, load reads: another server then has the same stock")
        func roundTrip() throws {
            let directory = try TestDirectory()
            let (one, two) = (directory.appending("one"), directory.appending("two"))
            let file = try directory.write(
                "phone,10,1,2,2025-11-21T08:00,\n\"quo\"\"te,d\",5,-3\nlamp,7,,,,9000000000000000\n", to: "stock.csv")
            let exported = try withServer(directory: one, flags: smallSegments) { server in
                try ToolRun("load", file, "--server", server.address.description)
                return try Self.exportStopped(server, one)
            }
            #expect(exported.count == 4)
            #expect(exported[1].hasPrefix("phone,10,1,2,2025-11-21T08:00:00.000Z,,9,"))
            #expect(exported[3].hasPrefix("lamp,7,0,0,,9000000000000000,7,"))
            let again = try directory.write(exported.joined(separator: "\r\n"), to: "exported.csv")
            try withServer(directory: two, flags: smallSegments) { server in
                try ToolRun("load", again, "--server", server.address.description)
                #expect(try Self.exportStopped(server, two) == exported)
            }
        }

        private static func exportStopped(_ server: ServerProcess, _ directory: String) throws -> [String] {
            #expect(try server.terminate() == .exited(0))
            try ToolRun("rebuild", directory)
            return try ToolRun("export", "skus", "--dir", directory).lines
        }

        @Test("A backup is made while the server sells, and a database is rebuilt from it; verify agrees")
        func backup() throws {
            let directory = try TestDirectory()
            let (data, copy) = (directory.appending("data"), directory.appending("copy.sqlite"))
            let first = try ServerProcess(directory: data, flags: smallSegments)
            #expect(try first.connect().request("CREATE phone 10").head.word == "CREATED")
            let server = try first.restartedWithDatabase(data)
            let address = server.address.description
            try ToolRun("backup", copy, "--dir", data, "--server", address)
            try ToolRun("backup", copy, "--dir", data, "--server", address, expecting: 73)
            try ToolRun("backup", copy, "--force", "--dir", data, "--server", address)
            #expect(try server.connect().request("DEDUCT o-1 phone 1").head.word == "SOLD")
            try ToolRun("rebuild", data, expecting: 75)
            #expect(try server.terminate() == .exited(0))
            try ToolRun("rebuild", data, "--from", copy)
            let verdict = try #require(ToolRun("verify", data, "--json").objects().first)
            #expect(verdict["verified"] as? Bool == true && verdict["seq"] as? Int == 2 && verdict["database_seq"] as? Int == 2)
            let history = try ToolRun("history", "sku", "phone", "--dir", data)
            #expect(history.lines.first == "phone: onhand 9, held 0, sold 1, available 9")
            #expect(history.lines.count == 3)
            try ToolRun("history", "order", "o-2", "--dir", data, expecting: 1)
        }
    }
}
