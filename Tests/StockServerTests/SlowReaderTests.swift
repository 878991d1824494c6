// A client that does not take its replies: it is not read from any more, it costs nobody else anything, it gets every
// reply once it reads, and it is closed when it never does.

import Glibc
import Testing

@testable import StockServer

@Suite("Clients that do not take their replies", .timeLimit(.minutes(2)))
struct SlowReaderTests {
    /// Sends requests until the server has stopped reading them for good; how many bytes the kernel took.
    private func fill(_ client: TestClient, _ server: inout Server) -> Int {
        let requests = Array(String(repeating: "SKUS prefix=none\n", count: 4_000).utf8)
        var sent = 0
        var quietTurns = 0
        // 256 MiB: far more than all buffers of the kernel hold. On a busy machine the kernel may take its time to hand
        // bytes over, so turns count as quiet only once the server has stopped to read.
        for _ in 0..<20_000 where quietTurns < 50 && sent < 256 << 20 {
            let count = client.send(requests[(sent % requests.count)...])
            sent += count
            let isPaused = server.connections.newest()?.pointee.isPaused ?? true
            quietTurns = count == 0 && isPaused ? quietTurns + 1 : 0
            server.turnSoon()
        }
        return sent
    }

    @Test("reading pauses while replies wait, goes on when they are taken, and none is lost")
    func pauses() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server { $0.maximumOutput = 64 << 10 }
        let client = try TestClient(to: server)
        let sent = fill(client, &server)
        #expect(sent < 256 << 20, "the server reads without an end")
        let isPaused = server.connections.newest()?.pointee.isPaused
        #expect(isPaused == true)
        let waiting = server.connections.newest()?.pointee.replies.count ?? .max
        #expect(waiting <= (64 << 10) + 1_024)

        let other = try TestClient(to: server)
        other.send("PING\n")
        server.turn(until: { _ in other.lineCount == 1 })

        // Whole requests: two lines (`*1`, `+END`) each. The last one may have been cut by the kernel.
        let whole = sent / "SKUS prefix=none\n".utf8.count
        server.turn(until: { _ in client.lineCount >= 2 * whole })
        #expect(client.lineCount == 2 * whole)
        #expect(!client.isClosed)
    }

    @Test("it is closed when it has not taken a byte for as long as the configuration says")
    func closes() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server {
            $0.maximumOutput = 64 << 10
            $0.outputPatience = 40
        }
        let client = try TestClient(to: server)
        let sent = fill(client, &server)
        #expect(sent > 0)
        server.turn(until: { $0.connections.count == 0 })
        let closed = server.statistics.closedForPatience
        #expect(closed == 1)
        let other = try TestClient(to: server)
        other.send("PING\n")
        server.turn(until: { _ in other.lineCount == 1 })
    }

    @Test("a client that takes its replies slowly is not closed")
    func slowButAlive() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server {
            $0.maximumOutput = 64 << 10
            $0.outputPatience = 5_000
        }
        let client = try TestClient(to: server)
        _ = fill(client, &server)
        for _ in 0..<20 {
            client.takeIn()
            server.turnSoon()
        }
        let closed = server.statistics.closedForPatience
        #expect(closed == 0)
        #expect(!client.isClosed)
    }

    @Test("many that do not take their replies share what may wait for all, and one that takes them is served")
    func share() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server { $0.maximumHeldReplies = 1 << 20 }
        let slow = try (0..<12).map { _ in try TestClient(to: server, receiveBuffer: 4_096) }
        // Replies of some 11 KiB, so that the kernel's buffers are soon full.
        let request = "MGET" + String(repeating: " a-sku-that-is-not-there-and-has-a-name-as-long-as-a-name-can-well-be", count: 150)
        let requests = Array(String(repeating: request + "\n", count: 20).utf8)
        let reply = 150 * ("-NOSKU a-sku-that-is-not-there-and-has-a-name-as-long-as-a-name-can-well-be\r\n".utf8.count) + 6
        var sent = [Int](repeating: 0, count: slow.count)
        func isStuck(_ server: inout Server) -> Bool {
            var reading = 0
            server.connections.forEach { _, connection in if !connection.pointee.isPaused { reading += 1 } }
            return reading == 0 && server.connections.count == slow.count
        }
        // They send until the server reads from none of them.
        for _ in 0..<20_000 where !isStuck(&server) {
            for (index, client) in slow.enumerated() { sent[index] += client.send(requests[(sent[index] % requests.count)...]) }
            server.turnSoon()
        }
        let stuck = isStuck(&server)
        #expect(stuck)
        var waiting = 0
        var most = 0
        server.connections.forEach { _, connection in
            waiting += connection.pointee.replies.count
            most = max(most, connection.pointee.replies.count)
        }
        let noted = server.connections.heldReplies
        #expect(noted == waiting, "every byte that waits is counted")
        // Each has its least share, and one reply more.
        #expect(most <= TurnLimits.leastOutput + reply)
        #expect(waiting >= slow.count * TurnLimits.leastOutput)

        let other = try TestClient(to: server)
        other.send("PING\n")
        server.turn(until: { _ in other.lineCount == 1 })
        for client in slow { client.close() }
        other.close()
        server.turn(until: { $0.connections.count == 0 })
        let left = server.connections.heldReplies
        #expect(left == 0)
    }

    @Test("one that takes its replies late may have its whole share while few wait for the others")
    func alone() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let whole = server.configuration.maximumOutput
        let before = server.outputAllowance
        #expect(before == whole)
        let client = try TestClient(to: server)
        let sent = fill(client, &server)
        #expect(sent > 0)
        let waiting = server.connections.newest()?.pointee.replies.count ?? 0
        #expect(waiting >= whole)
    }
}
