// What the server promises while its disk is slow, full or broken.

import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("A slow, full or failing disk", .enabled(if: Strace.obstacle == nil, Comment(rawValue: Strace.obstacle ?? "")))
    struct SlowDiskTests {
        private let directory: TestDirectory
        private let data: String

        init() throws {
            directory = try TestDirectory()
            data = directory.appending("data")
        }

        /// The calls by which a log may be written.
        private static let writes = "write,pwrite64,writev,pwritev,pwritev2"

        @Test("A sync that takes long stops nobody, and a kill during it loses no acknowledged order")
        func slowSync() throws {
            var sold: [String] = []
            let strace = try withServer(directory: data, flags: ["--fsync", "everysec"]) { server in
                let connection = try server.connect()
                try Self.expect(connection.request("CREATE phone 1000000000"), "CREATED")
                // Each sync begins 1.8 s late.
                let strace = try Strace(
                    attachedTo: server.pid, calls: "fdatasync", effect: "delay_enter=1800000", directory: directory)
                let waiter = try server.connect()
                func sell() throws {
                    let id = "o-\(sold.count)"
                    try Self.expect(connection.request("DEDUCT \(id) phone 1", by: .after(EndToEnd.patience)), "SOLD")
                    sold.append(id)
                }
                try sell()
                try waiter.send(["DURABLE"])
                var answered = 0
                while try !Self.hasReply(waiter), answered < 200_000 {
                    try Self.expect(connection.request("GET phone", by: .after(EndToEnd.patience)), "STOCK")
                    answered += 1
                    if answered.isMultiple(of: 2) { try sell() }
                }
                // Not a time, which would depend on the machine: a loop that waits for the disk answers one or two.
                #expect(answered >= 20, "only \(answered) GETs were answered during a sync")

                try sell()
                try waiter.send(["DURABLE"])
                for _ in 0..<100 { try sell() }
                try #require(try !Self.hasReply(waiter), "the sync was over before the kill")
                try server.kill()
                return strace
            }
            #expect(try !strace.interventions().isEmpty, "no sync was delayed: the test has tested nothing")
            try expectSold(sold)
        }

        @Test("everysec: after a failed sync the server says that it is read-only, and reads go on")
        func failedSync() throws {
            var sold: [String] = []
            let strace = try withServer(directory: data, flags: ["--fsync", "everysec"]) { server in
                let connection = try server.connect()
                try Self.expect(connection.request("CREATE phone 1000000000"), "CREATED")
                let strace = try Strace(
                    attachedTo: server.pid, calls: "fdatasync", effect: "error=EIO:when=2+", directory: directory)
                var refusal: ReplyLine?
                for number in 0..<1_000 where refusal == nil {
                    // DURABLE makes a sync happen now instead of within a second.
                    for (request, word) in [("DEDUCT o-\(number) phone 1", "SOLD"), ("DURABLE", "DURABLE")] where refusal == nil {
                        let line = try connection.request(request, by: .after(EndToEnd.patience)).head
                        if line.isRefusal { refusal = line } else { try Self.expect(Reply(head: line), word) }
                        if word == "SOLD", !line.isRefusal { sold.append("o-\(number)") }
                    }
                }
                let line = try #require(refusal, "the server went on although its syncs failed")
                #expect(line.text.hasPrefix("-READONLY "), "\(line)")
                #expect(try connection.request("DEDUCT o-after phone 1").head.text.hasPrefix("-READONLY "))
                #expect(try connection.request("RESERVE h-after 1h phone 1").head.text.hasPrefix("-READONLY "))
                try Self.expect(connection.request("GET phone"), "STOCK")
                try Self.expect(connection.request("LOOKUP o-0"), "ORDER")
                #expect(try connection.request("STATS").items.contains { $0.text.lowercased().contains("readonly") })
                try server.kill()
                return strace
            }
            #expect(try !strace.interventions().isEmpty)
            try expectSold(sold)
        }

        @Test("always: after a failed sync nothing more is acknowledged, and the server ends with exit status 74")
        func failedSyncAlways() throws {
            let swarm = try tradeUntilGone(mode: "always", calls: "fdatasync", effect: "error=EIO:when=4+", files: false)
            try expectAsPromised(swarm, mode: "always")
        }

        @Test("A log that cannot be written for a while delays replies and loses none", arguments: ["everysec", "always"])
        func writesFailForAWhile(mode: String) throws {
            let (swarm, strace) = try withServer(directory: data, flags: ["--fsync", mode]) { server in
                var swarm = ClientSwarm(book: try CrashTests.stock(server), seed: 7)
                let strace = try Strace(
                    attachedTo: server.pid, calls: Self.writes, effect: "error=ENOSPC:when=3..6",
                    files: try LogFiles.segments(in: data), directory: directory)
                try swarm.tradeAndSettle(with: server, requests: 4_000)
                try swarm.compare(with: server)
                try server.kill()
                return (swarm, strace)
            }
            #expect(try strace.interventions().count == 4, "not every write that was to fail was tried")
            try expectAsPromised(swarm, mode: mode)
        }

        @Test("A log that cannot be written for long closes the connections unanswered and ends the server with exit status 74")
        func writesFailForLong() throws {
            let swarm = try tradeUntilGone(mode: "everysec", calls: Self.writes, effect: "error=ENOSPC:when=5+", files: true)
            try expectAsPromised(swarm, mode: "everysec")
        }

        // MARK: Helpers

        /// Trades with a server whose disk fails at some moment, until it has closed all connections and ended.
        private func tradeUntilGone(mode: String, calls: String, effect: String, files: Bool) throws -> ClientSwarm {
            let (swarm, strace) = try withServer(directory: data, flags: ["--fsync", mode]) { server in
                var swarm = ClientSwarm(book: try CrashTests.stock(server), seed: 11)
                let strace = try Strace(
                    attachedTo: server.pid, calls: calls, effect: effect,
                    files: files ? try LogFiles.segments(in: data) : [], directory: directory)
                let end = try swarm.trade(with: server, replies: 1_000_000) { try server.kill() }
                guard end == .serverGone else { throw Failure("the server went on although its disk failed") }
                #expect(try server.waitForExit() == .exited(74))
                return (swarm, strace)
            }
            #expect(try !strace.interventions().isEmpty)
            return swarm
        }

        /// Starts a server on the same store, with a disk that works, and compares it with what clients know.
        private func expectAsPromised(_ swarm: ClientSwarm, mode: String) throws {
            var swarm = swarm
            try withServer(directory: data, flags: ["--fsync", mode]) { server in
                try swarm.compare(with: server)
                try swarm.retryAll(on: server)
            }
        }

        private func expectSold(_ ids: [String]) throws {
            try withServer(directory: data) { server in
                let connection = try server.connect()
                let replies = try connection.pipeline(ids.map { "LOOKUP \($0)" })
                for (id, reply) in zip(ids, replies) where reply.head["state"] != "sold" {
                    throw Failure("\(id) was sold before the crash, but: \(reply)")
                }
                #expect(try connection.request("GET phone").head.number("sold") == Int64(ids.count))
                try Self.expect(connection.request("DEDUCT o-new phone 1"), "SOLD")
            }
        }

        private static func expect(_ reply: Reply, _ word: String) throws {
            guard !reply.isRefusal, reply.head.word == word else { throw Failure("expected +\(word), got: \(reply)") }
        }

        /// Has a reply come? It is taken when it has.
        private static func hasReply(_ connection: Connection) throws -> Bool {
            try connection.takeIn()
            return try connection.nextReply() != nil
        }
    }
}
