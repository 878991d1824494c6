// Logging in, what the server tells about itself, holds that run out while nobody asks, and the end.

import CLinux
import Glibc
import Testing

@testable import StockServer

@Suite("Sessions", .timeLimit(.minutes(2)))
struct SessionTests {
    private func answers(_ server: inout Server, _ client: TestClient, _ requests: String, count: Int) -> [String] {
        let before = client.lineCount
        client.send(requests)
        server.turn(until: { _ in client.lineCount >= before + count })
        return Array(client.lines.dropFirst(before))
    }

    @Test("without the password only AUTH, HELLO and QUIT are served")
    func logIn() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server { $0.password = Array("sesame".utf8) }
        let client = try TestClient(to: server)
        let refused = answers(
            &server, client, "PING\nCREATE a 1\nSTATS\nSHUTDOWN\nHELLO 3\nMGET a\nDURABLE\nCLIENT ID\n", count: 8)
        #expect(refused.allSatisfy { $0.hasPrefix("-NOAUTH") })
        let wrong = answers(
            &server, client, "AUTH sesam\nAUTH sesamE\nAUTH sesamesesame\nAUTH default s\nHELLO 3 AUTH u wrong\n", count: 5)
        #expect(wrong.allSatisfy { $0.hasPrefix("-DENIED") })
        #expect(wrong.allSatisfy { !$0.contains("sesam") })
        #expect(answers(&server, client, "PING\nAUTH sesame\nPING\n", count: 3).suffix(2) == ["+OK", "+PONG"])
        let other = try TestClient(to: server)
        #expect(answers(&server, other, "HELLO 2 AUTH default sesame\n", count: 11).first == "*10")
    }

    @Test("an empty secret is not the password, nor is any secret an empty password's")
    func emptySecret() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server { $0.password = Array("s".utf8) }
        let client = try TestClient(to: server)
        let replies = answers(&server, client, "*2\r\n$4\r\nAUTH\r\n$0\r\n\r\nPING\n", count: 2)
        #expect(replies.last?.hasPrefix("-NOAUTH") == true)
    }

    @Test("every section of STATS announces as many lines as it has, and an unknown one is refused")
    func statistics() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        _ = answers(&server, client, "CREATE a 1\nDEDUCT o a 2\n", count: 2)
        for section in [""] + StatisticsSection.allCases.map(\.rawValue) {
            let before = client.lineCount
            client.send("STATS \(section)\nPING\n")
            server.turn(until: { _ in client.lineCount > before && client.lines.last == "+PONG" })
            let lines = Array(client.lines.dropFirst(before))
            #expect(lines.first == "*\(lines.count - 2)")
            #expect(lines.dropFirst().dropLast().allSatisfy { $0.hasPrefix("+") && $0.contains("=") })
        }
        #expect(answers(&server, client, "STATS nothing\n", count: 1).last?.hasPrefix("-SYNTAX") == true)
        #expect(client.lines.contains("+deduct_calls=1"))
        #expect(client.lines.contains("+refused_INSUFFICIENT=1"))
    }

    @Test("a hold that runs out gives its stock back without anybody asking")
    func expiry() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        let lines = answers(&server, client, "CREATE a 1\nRESERVE o 20ms a 1\nGET a\n", count: 3)
        #expect(lines.last?.contains("held=1") == true)
        // Nothing else wakes the loop: these turns wait for the hold.
        let isAwaited = server.timers.isSet(.expiry)
        try #require(isAwaited)
        while server.store.ledger.holdCount > 0, server.timers.isSet(.expiry) { server.turn() }
        let newest = server.store.ledger.sequence
        #expect(newest == 3)
        #expect(answers(&server, client, "GET a\n", count: 1).last?.contains("available=1 held=0") == true)
        // It is in the log too.
        let written = server.store.journal.writtenSequence
        #expect(written == 3)
    }

    @Test("pages end with a token, and go on from it to the end")
    func pages() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server()
        let client = try TestClient(to: server)
        _ = answers(&server, client, (1...5).map { "CREATE sku-\($0) \($0)\n" }.joined(), count: 5)
        let first = answers(&server, client, "SKUS count=3\n", count: 5)
        #expect(first[0] == "*4")
        let token = try #require(first.last?.split(separator: " ").last)
        #expect(first.last?.hasPrefix("+NEXT ") == true)
        let second = answers(&server, client, "SKUS count=3 after=\(token)\n", count: 4)
        #expect(second[0] == "*3")
        #expect(second.last == "+END")
        #expect(answers(&server, client, "SKUS after=12345\n", count: 1).last?.hasPrefix("-RANGE") == true)
    }

    @Test("SHUTDOWN answers what was sent before, says goodbye last, and closes the log in order")
    func shutdown() throws {
        let sandbox = try Sandbox()
        var server = try sandbox.server { $0.unixPath = sandbox.socket }
        let client = try TestClient(to: server)
        let other = try TestClient(to: server)
        #expect(access(sandbox.socket, F_OK) == 0)
        server.turn(until: { $0.connections.count == 2 })
        other.send(String(repeating: "PING\n", count: 2_000))
        client.send("CREATE a 1\nDEDUCT o a 1\nSHUTDOWN\nPING\n")
        client.endOutput()
        let status = server.run()
        #expect(status == .clean)
        #expect(client.lines == ["+CREATED a seq=1", "+SOLD o seq=2 available=0", "+BYE"])
        client.takeIn()
        #expect(client.isClosed && !client.wasReset)
        #expect(other.lineCount == 2_000)
        #expect(access(sandbox.socket, F_OK) != 0)

        var again = try sandbox.server()
        let wasClean = again.store.recovery.report.wasClean
        #expect(wasClean)
        let newcomer = try TestClient(to: again)
        #expect(answers(&again, newcomer, "DEDUCT o a 1\n", count: 1) == ["+SOLD o seq=2 available=0 replay=1"])
    }

    @Test("a socket file that a killed server left is replaced; one that is answered on, or no socket, is not")
    func unixSocket() throws {
        let sandbox = try Sandbox()
        do {
            let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(sandbox.socket.utf8)) }
            let bound = withUnsafeBytes(of: &address) { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) { bind(left, $0.baseAddress, socklen_t(bytes.count)) }
            }
            #expect(bound == 0)
            close(left)
        }
        let listener = try Listener.unix(sandbox.socket)
        #expect(throws: ListeningError.self) { try Listener.unix(sandbox.socket) }
        #expect(access(sandbox.socket, F_OK) == 0)
        withExtendedLifetime(listener) {}
        let plain = "\(sandbox.path)/plain"
        close(open(plain, O_CREAT | O_WRONLY, 0o600))
        #expect(throws: ListeningError.self) { try Listener.unix(plain) }
        #expect(access(plain, F_OK) == 0)
    }
}
