// The durability contract, mode by mode, on a machine that loses its power: the real server under load, with the
// database being written, copied and the log shortened behind it; then the disk goes with everything that was not
// synced, comes back, and the server has to be what it promised to be.

import Foundation
import SeededRandom
import StockConnection
import Testing

extension EndToEnd {
    @Suite("A machine that loses its power", .enabled(if: TestDisk.obstacle == nil, Comment(rawValue: TestDisk.obstacle ?? "")))
    struct PowerCutTests {
        private static let modes = ["never", "everysec", "always"]
        private static let seeds = Array(UInt64(1)...(isThorough ? 40 : 1))
        private static let flags = [
            "--snapshot-every", "20ms", "--backup-every", "200ms", "--keep-log", "0", "--segment-size", "256KiB",
            "--history", "1s",
        ]

        @Test("keeps what its mode promised, and nothing of what came after", arguments: modes, seeds)
        func powerCut(mode: String, seed: UInt64) throws {
            let directory = try TestDirectory()
            let disk = try TestDisk(in: directory)
            let data = disk.path + "/data"
            let flags = Self.flags + ["--fsync", mode]
            var random = SeededGenerator(seed: seed &* 15_485_863)
            var server = try ServerProcess(directory: data, flags: flags)
            var swarm = try server.witness { ClientSwarm(book: try CrashTests.stock(server), seed: seed) }
            // What must be there after the next cut; a start makes durable what it found.
            var floor: Int64 = 0
            for round in 1...4 {
                let witness = DurableWitness(try server.connect(), asksForSync: round.isMultiple(of: 2))
                let moment = Int.random(in: 50...6_000, using: &random)
                let meanwhile = {
                    try witness.ask()
                    guard Int.random(in: 0..<20, using: &random) == 0 else { return }
                    let segments = try LogFiles.segments(in: data).suffix(2)
                    for segment in segments { try disk.writeBackSomePages(of: segment, using: &random) }
                }
                let cut = {
                    usleep(UInt32.random(in: 0...20_000, using: &random))
                    try disk.cutPower()
                    // Power takes all at once; here the server may see its disk fail, and with `always` that is its end.
                    try server.kill(orAfter: mode == "always" ? .exited(74) : nil)
                }
                let end = try server.witness {
                    try swarm.trade(with: server, replies: moment, meanwhile: meanwhile, atEnd: cut)
                }
                guard end == .replies else { throw Failure("the server had closed its connections before the cut") }
                floor = max(floor, try witness.readRest(), mode == "always" ? swarm.book.newestSequence : 0)
                try disk.restorePower()
                try Self.expectSound(data, mayBeTorn: true)

                server = try ServerProcess(directory: data, flags: flags)
                let told = swarm.book.newestSequence
                try server.witness {
                    let found = try #require(try server.connect().request("CLOCK").head.number("seq"))
                    guard found >= floor else {
                        throw Failure("event \(floor) was durable, \(told) was shown, and the server stands at \(found)")
                    }
                    swarm.rewind(to: found)
                    try swarm.compare(with: server)
                    try swarm.retryAll(on: server)
                    let proof = try server.verify()
                    guard proof.word == "VERIFIED" else { throw Failure("\(proof)") }
                    floor = found
                }
            }
            #expect(try server.terminate() == .exited(0))
            try Self.expectSound(data, mayBeTorn: false)
            server = try ServerProcess(directory: data, flags: flags)
            try server.witness { try swarm.compare(with: server) }
            try server.kill()
        }

        private static func expectSound(_ data: String, mayBeTorn: Bool) throws {
            let (status, output, error) = try ChildProcess.run(ServerProcess.executable, ["verify", data])
            guard status == .exited(0) || (mayBeTorn && status == .exited(1)) else {
                throw Failure("stockade verify ended with \(status):\n\(output)\(error)")
            }
        }
    }
}

/// Somebody who asks, beside the load, how far the log is on the disk.
final class DurableWitness {
    private let connection: Connection
    private let request: String
    private var isAsking = false
    /// The newest event that was said to be durable.
    private(set) var sequence: Int64 = 0

    /// - Parameter asksForSync: by DURABLE, which makes the server sync; otherwise it is only asked what it has done.
    init(_ connection: Connection, asksForSync: Bool) {
        self.connection = connection
        request = asksForSync ? "DURABLE" : "STATS log"
    }

    /// Takes the answer, if it has come, and asks again then.
    func ask() throws {
        try takeAnswers()
        guard !isAsking else { return }
        try connection.send([request])
        isAsking = true
    }

    /// What was still said before the server was gone.
    func readRest() throws -> Int64 {
        while !connection.isClosed {
            try takeAnswers()
            usleep(1_000)
        }
        try takeAnswers()
        return sequence
    }

    private func takeAnswers() throws {
        try connection.takeIn()
        while let reply = try connection.nextReply() {
            isAsking = false
            // Between the cut and the end a sync fails, and that is said.
            if reply.isRefusal { continue }
            let found = reply.head.word == "DURABLE" ? reply.head.number("seq")
                : reply.items.lazy.compactMap { $0.number("log_durable_seq") }.first
            guard let found else { throw Failure("'\(request)' was answered: \(reply)") }
            sequence = max(sequence, found)
        }
    }
}
