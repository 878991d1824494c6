// A store as the tools see it: its directory, its database, and the server that serves it, if one does. The database is
// read in one transaction, so that everything a tool says is of one sequence.

import Glibc
import StockArchive
import StockConnection
import StockInput
import StockJournal
import StockModel

/// The files of a store, looked at, never locked.
public struct StoreFiles {
    public let path: String
    public let identity: StoreIdentity
    /// A server has the directory.
    public let isServed: Bool

    /// The database in a server's directory.
    public static let archiveName = "archive.sqlite"

    public var archive: String { "\(path)/\(Self.archiveName)" }

    /// Throws `JournalError` if there is no store.
    public init(_ path: String) throws(JournalError) {
        let directory = try StoreDirectory.open(path, access: .inspect)
        self.path = path
        identity = directory.identity
        isServed = directory.isServed
    }

    /// Brings the tables of an earlier version's database to what tools read; nothing if there is none.
    public func bringUpToDate() throws(ToolError) {
        guard access(archive, F_OK) == 0 else { return }
        do {
            try Database(archive, .write).bringUpToDate()
        } catch {
            throw ToolError(error)
        }
    }

    /// A view of the database as it is now.
    public func read() throws(ToolError) -> ArchiveReader {
        guard access(archive, F_OK) == 0 else {
            throw ToolError(
                .noInput,
                "there is no \(archive) yet. "
                    + (isServed
                        ? "The server has not folded its log; stop it and run 'stockade rebuild \(path)'"
                        : "Run 'stockade rebuild \(path)', which makes it from the log"))
        }
        do {
            return try ArchiveReader(archive, identity: identity)
        } catch {
            throw ToolError(error)
        }
    }

    /// The process that serves the directory, as the lock file tells it.
    var servingProcess: Int64? {
        guard isServed, let source = try? ByteSource(path: "\(path)/lock") else { return nil }
        var bytes: [UInt8] = []
        guard (try? source.read(into: &bytes)) != nil else { return nil }
        return FieldValue.integer(bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
    }
}

/// The server of a store, asked by the tools.
public struct LiveServer {
    public let connection: Connection

    /// - Parameter password: the one line of a password file, if the server wants one.
    public init(_ address: Address, password: [UInt8]?) throws(ToolError) {
        do {
            connection = try Connection(to: address)
            guard let password else { return }
            try connection.send(bytes: (Array("AUTH ".utf8) + password + [UInt8(ascii: "\n")])[...])
            let reply = try connection.receiveReply().head
            guard !reply.isRefusal else { throw ToolError(.denied, "the server does not take this password: \(reply)") }
        } catch let error as ToolError {
            throw error
        } catch {
            throw ToolError(error)
        }
    }

    /// Whether it is the process that has `store`.
    public func serves(_ store: StoreFiles) throws(ToolError) -> Bool {
        guard let process = store.servingProcess else { return false }
        return try statistic("process", of: "server") == process
    }

    /// A number that `STATS` tells.
    func statistic(_ key: String, of section: String) throws(ToolError) -> Int64? {
        let reply = try ask("STATS \(section)")
        for line in reply.items where line.number(key) != nil { return line.number(key) }
        return nil
    }

    /// Asks for a snapshot, so that the database has everything that was accepted before.
    ///
    /// - Returns: the sequence that it will have at least. A server that takes no snapshots is asked for its newest
    ///   sequence instead: the database may be behind it.
    public func snapshot() throws(ToolError) -> UInt64 {
        var reply = try ask("SNAPSHOT", within: .seconds(600)).head
        if reply.word == "UNKNOWN" { reply = try ask("CLOCK").head }
        guard !reply.isRefusal, let sequence = reply["seq"].flatMap({ UInt64($0) }) else {
            throw ToolError(refusal: reply)
        }
        return sequence
    }

    func ask(_ request: String, within time: Duration = .seconds(30)) throws(ToolError) -> Reply {
        do {
            return try connection.request(request, by: .after(time))
        } catch {
            throw ToolError(error)
        }
    }
}
