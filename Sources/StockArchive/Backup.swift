// A copy of the database at one moment, made while folds go on, looked through from end to end before it gets its
// name. A server starts from such a copy: it is one file, without a write-ahead log beside it.

import CSQLite
import Glibc
import StockJournal
import StockModel

/// A copy that is being made. If it is not finished, what is there of it goes away with this value.
public struct Backup: ~Copyable {
    /// The path that the finished copy gets.
    public let path: String
    /// The sequence that it stands for.
    public let sequence: UInt64
    private let identity: StoreIdentity
    private let temporary: String
    /// A view of the moment; SQLite would begin the copy anew with every fold otherwise.
    private let source: ArchiveReader
    private var target: Database?
    private var handle: OpaquePointer?
    public private(set) var pagesDone = 0
    public private(set) var pagesTotal = 0

    /// Begins a copy of the archive at `archive` that will stand at `path`, whatever stands there now.
    ///
    /// Until it is finished, SQLite's write-ahead log grows with what is folded.
    public init(of archive: String, to path: String, identity: StoreIdentity) throws(ArchiveError) {
        let temporary = path + ".tmp"
        Backup.remove(temporary)
        let source = try ArchiveReader(archive, identity: identity)
        let target = try Database(temporary, .create)
        // Nobody else has the copy, and it is brought to the disk once, at the end.
        try target.execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
        guard let handle = sqlite3_backup_init(target.handle, "main", source.database.handle, "main") else {
            throw target.failure(sqlite3_extended_errcode(target.handle))
        }
        self.path = path
        self.temporary = temporary
        self.identity = identity
        sequence = source.position.sequence
        self.source = source
        self.target = target
        self.handle = handle
    }

    deinit {
        sqlite3_backup_finish(handle)
        if target != nil { Backup.remove(temporary) }
    }

    /// Copies up to `pages` more pages of 4 KiB; true when all are copied.
    public mutating func step(pages: Int32) throws(ArchiveError) -> Bool {
        let code = sqlite3_backup_step(handle, pages)
        pagesTotal = Int(sqlite3_backup_pagecount(handle))
        pagesDone = pagesTotal - Int(sqlite3_backup_remaining(handle))
        switch code {
        case SQLITE_DONE: return true
        case SQLITE_OK: return false
        default: throw ArchiveError(code: code, message: String(cString: sqlite3_errstr(code)), path: temporary)
        }
    }

    /// Looks the copy through (SQLite's own check, and the digests counted again from its rows), brings it to the
    /// disk and gives it its name in one step. All pages have been copied.
    public consuming func finish() throws(ArchiveError) {
        let code = sqlite3_backup_finish(handle)
        handle = nil
        guard code == SQLITE_OK, let copy = target else {
            throw ArchiveError(code: code, message: String(cString: sqlite3_errstr(code)), path: temporary)
        }
        // One file that needs nothing beside it; a server that starts from it turns its log on again.
        try copy.execute("PRAGMA journal_mode = DELETE")
        let check = try copy.prepare("PRAGMA quick_check(1)")
        guard try check.step(), check.text(0) == "ok" else { throw copy.damaged(check.text(0)) }
        check.reset()
        try ArchiveReader(temporary, identity: identity).verifyDigests()
        try Backup.sync(temporary)
        guard rename(temporary, path) == 0 else { throw .system(call: "rename", path: path, errno: errno) }
        try Backup.sync(Backup.directory(of: path))
        target = nil
    }

    /// All of it at once.
    public static func make(
        of archive: String, to path: String, identity: StoreIdentity
    ) throws(ArchiveError) -> UInt64 {
        var backup = try Backup(of: archive, to: path, identity: identity)
        let sequence = backup.sequence
        while try !backup.step(pages: 4_096) {}
        try backup.finish()
        return sequence
    }

    // MARK: Automatic backups

    /// The name of an automatic backup: in a listing, the newest comes last.
    public static func name(sequence: UInt64) -> String {
        let digits = String(sequence)
        return "backup-" + String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits + ".sqlite"
    }

    /// Removes all automatic backups in `directory` but the newest `keep`.
    ///
    /// - Returns: the sequences of those that stay, ascending.
    public static func rotate(in directory: String, keep: Int) throws(ArchiveError) -> [UInt64] {
        guard let stream = opendir(directory) else { throw .system(call: "opendir", path: directory, errno: errno) }
        defer { closedir(stream) }
        var sequences: [UInt64] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix("backup-"), name.hasSuffix(".sqlite"),
                let sequence = UInt64(name.dropFirst(7).dropLast(7)), name == Backup.name(sequence: sequence)
            else { continue }
            sequences.append(sequence)
        }
        sequences.sort()
        for sequence in sequences.dropLast(keep) { remove(directory + "/" + name(sequence: sequence)) }
        return Array(sequences.suffix(keep))
    }

    // MARK: Files

    private static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func sync(_ path: String) throws(ArchiveError) {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        defer { _ = Glibc.close(file) }
        guard fsync(file) == 0 else { throw .system(call: "fsync", path: path, errno: errno) }
    }
}
