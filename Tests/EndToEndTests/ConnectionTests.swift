// The line client by itself: addresses, replies, framing, and what it says when the other side misbehaves.

import Foundation
import StockConnection
import Testing

@Suite("The line client")
struct ConnectionTests {
    @Test(
        "Addresses are read as people write them, and written the same way",
        arguments: [
            ("127.0.0.1:7865", Address.tcp(host: "127.0.0.1", port: 7865)), ("shop.example:80", .tcp(host: "shop.example", port: 80)),
            ("[::1]:7865", .tcp(host: "::1", port: 7865)), ("unix:/run/s.sock", .unix(path: "/run/s.sock")),
        ])
    func addresses(text: String, address: Address) throws {
        #expect(try Address(text) == address)
        #expect(address.description == text)
    }

    @Test("The port may be left out")
    func standardPort() throws {
        #expect(try Address("localhost") == .tcp(host: "localhost", port: 7865))
        #expect(try Address("[::1]") == .tcp(host: "::1", port: 7865))
    }

    @Test("What is no address is refused", arguments: ["", ":", ":80", "a:", "a:b", "a:+1", "a:65536", "::1", "[::1", "[]:1", "[::1]x", "unix:"])
    func badAddresses(text: String) {
        #expect(throws: ConnectionError.badAddress(text)) { try Address(text) }
    }

    @Test("A request becomes a line or an array of its words")
    func framing() {
        #expect(RequestFraming.line.bytes(of: ["GET  a", ""]) == Array("GET  a\n\n".utf8))
        #expect(RequestFraming.array.bytes(of: ["GET  abc", ""]) == Array("*2\r\n$3\r\nGET\r\n$3\r\nabc\r\n*0\r\n".utf8))
    }

    @Test("A reply line is its sign, words, pairs and the lines of an order")
    func replyLine() {
        let line = ReplyLine("+ORDER o-1 state=held seq=12 buyer=b lines=2 a 2 b 1")
        #expect(!line.isRefusal && line.word == "ORDER" && line.positional == ["o-1"])
        #expect(line["state"] == "held" && line.number("seq") == 12 && line["none"] == nil && !line.isReplay)
        #expect(line.orderLines?.map(\.sku) == ["a", "b"] && line.orderLines?.map(\.quantity) == [2, 1])
        #expect(ReplyLine("+ORDER o-1 lines=2 a 2").orderLines == nil)
        #expect(ReplyLine("-NOSKU a").isRefusal)
        #expect(ReplyLine("+SOLD a seq=1 replay=1").isReplay)
    }

    @Test("Replies of one line, of many and of RESP3 come in order, however their bytes are cut")
    func replies() throws {
        let listener = try Listener()
        let connection = try Connection(to: listener.address)
        let peer = try listener.accept()
        for byte in "+OK\r\n*2\r\n+a\r\n-b c\r\n%1\r\n+k\r\n:3\r\n*0\r\n".utf8 { peer.write([byte]) }
        let replies = try (0..<4).map { _ in try connection.receiveReply().description }
        #expect(replies == ["+OK", "*2\n+a\n-b c", "%1\n+k\n:3", "*0"])
        peer.close()
        #expect(throws: ConnectionError.closed) { try connection.receiveReply() }
    }

    @Test(
        "Bytes that are no reply are an error",
        arguments: ["+OK\n", "\n", "*x\r\n", "*-1\r\n", "*99999999\r\n", String(repeating: "a", count: Connection.longestLine + 1)])
    func protocolErrors(bytes: String) throws {
        let listener = try Listener()
        let connection = try Connection(to: listener.address)
        let peer = try listener.accept()
        Thread.detachNewThread {
            peer.write(Array(bytes.utf8))
            peer.close()
        }
        #expect {
            try connection.receiveReply()
        } throws: { error in
            if case ConnectionError.protocolError = error { true } else { false }
        }
    }

    @Test("Nobody listening, and nobody answering, are told apart")
    func refusedAndTimedOut() throws {
        let listener = try Listener()
        let connection = try Connection(to: listener.address)
        #expect(throws: ConnectionError.timedOut(waitingFor: "a reply")) { try connection.receiveLine(by: .after(.milliseconds(1))) }
        listener.close()
        #expect(throws: ConnectionError.refused(listener.address)) { try Connection(to: listener.address) }
        let path = "/nonexistent/socket"
        #expect(throws: ConnectionError.refused(.unix(path: path))) { try Connection(to: .unix(path: path)) }
    }

    @Test("A server that goes away while we write is an error, not a signal")
    func brokenPipe() throws {
        let listener = try Listener()
        let connection = try Connection(to: listener.address)
        try listener.accept().close()
        #expect(throws: ConnectionError.closed) {
            for _ in 0..<10_000 { try connection.send(bytes: Array(repeating: 0, count: 10_000)[...]) }
        }
    }
}

/// A listening socket on loopback, for the other side of a conversation.
private final class Listener {
    let address: Address
    private var descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (socket, size) = (descriptor, length)
        let result = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                bind(socket, name, size) == 0 && listen(socket, 8) == 0 && getsockname(socket, name, &length) == 0
            }
        }
        guard result else { throw Failure("cannot listen: errno \(errno)") }
        address = .tcp(host: "127.0.0.1", port: UInt16(bigEndian: name.sin_port))
    }

    deinit { close() }

    func accept() throws -> Peer {
        let peer = Glibc.accept(descriptor, nil, nil)
        guard peer >= 0 else { throw Failure("accept: errno \(errno)") }
        return Peer(descriptor: peer)
    }

    func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }
}

/// The accepted end, which says what a test wants said.
private struct Peer: Sendable {
    let descriptor: Int32

    func write(_ bytes: [UInt8]) { _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    func close() { _ = Glibc.close(descriptor) }
}
