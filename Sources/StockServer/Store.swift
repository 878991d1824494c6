// What the server serves from: the directory, the ledger that its files describe, and the writer that continues the
// log. Opening a store is loading the database's rows (Archive/Restore.swift) and replaying the log after them: every
// event is read, checked and applied, and only when the ledger stands exactly where the log ends does the server begin
// to answer.

import CLinux
import StockArchive
import StockJournal
import StockLedger
import StockModel

/// What was found and how long it took, for the log and for `STATS`.
public struct StoreRecovery: Sendable {
    public var report: RecoveryReport
    public var restored: RestoreReport
    /// Events that were replayed from the log.
    public var replayed: UInt64
    /// From opening the directory to the ready ledger, in milliseconds.
    public var milliseconds: Int64
}

/// Why there is no store to serve from. The description is for an operator: what is where, and what to do.
public enum StoreError: Error, Sendable, CustomStringConvertible {
    /// The directory cannot be made or used.
    case directory(JournalError)
    /// Another server has it.
    case locked(JournalError)
    /// Its files cannot be read or written.
    case unreadable(JournalError)
    /// The log is not what was written.
    case damaged(LogDamage)
    /// Every byte of the log is as written, but what it says does not follow from what came before.
    case inconsistent(position: LogPosition, sequence: UInt64, problem: String)
    /// The database is missing or damaged, and the log begins with event `first`: it cannot be made from the log alone.
    case noArchive(problem: String, first: UInt64)
    /// The database cannot be used, and replacing it would be wrong.
    case archive(ArchiveError)
    /// Somebody else holds the lock of the database.
    case archiveLocked(path: String)
    /// The machine's clock does not fit the log.
    case clock(ClockRefusal)

    public var description: String {
        switch self {
        case .directory(let error), .locked(let error), .unreadable(let error): error.description
        case .damaged(let damage): damage.description
        case .inconsistent(let position, let sequence, let problem):
            "The log contradicts itself at event \(sequence) (segment \(position.segment), byte \(position.offset)): "
                + "\(problem). Nothing was changed. Its checksums are right, so the disk is not at fault: either the "
                + "log was written by a newer version of this program, or the program has a bug. Keep the directory "
                + "as it is and start the version that wrote it."
        case .noArchive(let problem, let first):
            "\(problem). \(first == 1 ? "There is no event in the log" : "The log begins with event \(first)"), so the "
                + "database cannot be made again from the log alone. Nothing was changed. The way out: `stockade rebuild` makes a database from the newest of the copies in "
                + "backup/ and the segments after it. By hand: move archive.sqlite, archive.sqlite-wal and "
                + "archive.sqlite-shm away, copy a backup to archive.sqlite, and start again."
        case .archive(let error): error.description
        case .archiveLocked(let path): "\(path) is locked by another program. Nothing was changed; end that program."
        case .clock(let refusal): refusal.description
        }
    }

    /// As in sysexits.h; `stockade serve --help` lists them.
    public var exitCode: Int32 {
        switch self {
        case .directory: 73
        case .unreadable: 74
        case .locked, .clock, .archiveLocked: 75
        case .damaged, .inconsistent, .noArchive: 78
        case .archive(let error):
            switch error {
            case .foreign, .newerFormat, .damaged, .gap, .misfit, .missing: 78
            case .busy, .full, .system, .sqlite: 74
            }
        }
    }
}

/// A store that is ready to serve. Its parts go to the server, which owns them from then on.
public struct Store: ~Copyable {
    /// Holds the lock of the directory as long as it lives.
    public let directory: StoreDirectory
    public var ledger: Ledger
    public var journal: JournalWriter
    public var clock: LedgerClock
    let memory: MemoryPreparer
    public let recovery: StoreRecovery

    /// Opens and locks the directory, recovers and replays its log, and starts the clock.
    ///
    /// - Parameters:
    ///   - reading: the machine's clocks, read after the replay.
    ///   - progress: called every few MiB of log and at the end.
    public init(
        opening configuration: ServerConfiguration, reading: () -> ClockReading = ClockReading.machine,
        progress: (LogProgress) -> Void = { _ in }
    ) throws(StoreError) {
        let began = clinux_monotonic_ns()
        let directory = try Self.openDirectory(configuration.directory)
        let restored = try Self.restore(directory, options: configuration.ledgerOptions)
        let restoring = restored.report
        var ledger = restored.ledger
        let memory: MemoryPreparer
        do { memory = try MemoryPreparer() } catch { throw .unreadable(error) }
        var options = configuration.journalOptions
        options.beginsAnywhere = restoring.sequence > 0
        let journal: JournalWriter
        var ahead = ReplayAhead()
        ledger.beginReplay()
        do {
            journal = try JournalWriter(
                opening: directory, options: options, replayFrom: restoring.sequence &+ 1, progress: progress,
                replay: { frame in
                    memory.serve(&ledger)
                    try Self.replay(frame, into: &ledger, &ahead)
                })
        } catch {
            throw Self.storeError(error, path: directory.path)
        }
        ledger.endReplay()
        let report = journal.recovery
        invariant(ledger.sequence == report.lastSequence, "the ledger stands where the log ends")
        let newest =
            report.lastSequence == 0
            ? nil : Timestamp(milliseconds: max(report.lastTime, restoring.clock.milliseconds))
        do {
            clock = try LedgerClock(
                startingAt: reading(), after: newest, maximumJump: configuration.maximumClockJump,
                accept: configuration.acceptClock)
        } catch {
            // The refusal is what matters; a log that was not closed in order is only copied once more.
            try? journal.close()
            throw .clock(error)
        }
        self.directory = directory
        self.ledger = ledger
        self.memory = memory
        self.journal = journal
        recovery = StoreRecovery(
            report: report, restored: restoring, replayed: report.lastSequence &- restoring.sequence,
            milliseconds: (clinux_monotonic_ns() - began) / 1_000_000)
    }

    /// Brings everything to the disk, ends the log in order and gives the directory back. Waits for the disk.
    public consuming func close() throws(JournalError) {
        try journal.close()
    }

    private static func storeError(_ error: any Error, path: String) -> StoreError {
        switch error {
        case let error as StoreError: error
        case JournalError.damaged(let damage): .damaged(damage)
        case let error as JournalError: .unreadable(error)
        default: .unreadable(.unsuitable(path: path, why: "\(error)"))
        }
    }

    private static func openDirectory(_ path: String) throws(StoreError) -> StoreDirectory {
        do {
            return try StoreDirectory.open(path, access: .serve, identity: { identity(in: archivePath(in: path)) })
        } catch {
            switch error {
            case .locked: throw .locked(error)
            case .damaged(let damage): throw .damaged(damage)
            case .unsuitable, .system: throw .directory(error)
            }
        }
    }

    /// Applies the events of one frame, which must continue where the ledger stands. The first one after the database's
    /// rows may begin before their end.
    private static func replay(
        _ frame: LogFrame, into ledger: inout Ledger, _ ahead: inout ReplayAhead
    ) throws(StoreError) {
        guard frame.firstSequence <= ledger.sequence &+ 1 else {
            throw .inconsistent(
                position: frame.position, sequence: frame.firstSequence,
                problem: "the event before it is \(ledger.sequence), not \(frame.firstSequence &- 1)")
        }
        let time = Timestamp(milliseconds: frame.time)
        var sequence = frame.firstSequence
        do throws(ReplayError) {
            for index in frame.events.indices {
                ahead.step(to: index, of: frame.upcoming, &ledger)
                if sequence > ledger.sequence { try ledger.apply(frame.events[index], sequence: sequence, at: time) }
                sequence &+= 1
            }
        } catch {
            throw .inconsistent(position: frame.position, sequence: sequence, problem: error.problem)
        }
        if let problem = frame.problem {
            throw .inconsistent(position: frame.position, sequence: sequence, problem: "\(problem)")
        }
        guard sequence &- frame.firstSequence == UInt64(frame.eventCount) else {
            throw .inconsistent(
                position: frame.position, sequence: frame.firstSequence,
                problem: "the frame counts \(frame.eventCount) events and has \(sequence &- frame.firstSequence)")
        }
    }
}

extension ServerConfiguration {
    var ledgerOptions: LedgerOptions {
        var options = LedgerOptions()
        options.retention = retention
        options.maximumMemory = maximumMemory
        options.maximumSKUs = maximumSKUs
        options.maximumOrders = maximumOrders
        return options
    }

    var journalOptions: JournalOptions {
        var options = JournalOptions(sync: sync)
        options.segmentBytes = segmentSize
        options.lagAgeLimit = maximumSyncLag &* 1_000_000
        options.lagBytesLimit = maximumUnsyncedBytes
        options.acceptTailLoss = acceptTailLoss
        return options
    }
}
