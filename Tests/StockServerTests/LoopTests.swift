// Clients that come, say something and go, in every way that a network has: one turn of the loop at a time.

import CLinux
import Glibc
import StockModel
import Testing

@testable import StockServer

@Suite("The loop and its clients", .timeLimit(.minutes(2)))
struct LoopTests {
    @Test("requests are answered in their order, in one write for the turn")
    func answers() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        client.send("CREATE phone 3\nDEDUCT o-1 phone 2\n\nNONSENSE\nGET phone\n")
        server.turn(until: { _ in client.lineCount == 4 })
        #expect(
            client.lines == [
                "+CREATED phone seq=1", "+SOLD o-1 seq=2 available=1", "-UNKNOWN NONSENSE",
                "+STOCK phone available=1 held=0 sold=2 onhand=1 floor=0 limit=0 status=selling seq=2",
            ])
    }

    @Test("a request that comes byte by byte is answered like one that comes whole")
    func byteByByte() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        for byte in "CREATE phone 3\r\n*2\r\n$3\r\nGET\r\n$5\r\nphone\r\n".utf8 {
            _ = client.send([byte][...])
            server.turn()
        }
        server.turn(until: { _ in client.lineCount == 2 })
        #expect(client.lines.first == "+CREATED phone seq=1")
    }

    @Test("a line as long as a line may be is served though it is larger than what is read at once")
    func longLine() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        // Far more SKUs than one MGET may name, which is said when the whole line has come.
        let line = "MGET a" + String(repeating: " a", count: (Limits.requestLength - 6) / 2)
        let bytes = Array("\(line)\nPING\n".utf8)
        var sent = 0
        server.turn(until: { _ in
            sent += client.send(bytes[sent...])
            return client.lineCount == 2
        })
        #expect(client.lines.first?.hasPrefix("-RANGE") == true)
        #expect(client.lines.last == "+PONG")
    }

    @Test("an idle connection keeps no buffer")
    func idle() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        client.send("PING\nPI")
        server.turn(until: { _ in client.lineCount == 1 })
        client.send("NG\n")
        server.turn(until: { _ in client.lineCount == 2 })
        #expect(MemoryLayout<Connection>.size < 512)
    }

    @Test("one deep pipeline does not starve another client: each has its share of a turn")
    func fairness() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let greedy = try TestClient(to: server)
        let modest = try TestClient(to: server)
        server.turn(until: { $0.connections.count == 2 })
        let share = TurnLimits.requests / 4
        greedy.send(String(repeating: "PING\n", count: 4 * share))
        modest.send("PING\n")
        server.turn()
        #expect(greedy.lineCount <= share)
        // The turn may have ended by its time, before it came to the second client.
        if modest.lineCount == 0 { server.turn() }
        #expect(modest.lineCount == 1)
        #expect(greedy.lineCount <= 2 * share)
        server.turn(until: { _ in greedy.lineCount == 4 * share })
    }

    @Test("a client that has said all gets all its replies before its connection ends")
    func halfClose() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        let requests = 3 * TurnLimits.share
        client.send(String(repeating: "PING\n", count: requests) + "PI")
        client.endOutput()
        server.turn(until: { _ in
            client.takeIn()
            return client.isClosed
        })
        #expect(client.lineCount == requests)
        #expect(!client.wasReset)
        let left = server.connections.count
        #expect(left == 0)
    }

    @Test("a request that cannot be understood costs its connection, after every reply before it, and no other")
    func fatal() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        let other = try TestClient(to: server)
        // What follows is never read as requests, but it must not destroy the replies on their way either.
        client.send("PING\n*1\r\n$-1\r\n" + String(repeating: "PING\n", count: 30_000))
        server.turn(until: { _ in
            client.takeIn()
            return client.isClosed
        })
        #expect(client.lines.count == 2)
        #expect(client.lines.first == "+PONG")
        #expect(client.lines.last?.hasPrefix("-SYNTAX") == true)
        #expect(!client.wasReset)
        other.send("PING\n")
        server.turn(until: { _ in other.lineCount == 1 })
        client.close()
        server.turn(until: { $0.connections.count == 1 })
    }

    @Test("QUIT is the last request that is looked at")
    func quit() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        client.send("QUIT\nPING\n")
        server.turn(until: { _ in
            client.takeIn()
            return client.isClosed
        })
        #expect(client.lines == ["+BYE"])
    }

    @Test("one client too many is told so and turned away, and there is room again when another has gone")
    func tooMany() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server { $0.maximumClients = 2 }
        let first = try TestClient(to: server)
        let second = try TestClient(to: server)
        server.turn(until: { $0.connections.count == 2 })
        let third = try TestClient(to: server)
        server.turn(until: { _ in
            third.takeIn()
            return third.isClosed
        })
        #expect(third.lines == ["-BUSY too many connections"])
        second.close()
        server.turn(until: { $0.connections.count == 1 })
        let fourth = try TestClient(to: server)
        fourth.send("PING\n")
        first.send("PING\n")
        server.turn(until: { _ in fourth.lineCount == 1 && first.lineCount == 1 })
    }

    @Test("accepting pauses when descriptors run out, without spinning, and goes on when there are some")
    func exhausted() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let served = try TestClient(to: server)
        server.turn(until: { $0.connections.count == 1 })
        let refusals = SharedNumber(0)
        let error = SharedNumber(EMFILE)
        server.listeners[0].acceptCall = { descriptor in
            if error.value == 0 { return clinux_accept(descriptor, nil, nil) }
            refusals.value += 1
            errno = error.value
            return -1
        }
        let knocking = try TestClient(to: server)
        knocking.send("PING\n")
        server.turn()
        #expect(refusals.value == 1)
        // The socket is still ready, but nobody asks it until the pause is over.
        for _ in 0..<10 {
            served.send("PING\n")
            server.turn()
        }
        #expect(served.lineCount == 10)
        #expect(refusals.value <= 1)
        error.value = 0
        server.turn(until: { _ in knocking.lineCount == 1 })
        let pauses = server.statistics.acceptPauses
        #expect(pauses == 1)
    }

    @Test("an event for a closed connection is not taken for one of its successor")
    func generations() {
        var table = ConnectionTable()
        // A number that no other test, running at the same time, comes by.
        let high: Int32 = 700
        let first = fcntl(STDERR_FILENO, F_DUPFD, high)
        let old = table.newToken(for: first)
        table.insert(Connection(token: old, number: 1, isLoggedIn: true, now: 0))
        table.close(old)
        let again = fcntl(STDERR_FILENO, F_DUPFD, high)
        #expect(again == first)
        let new = table.newToken(for: again)
        table.insert(Connection(token: new, number: 2, isLoggedIn: true, now: 0))
        let foundOld = table.find(old) != nil
        let foundNew = table.find(new)?.pointee.number
        #expect(!foundOld)
        #expect(foundNew == 2)
        table.close(old)
        let left = table.count
        #expect(left == 1)
    }
}
