// A log that was damaged while the server was down: history that is wrong stops the start, a tail that was only
// torn off is cut, kept and reported.

import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("A damaged log")
    struct DamageTests {
        private static let orders = 200

        @Test("One flipped bit in the middle of the log: the server refuses to start and says where, and so does log check")
        func flippedBit() throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            try Self.sell(data, mode: "everysec") { server in
                let status = try server.terminate()
                #expect(status == .exited(0))
            }
            #expect(try Self.check(data).status == .exited(0), "log check finds fault with a sound log")

            // With the database, the log before it would not be needed.
            for file in try LogFiles.files(in: data, where: { $0.hasPrefix("archive.sqlite") }) {
                try FileManager.default.removeItem(atPath: file)
            }
            let segment = try Self.fullestSegment(in: data)
            let sound = try LogFiles.bytes(of: segment)
            let offset = LogFiles.writtenCount(sound) / 2
            var damaged = sound
            damaged[offset] ^= 0x10
            try damaged.write(to: URL(filePath: segment))

            let refusal = try ServerProcess.refusal(directory: data)
            #expect(refusal.status == .exited(78), "\(refusal)")
            try Self.expectPlace(in: refusal.stderr, segment: segment, before: offset)
            let check = try Self.check(data)
            #expect(check.status != .exited(0))
            try Self.expectPlace(in: check.output + check.error, segment: segment, before: offset)
            #expect(try LogFiles.bytes(of: segment) == damaged, "a refused start has changed the log")

            try sound.write(to: URL(filePath: segment))
            try Self.expectSold(data, Self.orders)
        }

        @Test("A log cut in its last frame: the server starts, says what it cut, and keeps the bytes")
        func cutTail() throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            // Nothing is synced in this mode, so nothing later says that the last frame was durable.
            try Self.sell(data, mode: "never") { try $0.kill() }
            let segment = try Self.fullestSegment(in: data)
            let written = LogFiles.writtenCount(try LogFiles.bytes(of: segment))
            try #require(truncate(segment, off_t(written - 1)) == 0)

            try withServer(directory: data, flags: ["--fsync", "never"]) { server in
                #expect(server.stderr.lowercased().contains("torn"), "\(server.stderr)")
                let kept = try LogFiles.files(in: data) { $0.hasSuffix(".torn") }
                #expect(kept.count == 1)
                for file in kept { #expect(try LogFiles.bytes(of: file).count > 0, "nothing was kept in \(file)") }
                #expect(try server.terminate() == .exited(0))
            }
            // Each order was a frame of its own: only the last one has gone.
            try Self.expectSold(data, Self.orders - 1)
        }

        // MARK: Helpers

        /// Sells orders one after the other, so that each is answered, and then ends the server.
        private static func sell(_ data: String, mode: String, end: (ServerProcess) throws -> Void) throws {
            try withServer(directory: data, flags: ["--fsync", mode]) { server in
                let connection = try server.connect()
                guard try connection.request("CREATE phone 1000000").head.word == "CREATED" else { throw Failure("CREATE was refused") }
                for number in 0..<orders {
                    let reply = try connection.request("DEDUCT o-\(number) phone 1")
                    guard reply.head.text.hasPrefix("+SOLD") else { throw Failure("order \(number): \(reply)") }
                }
                try end(server)
            }
        }

        private static func expectSold(_ data: String, _ count: Int) throws {
            try withServer(directory: data) { server in
                let connection = try server.connect()
                #expect(try connection.request("GET phone").head.number("sold") == Int64(count))
                let replies = try connection.pipeline((0..<orders).map { "LOOKUP o-\($0)" })
                #expect(replies.count { $0.head["state"] == "sold" } == count)
            }
        }

        private static func check(_ data: String) throws -> (status: ExitStatus, output: String, error: String) {
            try ChildProcess.run(ServerProcess.executable, ["log", "check", data])
        }

        /// The segment with the most in it.
        private static func fullestSegment(in data: String) throws -> String {
            let segments = try LogFiles.segments(in: data)
            let sizes = try segments.map { LogFiles.writtenCount(try LogFiles.bytes(of: $0)) }
            let fullest = try #require(sizes.indices.max { sizes[$0] < sizes[$1] }, "there is no log")
            return segments[fullest]
        }

        /// The text names the segment's file and an offset: that of the frame in which the damage lies.
        private static func expectPlace(in text: String, segment: String, before offset: Int) throws {
            #expect(text.contains((segment as NSString).lastPathComponent), "the file is not named:\n\(text)")
            let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
            #expect(text.contains("offset"), "no offset is named:\n\(text)")
            #expect(numbers.contains { (max(0, offset - 4_096)...offset).contains($0) }, "the offset is not near \(offset):\n\(text)")
        }
    }
}
