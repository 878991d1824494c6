// The archivist's housekeeping: backups by the clock, then what they and the database make superfluous. A segment goes
// only when its events are in the database that stands in its place *and* in a verified backup, and when it is old.

import CLinux
import Glibc
import StockArchive
import StockJournal
import StockModel

extension ArchivistWork {
    /// A SKU whose row contradicts itself, or the newest entry of its history.
    static var suspects: String {
        """
        SELECT name FROM sku LEFT JOIN entry ON entry.place =
            (SELECT place FROM entry_of_sku WHERE entry_of_sku.sku = sku.ordinal ORDER BY time DESC, place DESC LIMIT 1)
        WHERE loaded <> sku.onhand + sku.sold OR sku.onhand <> entry.onhand OR sku.held <> entry.held
            OR sku.sold <> entry.sold
        LIMIT 1
        """
    }

    /// A step of what is due; short, so that an order need not wait long.
    mutating func keepHouse() {
        let now = clinux_monotonic_ns()
        takeBackup(at: now)
        guard now >= tidyAt else { return }
        tidyAt = now &+ ArchiveLimits.tidyInterval
        // Nothing is folded yet, or the database is in trouble: nothing is taken away.
        guard archive != nil else { return }
        do {
            beginBackupIfDue(at: now)
            try removeSegments()
            if try prune() { tidyAt = now }
        } catch {
            mail.publish { $0.errors &+= 1 }
            mail.tell(.note("housekeeping of the archive failed: \(error)", isTrouble: true))
        }
        // Without new events there is nothing to copy, however long ago the last backup was: the next fold comes back here.
        if options.backupInterval > 0, backup == nil, hasNewsForBackup() { tidyAt = min(tidyAt, max(now, backupAt)) }
        measure()
    }

    // MARK: Backups

    /// What an earlier server left: verified copies, and copies that were not finished.
    mutating func findBackups() {
        backupAt = clinux_monotonic_ns()
        guard access(backupDirectory, F_OK) == 0 else { return }
        do {
            let sequences = try Backup.rotate(in: backupDirectory, keep: ArchiveLimits.backups)
            // Only what is this store's own counts; a copy that was put here by hand may be anything.
            for sequence in sequences.reversed() {
                let path = backupDirectory + "/" + Backup.name(sequence: sequence)
                guard let reader = try? ArchiveReader(path, identity: directory.identity),
                    reader.position.sequence == sequence
                else { continue }
                noteBackup(sequence, madeAt: modificationTime(of: path), count: sequences.count)
                break
            }
        } catch {
            mail.tell(.note("the backups cannot be looked at: \(error)", isTrouble: true))
        }
    }

    private mutating func noteBackup(_ sequence: UInt64, madeAt: Int64, count: Int) {
        backupSequence = sequence
        let age = max(0, clinux_realtime_ns() / 1_000_000 &- madeAt)
        let left = max(0, options.backupInterval &- age)
        backupAt = clinux_monotonic_ns() &+ left.multipliedReportingOverflow(by: 1_000_000).partialValue
        mail.publish {
            $0.backupSequence = sequence
            $0.backupAt = madeAt
            $0.backups = count
        }
    }

    /// Whether the database has events that the newest backup does not have.
    private mutating func hasNewsForBackup() -> Bool {
        let newest = archive?.position.sequence
        return newest.map { $0 > backupSequence } ?? false
    }

    private mutating func beginBackupIfDue(at now: Int64) {
        guard options.backupInterval > 0, backup == nil, now >= backupAt, hasNewsForBackup() else { return }
        // It may exist; whatever else is wrong with it shows when the copy is made.
        _ = mkdir(backupDirectory, 0o700)
        do {
            backup = try BackupRun(
                of: archivePath, into: backupDirectory, identity: directory.identity, bell: mail.bell)
        } catch {
            backupFailed("\(error)", at: now)
        }
    }

    private mutating func takeBackup(at now: Int64) {
        guard let run = backup, let result = run.result else { return }
        backup = nil
        tidyAt = 0
        switch result {
        case .made(let sequence, let nanoseconds):
            backupDelay = ArchiveLimits.firstRetry
            let count = (try? Backup.rotate(in: backupDirectory, keep: ArchiveLimits.backups).count) ?? 1
            noteBackup(sequence, madeAt: clinux_realtime_ns() / 1_000_000, count: count)
            mail.publish {
                $0.backupMilliseconds = nanoseconds / 1_000_000
                $0.backupTrouble = ""
            }
            mail.tell(.note("a backup was made and verified, at event \(sequence)", isTrouble: false))
        case .failed(let text):
            backupFailed(text, at: now)
        }
    }

    private mutating func backupFailed(_ text: String, at now: Int64) {
        backupAt = now &+ backupDelay
        backupDelay = min(backupDelay &* 2, ArchiveLimits.lastBackupRetry)
        mail.publish {
            $0.errors &+= 1
            $0.backupTrouble = text
        }
        mail.tell(.note("no backup could be made: \(text)", isTrouble: true))
    }

    // MARK: What is not needed any more

    private func removeSegments() throws {
        guard backupSequence > 0 else { return }
        let oldest = clinux_realtime_ns() / 1_000_000 &- options.keepLog
        while !mail.hasOrders {
            let segments = try directory.segments(limit: ArchiveLimits.segmentsAtOnce)
            // The database is asked by its name: what is open here might have been moved away.
            guard segments.count > 1, segments[1].firstSequence &- 1 <= backupSequence,
                segments[0].changedAt <= oldest
            else { return }
            let folded = try ArchiveReader(archivePath, identity: directory.identity).position.sequence
            let safe = min(folded, backupSequence)
            var last: UInt64?
            for (segment, next) in zip(segments, segments.dropFirst()) {
                // The next one must be on the disk: what is folded of it was sealed. Otherwise a power cut could leave a
                // log without a beginning.
                guard next.firstSequence &- 1 <= safe, next.firstSequence <= folded, segment.changedAt <= oldest else { break }
                last = segment.number
            }
            guard let last else { return }
            let removed = try directory.removeSegments(through: last)
            mail.publish { $0.removedSegments &+= UInt64(removed) }
            if removed < ArchiveLimits.segmentsAtOnce - 1 { return }
        }
    }

    /// Takes a slice of the old history away; whether there is more.
    private mutating func prune() throws -> Bool {
        guard options.history > 0, var open = archive.take() else { return false }
        // Ledger time, so that a step of the wall clock does not cost any history.
        let time = Timestamp(milliseconds: open.position.clock.milliseconds &- options.history)
        let result = Result { try open.prune(olderThan: time, limit: ArchiveLimits.prunedEntries) }
        let from = open.position.historyFrom
        archive = consume open
        let pruned = try result.get()
        mail.publish {
            $0.prunedEntries &+= UInt64(pruned)
            $0.historyFrom = from
        }
        return pruned == ArchiveLimits.prunedEntries
    }

    // MARK: Sizes

    func measure() {
        let size = try? directory.logSize()
        mail.publish {
            $0.databaseBytes = fileSize(of: archivePath)
            $0.walBytes = fileSize(of: archivePath + "-wal")
            $0.logFiles = size?.files ?? 0
            $0.logBytes = size?.bytes ?? 0
        }
    }
}

/// Bytes of a file; 0 when there is none.
private func fileSize(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}

/// Unix milliseconds; 0 when there is no such file.
private func modificationTime(of path: String) -> Int64 {
    var status = stat()
    guard stat(path, &status) == 0 else { return 0 }
    return Int64(status.st_mtim.tv_sec) &* 1_000 &+ Int64(status.st_mtim.tv_nsec) / 1_000_000
}
