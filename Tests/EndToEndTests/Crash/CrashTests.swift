// The promise that matters most: an order that was acknowledged is there after a crash, exactly once, and the
// counters agree with the orders.

import SeededRandom
import StockConnection
import Testing

extension EndToEnd {
    @Suite("A server that is killed")
    struct CrashTests {
        private static let modes = ["never", "everysec", "always"]
        private static let seeds = Array(UInt64(1)...(isThorough ? 25 : 2))

        @Test("loses no acknowledged order and sells none twice", arguments: modes, seeds)
        func crash(mode: String, seed: UInt64) throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            var random = SeededGenerator(seed: seed &* 1_000_003)
            var server = try ServerProcess(directory: data, flags: ["--fsync", mode])
            var swarm = try server.witness { ClientSwarm(book: try Self.stock(server), seed: seed) }
            // The same store is killed again and again, so that recovery meets what recovery has left.
            for _ in 1...3 {
                let moment = Int.random(in: 50...2_500, using: &random)
                let end = try server.witness { try swarm.trade(with: server, replies: moment) { try server.kill() } }
                guard end == .replies else { throw Failure("the server had closed its connections before the kill") }
                server = try ServerProcess(directory: data, flags: ["--fsync", mode])
                try server.witness {
                    try swarm.compare(with: server)
                    try swarm.retryAll(on: server)
                }
            }
            #expect(try server.terminate() == .exited(0))
            server = try ServerProcess(directory: data, flags: ["--fsync", mode])
            try swarm.compare(with: server)
        }

        @Test("and is killed in the middle of folding: nothing is lost, nothing is applied twice", arguments: seeds)
        func crashWhileFolding(seed: UInt64) throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            // The database is always being written to, copied, and the log shortened behind it.
            let flags = [
                "--snapshot-every", "5ms", "--backup-every", "100ms", "--keep-log", "0", "--segment-size", "128KiB",
                "--history", "1s",
            ]
            var random = SeededGenerator(seed: seed &* 7_919)
            var server = try ServerProcess(directory: data, flags: flags)
            var swarm = try server.witness { ClientSwarm(book: try Self.stock(server), seed: seed) }
            for _ in 1...5 {
                let moment = Int.random(in: 50...4_000, using: &random)
                let end = try server.witness { try swarm.trade(with: server, replies: moment) { try server.kill() } }
                guard end == .replies else { throw Failure("the server had closed its connections before the kill") }
                server = try ServerProcess(directory: data, flags: flags)
                try server.witness {
                    try swarm.compare(with: server)
                    try swarm.retryAll(on: server)
                    let proof = try server.verify()
                    guard proof.word == "VERIFIED" else { throw Failure("\(proof)") }
                }
            }
            #expect(try server.terminate() == .exited(0))
            server = try ServerProcess(directory: data, flags: flags)
            try swarm.compare(with: server)
            let proof = try server.verify()
            #expect(proof.word == "VERIFIED", "\(proof)")
        }

        /// Six SKUs, half of which run out during the test.
        static func stock(_ server: ServerProcess) throws -> OrderBook {
            let opening: [String: Int64] = ["a": 1_000_000, "b": 1_000_000, "c": 1_000_000, "x": 300, "y": 900, "z": 2_000]
            let connection = try server.connect()
            for (sku, units) in opening.sorted(by: { $0.key < $1.key }) {
                let reply = try connection.request("CREATE \(sku) \(units)")
                guard reply.head.word == "CREATED" else { throw Failure("CREATE \(sku): \(reply)") }
            }
            return OrderBook(opening: opening)
        }
    }
}
