// What the tests of the database share: a shop that sells, asked questions, and the database's file under it.

import Foundation
import StockArchive
import StockConnection

/// A running server and a connection to it.
struct ArchiveShop {
    let server: ServerProcess
    let connection: Connection
    let data: String

    /// Nothing is folded but by request and at an orderly end; small segments, which are quickly read again.
    static let quiet = ["--snapshot-every", "0", "--segment-size", "1MiB"]

    init(_ data: String, _ flags: [String] = ArchiveShop.quiet) throws {
        self.data = data
        server = try ServerProcess(directory: data, flags: flags)
        connection = try server.connect()
    }

    static func database(in data: String) -> String { data + "/archive.sqlite" }

    var database: String { Self.database(in: data) }

    /// The first line of the reply.
    func ask(_ request: String) throws -> ReplyLine {
        try server.witness { try connection.request(request).head }
    }

    /// Asks, and insists on a reply that begins with a word.
    @discardableResult
    func expect(_ word: String, _ request: String) throws -> ReplyLine {
        let line = try ask(request)
        guard line.word == word else { throw Failure("'\(request)' was answered: \(line)\n\(server.stderr)") }
        return line
    }

    /// Sells `count` orders of one phone each, with ids that begin with `name`, and waits for all replies.
    func sell(_ count: Int, _ name: String) throws {
        try server.witness {
            for reply in try connection.pipeline((0..<count).map { "DEDUCT \(name)-\($0) phone 1 buyer=b\($0 % 7)" }) {
                guard reply.head.word == "SOLD", !reply.head.isReplay else { throw Failure("an order was answered: \(reply)") }
            }
        }
    }

    /// A figure of `STATS persistence`.
    func figure(_ key: String) throws -> String? {
        let lines = try server.witness { try connection.request("STATS persistence").items }
        return lines.first { $0.text.hasPrefix("+\(key)=") }.map { String($0.text.dropFirst(key.utf8.count + 2)) }
    }

    /// Asks again and again until a figure satisfies a condition.
    func await(_ key: String, where condition: (String) -> Bool) throws {
        let limit = Date(timeIntervalSinceNow: 30)
        while Date() < limit {
            if let value = try figure(key), condition(value) { return }
            usleep(20_000)
        }
        throw Failure("\(key) stays \(try figure(key) ?? "unknown")\n\(server.stderr)")
    }

    /// Runs SQL as a stranger, who has the file open beside the server.
    static func change(_ data: String, _ sql: String) throws {
        try Database(database(in: data), .write).execute(sql)
    }
}
