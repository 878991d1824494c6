// The way back: at a start the database's rows become the ledger, and only the events after them are replayed from the
// log. A database that cannot be used is replaced by replaying the whole log, if the whole log is there; if not, the
// server does not start. It never begins with less than there was.

import CLinux
import Glibc
import StockArchive
import StockJournal
import StockLedger
import StockModel

extension LedgerRestorer: RowSink {}

/// What the database gave to a start, for the log and for `STATS`.
public struct RestoreReport: Sendable {
    /// The newest event in the rows; 0: the ledger was not made from rows.
    public var sequence: UInt64 = 0
    /// Its time.
    var clock = Timestamp(milliseconds: 0)
    public var milliseconds: Int64 = 0
    /// Why the whole log was replayed though there are events: the database was missing or damaged.
    public var rebuilding: String?
    /// Where the damaged one was put.
    public var keptIn: String?
    /// There was no event in the log: it goes on from the database alone, as after a backup was put in its place.
    public var isFromBackupAlone = false

    public init() {}
}

/// A ledger as it was at the end of `report.sequence`.
struct RestoredLedger: ~Copyable {
    var ledger: Ledger
    var report: RestoreReport
}

extension Store {
    static func archivePath(in directory: String) -> String { directory + "/archive.sqlite" }

    /// The ledger of the database, or an empty one for the replay of the whole log.
    static func restore(
        _ directory: StoreDirectory, options: LedgerOptions
    ) throws(StoreError) -> RestoredLedger {
        let began = clinux_monotonic_ns()
        let path = archivePath(in: directory.path)
        let empty = RestoredLedger(
            ledger: Ledger(hashKey: directory.identity.hashKey, options: options), report: RestoreReport())
        do {
            guard try !isBlank(path) else { throw ArchiveError.missing(path: path) }
            let reader = try ArchiveReader(path, identity: directory.identity)
            let position = reader.position
            guard position.sequence > 0 else { return empty }
            var restored = RestoredLedger(
                ledger: try load(reader, at: position, directory, options), report: RestoreReport())
            restored.report.sequence = position.sequence
            restored.report.clock = position.clock
            restored.report.isFromBackupAlone = try directory.hasNoEvents()
            restored.report.milliseconds = (clinux_monotonic_ns() - began) / 1_000_000
            return restored
        } catch {
            return try rebuild(directory, path, because: error, with: empty)
        }
    }

    private static func load(
        _ reader: borrowing ArchiveReader, at position: ArchivePosition, _ directory: StoreDirectory,
        _ options: LedgerOptions
    ) throws -> Ledger {
        var restorer = LedgerRestorer(hashKey: directory.identity.hashKey, options: options)
        do {
            try reader.load(into: &restorer)
            return try restorer.finish(
                LedgerRow(
                    sequence: position.sequence, clock: position.clock, forgottenBy: position.forgottenBy,
                    forgottenCount: position.forgottenCount, digest: position.digest))
        } catch let error as RestoreError {
            throw ArchiveError.damaged(path: archivePath(in: directory.path), problem: error.problem)
        }
    }

    /// Whether there is no database, or one that a crash kept from being begun.
    private static func isBlank(_ path: String) throws(ArchiveError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw .system(call: "stat", path: path, errno: errno) }
            return true
        }
        return try Database(path, .write).integer("SELECT count(*) FROM sqlite_master") == 0
    }

    /// Decides what a database that cannot be used comes to.
    private static func rebuild(
        _ directory: StoreDirectory, _ path: String, because error: any Error, with empty: consuming RestoredLedger
    ) throws(StoreError) -> RestoredLedger {
        var result = empty
        let first: SegmentFile?
        do throws(JournalError) {
            // Nothing was ever written: this is a new store, and a database that is not there is no news.
            if case ArchiveError.missing = error, try directory.hasNoEvents() { return result }
            first = try directory.segments(limit: 1).first
        } catch {
            throw .unreadable(error)
        }
        // If the first segment cannot be read, the replay says what is wrong with it.
        let isComplete = first.map { $0.firstSequence == 1 } ?? true
        switch error {
        case ArchiveError.missing:
            guard isComplete else { throw .noArchive(problem: "\(path) is missing", first: first?.firstSequence ?? 1) }
            result.report.rebuilding = "there is no database yet"
        case ArchiveError.damaged(_, let problem):
            guard isComplete, try !isAlone(directory) else {
                throw .noArchive(problem: "\(path) is damaged: \(problem)", first: first?.firstSequence ?? 1)
            }
            result.report.rebuilding = "the database is damaged: \(problem)"
            result.report.keptIn = try putAside(path)
        case ArchiveError.busy: throw .archiveLocked(path: path)
        case let error as ArchiveError: throw .archive(error)
        case let error as JournalError: throw .unreadable(error)
        default: throw .unreadable(.unsuitable(path: path, why: "\(error)"))
        }
        return result
    }

    /// A damaged database without a log beside it is all that there is.
    private static func isAlone(_ directory: StoreDirectory) throws(StoreError) -> Bool {
        do throws(JournalError) {
            return try directory.hasNoEvents()
        } catch {
            throw .unreadable(error)
        }
    }

    /// Moves a damaged database out of the way, with what belongs to it. Nothing that a person may want to look at is
    /// deleted.
    private static func putAside(_ path: String) throws(StoreError) -> String {
        var name = path + ".damaged"
        var next = 2
        while access(name, F_OK) == 0 {
            name = "\(path).damaged.\(next)"
            next += 1
        }
        for suffix in ["-wal", "-shm", ""] where rename(path + suffix, name + suffix) != 0 && errno != ENOENT {
            throw .unreadable(.system(call: "rename", path: path + suffix, errno: errno))
        }
        return name
    }

    /// Who the store is, as the database says; asked when there is no log to say it.
    static func identity(in path: String) -> StoreIdentity? {
        guard access(path, F_OK) == 0, let database = try? Database(path, .read),
            let store = try? text("store", in: database).flatMap({ UInt128($0, radix: 16) }),
            let key = try? text("hash_key", in: database), key.utf8.count == 32,
            let k0 = UInt64(key.prefix(16), radix: 16), let k1 = UInt64(key.suffix(16), radix: 16)
        else { return nil }
        return StoreIdentity(store: store, hashKey: HashKey(k0: k0, k1: k1))
    }

    private static func text(_ key: String, in database: Database) throws(ArchiveError) -> String? {
        let statement = try database.prepare("SELECT value FROM meta WHERE key = ?")
        statement.bind(text: key, at: 1)
        return try statement.step() ? statement.text(0) : nil
    }
}
