// What the server serves from: the directory, the ledger that its log describes, and the writer that continues the
// log. Opening a store is replay: every event since the first is read, checked and applied, and only when the ledger
// stands exactly where the log ends does the server begin to answer.

import CLinux
import StockJournal
import StockLedger
import StockModel

/// What was found and how long it took, for the log and for `STATS`.
public struct StoreRecovery: Sendable {
    public var report: RecoveryReport
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
        case .clock(let refusal): refusal.description
        }
    }

    /// As in sysexits.h; `stockade serve --help` lists them.
    public var exitCode: Int32 {
        switch self {
        case .directory: 73
        case .unreadable: 74
        case .locked, .clock: 75
        case .damaged, .inconsistent: 78
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
        var ledger = Ledger(hashKey: directory.identity.hashKey, options: configuration.ledgerOptions)
        let journal: JournalWriter
        do {
            journal = try JournalWriter(
                opening: directory, options: configuration.journalOptions, progress: progress,
                replay: { frame in try Self.replay(frame, into: &ledger) })
        } catch {
            throw Self.storeError(error, path: directory.path)
        }
        let report = journal.recovery
        invariant(ledger.sequence == report.lastSequence, "the ledger stands where the log ends")
        let newest = report.lastSequence == 0 ? nil : Timestamp(milliseconds: report.lastTime)
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
        self.journal = journal
        recovery = StoreRecovery(report: report, milliseconds: (clinux_monotonic_ns() - began) / 1_000_000)
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
            return try StoreDirectory.open(path, access: .serve)
        } catch {
            switch error {
            case .locked: throw .locked(error)
            case .damaged(let damage): throw .damaged(damage)
            case .unsuitable, .system: throw .directory(error)
            }
        }
    }

    /// Applies the events of one frame, which must continue where the ledger stands.
    private static func replay(_ frame: LogFrame, into ledger: inout Ledger) throws(StoreError) {
        guard frame.firstSequence == ledger.sequence &+ 1 else {
            throw .inconsistent(
                position: frame.position, sequence: frame.firstSequence,
                problem: "the event before it is \(ledger.sequence), not \(frame.firstSequence &- 1)")
        }
        let time = Timestamp(milliseconds: frame.time)
        var sequence = frame.firstSequence
        var events = EventReader(frame.payload)
        do throws(any Error) {
            while let event = try events.next() {
                try ledger.apply(event, sequence: sequence, at: time)
                sequence &+= 1
            }
        } catch {
            let problem = (error as? ReplayError)?.problem ?? "\(error)"
            throw .inconsistent(position: frame.position, sequence: sequence, problem: problem)
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
