// A server of a few lines for the tests of the load generator: it answers each request line with what the test
// says, in ragged pieces, and counts.

import Foundation
import StockConnection
import Synchronization

/// Listens on a free port of loopback until its owner goes.
final class FakeServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let requests = Mutex<[String: Int]>([:])

    var address: Address { .tcp(host: "127.0.0.1", port: port) }

    /// - Parameter answer: gives the reply line to the n-th request (from 1) of that verb; nil closes the connection.
    init(answer: @escaping @Sendable (_ line: String, _ n: Int) -> String?) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let result = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 100) == 0 ? getsockname(listener, $0, &length) : -1
            }
        }
        guard result == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        port = UInt16(bigEndian: name.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, let self else { return }
                let count = { @Sendable verb in self.count(verb) }
                Thread.detachNewThread { Self.serve(connection, count, answer) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// How many requests of that verb have come.
    func requests(_ verb: String) -> Int { requests.withLock { $0[verb] ?? 0 } }

    private func count(_ verb: String) -> Int {
        requests.withLock {
            $0[verb, default: 0] += 1
            return $0[verb] ?? 0
        }
    }

    private static func serve(_ connection: Int32, _ count: (String) -> Int, _ answer: (String, Int) -> String?) {
        defer { close(connection) }
        var on: Int32 = 1
        setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let got = recv(connection, &buffer, buffer.count, 0)
            guard got > 0 else { return }
            pending += buffer[..<got]
            var output: [UInt8] = []
            while let end = pending.firstIndex(of: 0x0A) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeFirst(end + 1)
                let verb = String(line.prefix { $0 != " " })
                guard let reply = answer(line, count(verb)) else { return }
                output += Array("\(reply)\r\n".utf8)
            }
            // Pieces of seven bytes: most replies come in several reads.
            for start in stride(from: 0, to: output.count, by: 7) {
                let piece = Array(output[start..<min(start + 7, output.count)])
                guard send(connection, piece, piece.count, Int32(MSG_NOSIGNAL)) == piece.count else { return }
            }
        }
    }

    /// What Stockade would say to `line`.
    @Sendable static func honest(_ line: String, _ n: Int) -> String? {
        let words = line.split(separator: " ")
        return switch words.first {
        case "CREATE": "+CREATED \(words[1]) seq=1"
        case "DEDUCT": "+SOLD \(words[1]) seq=2 available=5"
        case "RESERVE": "+HELD \(words[1]) seq=2 available=5 expires=7"
        case "CONFIRM": "+SOLD \(words[1]) seq=3"
        case "CANCEL": "+CANCELLED \(words[1]) seq=3"
        case "GET": "+STOCK \(words[1]) available=5"
        case "PING": "+PONG"
        default: "-UNKNOWN verb"
        }
    }
}
