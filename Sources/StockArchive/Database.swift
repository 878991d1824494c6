// One connection to a SQLite database: opened, asked, closed. Together with Statement.swift this is all of SQLite that
// the rest of the module sees; every result code that is not a success becomes an `ArchiveError`.

import CSQLite
import Glibc
import StockModel

/// A connection, used by one thread at a time. Closed when nobody refers to it any more.
public final class Database {
    /// What one wants of the file.
    public enum Access {
        /// To write; made with mode 0600 if it is not there.
        case create
        /// To write; it must be there.
        case write
        /// To look only.
        case read
    }

    public let path: String
    let handle: OpaquePointer
    /// Pages of the write-ahead log as of the newest commit of this connection, when they are counted.
    private(set) var logPages = 0
    /// See `RecordReader`.
    var hasRecordFunctions = false
    /// See `ArchiveOptions`.
    var pause: (@Sendable () -> Void)?

    /// - Parameter patience: milliseconds to wait for a lock that another connection holds, before `busy` is thrown.
    public init(_ path: String, _ access: Access, patience: Int32 = 5_000) throws(ArchiveError) {
        self.path = path
        if access == .create {
            // SQLite would make it with mode 0644; its -wal and -shm files take over the mode of the database.
            let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard file >= 0 else { throw .system(call: "open", path: path, errno: errno) }
            _ = Glibc.close(file)
        } else if Glibc.access(path, F_OK) != 0 {
            throw .missing(path: path)
        }
        // A reader of a database in WAL mode writes, too: to the shared index of the log beside it.
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw ArchiveError(code: code, message: message, path: path)
        }
        handle = opened
        sqlite3_busy_timeout(handle, patience)
        if access == .read { try execute("PRAGMA query_only = 1") }
    }

    deinit {
        // The v2 form waits for statements that are finalised after it.
        sqlite3_close_v2(handle)
    }

    /// Runs statements that have no parameters and no interesting rows.
    public func execute(_ sql: String) throws(ArchiveError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    public func prepare(_ sql: String) throws(ArchiveError) -> Statement {
        try Statement(sql, in: self)
    }

    /// The first column of the first row, 0 if there is none.
    public func integer(_ sql: String) throws(ArchiveError) -> Int64 {
        let statement = try prepare(sql)
        return try statement.step() ? statement.integer(0) : 0
    }

    /// Rows that the newest statement changed.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Ends a transaction without its changes; harmless when none is open, as after an error that ended it.
    func rollback() {
        if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    func failure(_ code: Int32) -> ArchiveError {
        ArchiveError(code: code, message: String(cString: sqlite3_errmsg(handle)), path: path)
    }

    func damaged(_ problem: String) -> ArchiveError { .damaged(path: path, problem: problem) }

    /// Counts `logPages` from now on.
    func countLogPages() {
        sqlite3_wal_hook(handle, { database, _, _, pages in
            if let database { Unmanaged<Database>.fromOpaque(database).takeUnretainedValue().logPages = Int(pages) }
            return SQLITE_OK
        }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Copies what the write-ahead log holds into the database, as far as readers allow, without waiting for anyone.
    ///
    /// - Returns: pages of the log, and how many of them are in the database now.
    func checkpoint() throws(ArchiveError) -> (pages: Int, copied: Int) {
        var pages: Int32 = 0
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied)
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else { throw failure(code) }
        return (Int(pages), Int(copied))
    }

    /// Empties the write-ahead log, all of which must be in the database; waits for readers in it as long as for any
    /// lock. False when they do not go.
    func truncateLog() -> Bool {
        sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil) == SQLITE_OK
    }
}
