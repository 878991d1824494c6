// The database made anew: from the log alone when that is complete, else from a backup and the events after it. It is
// made beside the old one, looked through, and only then put in its place; the old one is kept under another name.

import Glibc
import StockArchive
import StockInput
import StockJournal
import StockModel

/// What a rebuild did.
public struct RebuildReport: Equatable, Sendable {
    /// The event that the backup stood at; 0 without one.
    public var from: UInt64 = 0
    /// The newest event of the new database.
    public var sequence: UInt64 = 0
    public var events: UInt64 = 0
    /// Where the old database is now, if there was one.
    public var keptIn: String?
    /// The end of the log is torn; the next start cuts it off.
    public var isTorn = false
}

/// Rebuilds the database of a store that nobody serves.
public struct ArchiveRebuild {
    private let path: String
    private let backup: String?

    private static let suffixes = ["", "-wal", "-shm", "-journal"]

    /// - Parameter backup: a copy made by `stockade backup` or by the server; `nil` to begin with the log's first event.
    public init(_ path: String, from backup: String?) {
        self.path = path
        self.backup = backup
    }

    /// Throws `JournalError.locked` while a server has the directory, `damaged` of either kind for a log or a backup that
    /// is not what was written, `badInput` for a backup that does not reach the log's beginning. The old database is
    /// untouched then.
    public func run(progress: (LogProgress) -> Void = { _ in }) throws -> RebuildReport {
        // Looked at first: to open it for serving would make a store where there is none.
        _ = try StoreDirectory.open(path, access: .inspect)
        let directory = try StoreDirectory.open(path, access: .serve)
        let target = "\(path)/\(StoreFiles.archiveName)"
        let new = target + ".new"
        remove(new)
        do {
            let report = try make(new, directory, progress)
            return try put(new, in: target, report)
        } catch {
            remove(new)
            throw error
        }
    }

    private func make(
        _ new: String, _ directory: StoreDirectory, _ progress: (LogProgress) -> Void
    ) throws -> RebuildReport {
        var report = RebuildReport()
        if let backup {
            guard access(backup, R_OK) == 0 else {
                throw ToolError(.noInput, "cannot read \(backup): \(String(cString: strerror(errno)))")
            }
            report.from = try Backup.make(of: backup, to: new, identity: directory.identity)
        }
        // Nobody is served meanwhile: larger folds go through the trees less often.
        var options = ArchiveOptions()
        options.foldRows = 3_000_000
        options.cacheBytes = 256 << 20
        var archive = try Archive.open(new, identity: directory.identity, options: options)
        let reached = report.from
        let (verdict, log) = try LogInspector.check(
            directory, from: reached + 1, progress: progress,
            visit: { frame in
                if reached == 0, frame.firstSequence > 1, archive.position.sequence == 0, archive.pendingEvents == 0 {
                    throw ToolError(.badInput, missingFront(frame.firstSequence))
                }
                try archive.fold(frame)
            })
        switch verdict {
        case .intact: break
        case .torn: report.isTorn = true
        case .damaged(let damage):
            if reached > 0, log.events == 0 {
                throw ToolError(.badInput, "the log does not go on where the backup ends, at event \(reached): \(damage)")
            }
            throw ToolError(.damaged, damage.description)
        }
        // The database must never be ahead of the log, even after a power cut: first the log goes to the disk.
        try syncLog()
        report.sequence = try archive.commit().sequence
        report.events = report.sequence - reached
        _ = consume archive
        try? keepAgreements(in: new, upTo: report.sequence)
        try ArchiveReader(new, identity: directory.identity).verifyDigests()
        return report
    }

    /// Takes over what the old database knew of reconciliations, which no log has. One that cannot be read is no reason
    /// to fail: drifts are then explained from the history's beginning.
    private func keepAgreements(in new: String, upTo sequence: UInt64) throws {
        let old = "\(path)/\(StoreFiles.archiveName)"
        guard backup == nil, access(old, F_OK) == 0 else { return }
        try Database(old, .write).bringUpToDate()
        let database = try Database(new, .write)
        let attach = try database.prepare("ATTACH ? AS old")
        attach.bind(text: old, at: 1)
        try attach.run()
        // Only what this store had, and only up to where the new database stands.
        let wanted = """
            WHERE sequence <= \(sequence) AND (SELECT value FROM old.meta WHERE key = 'store')
                = (SELECT value FROM main.meta WHERE key = 'store')
            """
        try database.execute(
            """
            BEGIN IMMEDIATE;
            INSERT OR REPLACE INTO main.reconciliation SELECT * FROM old.reconciliation \(wanted);
            INSERT OR REPLACE INTO main.agreement SELECT * FROM old.agreement \(wanted);
            COMMIT; DETACH old
            """)
    }

    private func missingFront(_ first: UInt64) -> String {
        "the log begins with event \(first): what came before it was folded and dropped. Name a backup that reaches event "
            + "\(first - 1): stockade rebuild \(path) --from FILE"
    }

    /// Gives the new database its name; the old one keeps its content under another.
    private func put(_ new: String, in target: String, _ made: RebuildReport) throws -> RebuildReport {
        var report = made
        guard access(new + "-wal", F_OK) != 0 else {
            throw ToolError(.failed, "\(new) still has a write-ahead log: another program has it open")
        }
        if access(target, F_OK) == 0 {
            let old = freeName(target + ".old")
            for suffix in Self.suffixes where access(target + suffix, F_OK) == 0 {
                try move(target + suffix, to: old + suffix)
            }
            report.keptIn = old
        }
        try move(new, to: target)
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0, fsync(folder) == 0 else {
            throw ToolError(.failed, "cannot sync \(path): \(String(cString: strerror(errno)))")
        }
        close(folder)
        return report
    }

    private func syncLog() throws(ToolError) {
        guard let stream = opendir(path + "/log") else {
            throw ToolError(.failed, "cannot read \(path)/log: \(String(cString: strerror(errno)))")
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".seg") else { continue }
            let file = open("\(path)/log/\(name)", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { continue }
            let result = fdatasync(file)
            close(file)
            guard result == 0 else {
                throw ToolError(.failed, "cannot sync \(path)/log/\(name): \(String(cString: strerror(errno)))")
            }
        }
    }

    private func move(_ from: String, to target: String) throws(ToolError) {
        guard rename(from, target) == 0 else {
            throw ToolError(.cannotWrite, "cannot rename \(from) to \(target): \(String(cString: strerror(errno)))")
        }
    }

    private func freeName(_ name: String) -> String {
        var number = 1
        var candidate = name
        while access(candidate, F_OK) == 0 {
            number += 1
            candidate = "\(name).\(number)"
        }
        return candidate
    }

    private func remove(_ database: String) {
        for suffix in Self.suffixes { unlink(database + suffix) }
        for suffix in Self.suffixes { unlink("\(database).tmp\(suffix)") }
    }
}
