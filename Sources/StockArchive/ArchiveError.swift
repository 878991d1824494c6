// Everything that can go wrong with the archive, as typed errors that tell an operator what to do. None of them costs
// a promise: the log has every event, and the archive folds it again from where it stands.

import CSQLite

/// Why the archive could not be opened, folded into, read or copied.
public enum ArchiveError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another connection holds the database's lock. Nothing was changed; try again.
    case busy(path: String)
    /// There is no database at this path.
    case missing(path: String)
    /// The database is not what was written: a broken page, a row that no fold writes, a digest that differs.
    case damaged(path: String, problem: String)
    /// It is some other file: another program's database, or another store's archive.
    case foreign(path: String, problem: String)
    /// A later version of this program wrote it.
    case newerFormat(path: String, found: Int64, known: Int64)
    /// The disk or the quota is full. Nothing was changed.
    case full(path: String)
    /// The event does not follow the newest that is folded.
    case gap(expected: UInt64, found: UInt64)
    /// The event does not fit the rows that it meets: the log or the database is damaged.
    case misfit(sequence: UInt64, problem: String)
    /// A system call failed.
    case system(call: String, path: String, errno: Int32)
    /// Any other failure, with SQLite's extended code and words.
    case sqlite(code: Int32, message: String, path: String)

    public var description: String {
        switch self {
        case .busy(let path):
            "\(path) is locked by another connection; nothing was changed, it is tried again"
        case .missing(let path):
            "there is no database \(path); it is rebuilt when the log is complete from its first segment, "
                + "or restore a backup"
        case .damaged(let path, let problem):
            "\(path) is damaged: \(problem). Nothing was changed. Move it (and its -wal file) away and start again: "
                + "the database is rebuilt when the log is complete from its first segment; otherwise put a backup "
                + "in its place, from which the log goes on"
        case .foreign(let path, let problem):
            "\(path) is not the archive of this store: \(problem). Move it away, or put the right file in its place"
        case .newerFormat(let path, let found, let known):
            "\(path) has format \(found), this version knows formats up to \(known): start the newer version"
        case .full(let path):
            "no space left for \(path); nothing was lost, the log has the events. Make room"
        case .gap(let expected, let found):
            "event \(found) does not follow: the archive expects event \(expected)"
        case .misfit(let sequence, let problem):
            "event \(sequence) does not fit the archive: \(problem). The log or the database is damaged"
        case .system(let call, let path, let errno):
            "\(path): \(call) failed with errno \(errno)"
        case .sqlite(let code, let message, let path):
            "\(path): \(message) (SQLite code \(code))"
        }
    }

    /// Sorts a result code of SQLite into the cases above.
    init(code: Int32, message: String, path: String) {
        self =
            switch code & 0xFF {
            case SQLITE_BUSY, SQLITE_LOCKED: .busy(path: path)
            case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged(path: path, problem: message)
            case SQLITE_FULL: .full(path: path)
            default: .sqlite(code: code, message: message, path: path)
            }
    }
}
