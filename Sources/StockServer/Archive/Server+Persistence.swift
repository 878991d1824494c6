// `STATS persistence`: how far the database is behind the log, what the newest snapshot and backup were, how large the
// files are, and what went wrong.

import StockModel

extension Server {
    func addPersistence(to lines: inout StatisticLines) {
        let figures = archivist.mail.figures
        let state = !figures.trouble.isEmpty ? "failing" : archive.round == nil ? "ok" : "folding"
        lines.add("archive_state", text: state)
        if !figures.trouble.isEmpty { lines.add("archive_reason", text: figures.trouble) }
        lines.add("archive_errors", figures.errors)
        lines.add("fold_lag_events", store.ledger.sequence &- archive.foldedSequence)
        lines.add("fold_lag_ms", archive.lag(at: now))

        lines.add("snapshots", archive.rounds)
        lines.add("snapshot_seq", archive.foldedSequence)
        lines.add("snapshot_at", archive.lastAt)
        lines.add("snapshot_ms", archive.lastDuration / 1_000_000)
        lines.add("verifying", archive.verification.running == nil ? 0 : 1)

        let restored = store.recovery.restored
        lines.add("restored_seq", restored.sequence)
        lines.add("restored_ms", restored.milliseconds)
        lines.add("restored_by", text: restored.rebuilding == nil ? "database" : "log")

        lines.add("database_bytes", figures.databaseBytes)
        lines.add("database_wal_bytes", figures.walBytes)
        lines.add("log_files", figures.logFiles)
        lines.add("log_file_bytes", figures.logBytes)
        lines.add("log_segments_removed", figures.removedSegments)
        lines.add("history_from_seq", figures.historyFrom)
        lines.add("history_pruned", figures.prunedEntries)

        lines.add("backups", figures.backups)
        lines.add("backup_seq", figures.backupSequence)
        lines.add("backup_at", figures.backupAt)
        lines.add("backup_ms", figures.backupMilliseconds)
        if !figures.backupTrouble.isEmpty { lines.add("backup_reason", text: figures.backupTrouble) }
    }
}
