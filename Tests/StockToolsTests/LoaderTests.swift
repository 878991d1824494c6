// Loading against a server that is played by the test: one that is busy, full, or gone.

import Foundation
import StockConnection
import StockInput
import Synchronization
import Testing

@testable import StockTools

/// Listens on a Unix socket and answers one connection, line by line, as it is told; nil closes it.
private final class FakeServer: @unchecked Sendable {
    let address: Address
    private let listener: Int32
    private let seen = Mutex<[String]>([])

    init(in scratch: Scratch, answer: @escaping @Sendable (String, Int) -> String?) throws {
        let path = "\(scratch.path)/server.sock"
        address = .unix(path: path)
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafeBytes(of: name) {
            bind(listener, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        try #require(bound == 0 && listen(listener, 1) == 0)
        Thread.detachNewThread { self.serve(answer) }
    }

    deinit { close(listener) }

    /// The lines that came, in their order.
    var requests: [String] { seen.withLock { $0 } }

    private func serve(_ answer: (String, Int) -> String?) {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        defer { close(client) }
        var counts: [String: Int] = [:]
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let got = recv(client, &buffer, buffer.count, 0)
            if got <= 0 { return }
            rest += buffer[..<got]
            var replies = ""
            var isOver = false
            while !isOver, let end = rest.firstIndex(of: 0x0A) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeFirst(end + 1)
                seen.withLock { $0.append(line) }
                counts[line, default: 0] += 1
                if let reply = answer(line, counts[line] ?? 1) { replies += reply + "\r\n" } else { isOver = true }
            }
            let bytes = Array(replies.utf8)
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                if count <= 0 { return }
                sent += count
            }
            if isOver { return }
        }
    }
}

@Suite("Loading")
struct LoaderTests {
    private static func load(
        _ rows: Int, _ answer: @escaping @Sendable (String, Int) -> String?
    ) throws -> (summary: LoadReport, failure: ToolError?, requests: [String]) {
        let scratch = try Scratch()
        let file = try scratch.write((0..<rows).map { "sku-\($0),1\n" }.joined(), to: "stock.csv")
        let server = try FakeServer(in: scratch, answer: answer)
        var loader = try StockLoader(ByteSource(path: file), on: Connection(to: server.address), report: { _ in })
        var failure: ToolError?
        do { try loader.run() } catch { failure = ToolError(error) }
        return (loader.summary, failure, server.requests)
    }

    @Test("What the server was too busy for is sent again until it is taken; everything else is sent once")
    func busy() throws {
        let (summary, failure, requests) = try Self.load(20_000) { line, times in
            if line == "DURABLE" { return "+DURABLE seq=20000" }
            if line.hasSuffix("7 1"), times < 3 { return "-BUSY the disk is behind" }
            return "+CREATED x seq=1"
        }
        #expect(failure == nil)
        #expect(summary.created == 20_000 && summary.sequence == 20_000)
        #expect(requests.count == 20_000 + 2 * 2_000 + 1)
        #expect(Set(requests).count == 20_001 && requests.last == "DURABLE")
    }

    @Test("A full server ends the load, and the summary says how far it came")
    func full() throws {
        let (summary, failure, _) = try Self.load(10_000) { line, _ in
            line.hasPrefix("CREATE sku-9") ? "-FULL skus" : line.hasPrefix("CREATE sku-1") ? "-EXISTS x onhand=1" : "+CREATED x seq=1"
        }
        #expect(failure?.kind == .tryLater)
        // Up to the first sku-9: of sku-0 to sku-8, sku-1 was there.
        #expect(summary.created == 8 && summary.existing == 1 && summary.sequence == nil)
    }

    @Test("A server that goes away, or is none, ends the load")
    func gone() throws {
        let gone = try Self.load(10_000) { line, _ in line == "CREATE sku-5000 1" ? nil : "+CREATED x seq=1" }
        #expect(gone.failure?.kind == .unreachable)
        #expect(gone.summary.created <= 5_000)
        #expect(try Self.load(3) { _, _ in "HTTP/1.1 400 Bad Request" }.failure?.kind == .unreachable)
        #expect(try Self.load(3) { _, _ in "-NOAUTH log in first" }.failure?.kind == .denied)
    }
}
