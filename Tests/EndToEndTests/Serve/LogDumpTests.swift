// `stockade log dump`: the log as a person and as a program read it, while the server runs.

import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("stockade log dump")
    struct LogDumpTests {
        private func dump(_ data: String, _ flags: String...) throws -> [String] {
            let result = try ChildProcess.run(ServerProcess.executable, ["log", "dump", data] + flags)
            #expect(result.status == .exited(0), "\(result.error)")
            return result.output.split(separator: "\n").map(String.init)
        }

        /// Without the times, which are the server's.
        private func timeless(_ line: String) -> String {
            line.split(separator: " ").filter { !$0.hasSuffix("Z") && !$0.hasPrefix("expires=") }.joined(separator: " ")
        }

        /// A request, and the line of the event that it makes.
        private static let history: [(request: String, line: String)] = [
            ("CREATE phone 3 limit=2", "1 created phone ordinal=1 onhand=3 floor=0 limit=2"),
            ("CREATE shoe 5", "2 created shoe ordinal=2 onhand=5 floor=0 limit=0"),
            (
                "RESERVE o-1 15m phone 2 buyer=ann",
                "3 reserved o-1 ttl=900000 buyer=ann phone 2 onhand=3 held=2 sold=0"
            ),
            ("CONFIRM o-1 phone 1", "4 confirmed o-1 phone 1 onhand=2 held=0 sold=1"),
            (
                "DEDUCT o-2 phone 1 shoe 2 buyer=bob born=5",
                "5 deducted o-2 buyer=bob born=5 phone 1 onhand=1 held=0 sold=2 shoe 2 onhand=3 held=0 sold=2"
            ),
            ("RETURN r-1 o-2 shoe 1", "6 returned r-1 order=o-2 shoe 1 onhand=4 held=0 sold=1"),
            ("ADJUST a-1 shoe -1 reason=broken", "7 adjusted a-1 reason=broken shoe -1 onhand=3 held=0 sold=1"),
            ("COUNT shoe 9 id=c-1", "8 counted c-1 shoe 6 onhand=9 held=0 sold=1"),
            (
                "TRANSFER t-1 shoe phone 2",
                "9 transferred t-1 shoe 2 onhand=7 held=0 sold=1 phone 2 onhand=3 held=0 sold=2"
            ),
            ("CANCEL \"\\ reason=late", "10 emptyCancelled \"\\ reason=late"),
            ("CONFIGURE shoe paused=1", "11 configured shoe floor=0 limit=0 paused=1"),
        ]

        private func withHistory(_ body: (_ data: String) throws -> Void) throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            try withServer(directory: data) { server in
                let replies = try server.connect().pipeline(Self.history.map(\.request))
                for reply in replies { #expect(reply.head.text.hasPrefix("+"), "\(reply)") }
                try body(data)
            }
        }

        @Test("One line says what happened, to what, and the counters after it")
        func words() throws {
            try withHistory { data in
                let lines = try dump(data).map(timeless)
                #expect(lines == Self.history.map(\.line))
            }
        }

        @Test("It begins and ends where it is told, and knows the names from before")
        func part() throws {
            try withHistory { data in
                let lines = try dump(data, "--from", "8", "--count", "2").map(timeless)
                #expect(lines == Self.history[7...8].map(\.line))
                #expect(try dump(data, "--from", "12").isEmpty)
                #expect(try dump(data, "--count", "0").isEmpty)
            }
        }

        @Test("Each line is a JSON object when that is asked for, whatever bytes a token has")
        func json() throws {
            try withHistory { data in
                let lines = try dump(data, "--json")
                #expect(lines.count == Self.history.count)
                let objects = try lines.map { line in
                    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                }
                #expect(objects.map { $0["seq"] as? Int } == Array(1...Self.history.count))
                #expect(objects[9]["id"] as? String == "\"\\")
                let sold = try #require(objects[4]["lines"] as? [[String: Any]])
                #expect(sold.map { $0["sku"] as? String } == ["phone", "shoe"])
                #expect(sold.map { $0["quantity"] as? Int } == [1, 2])
            }
        }
    }
}
