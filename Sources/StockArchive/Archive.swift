// The archive as its one writer sees it: events go in, in order, and every commit leaves a database that is the state
// of the ledger after one event, with the history that led there. The archivist's thread owns an `Archive`; everybody
// else looks through an `ArchiveReader`, or through sqlite3.
//
// The parts: Archive+Apply (what each event does), Archive+Orders (to an order), Archive+Forget (what retention takes
// away), Archive+Commit (the rows written), Archive+Prune (the history kept short).

import StockJournal
import StockModel

/// How an archive behaves.
public struct ArchiveOptions: Sendable {
    /// Milliseconds to wait for a stranger's lock before `busy` is thrown.
    public var patience: Int32 = 5_000
    /// SQLite's page cache. Names that come in no order need it: each fold then writes a page once.
    public var cacheBytes = 128 << 20
    /// Rows that a fold holds in memory (about 100 bytes each) before it commits by itself.
    public var foldRows = 1_000_000
    /// What the write-ahead log may grow to before it is copied into the database. A page that many folds change is then
    /// copied, and synced, once for all of them.
    public var checkpointBytes = 256 << 20
    /// Above it no fold begins: a reader that never ends keeps SQLite from starting the write-ahead log anew.
    public var logBytes = 2 << 30
    /// Called after each statement that writes, by the thread that does: the place for one that gives way to others to do so.
    public var pause: (@Sendable () -> Void)?

    public init() {}
}

/// What a commit did.
public struct FoldReport: Equatable, Sendable {
    public var events = 0
    /// The newest event in the database.
    public var sequence: UInt64 = 0
    /// Bytes of SQLite's write-ahead log; more than `ArchiveOptions.checkpointBytes` and one fold's worth only while someone
    /// reads.
    public var logBytes = 0
}

/// The database that the log is folded into.
///
/// An error rolls the fold that is open back, unless its case says that nothing was changed: `position` is then what
/// the database has, and the caller goes on with the event after `position.sequence`.
public struct Archive: ~Copyable {
    public let path: String
    let identity: StoreIdentity
    let options: ArchiveOptions
    let database: Database

    /// Where the database stands: everything up to here survives whatever happens.
    public private(set) var position = ArchivePosition()
    /// Where the open fold stands; the same when none is open.
    var running = ArchivePosition()

    var skus = SKUCache()
    var fold = PendingFold()
    var entries: EntryWriter
    let statements: FoldStatements
    /// The lines of the record that is at hand.
    var lineScratch: [LineRow] = []
    var forgetting: ForgetScan?

    /// After an error the memory is ahead of the database and is loaded again.
    private var isStale = true
    private var logBytes = 0
    private let pageBytes: Int

    /// Opens the archive of a store, or makes an empty one where no file is.
    ///
    /// Throws `foreign`, `newerFormat` or `damaged` for a file that is not this store's archive; it is left as it was.
    public static func open(
        _ path: String, identity: StoreIdentity, options: ArchiveOptions = ArchiveOptions()
    ) throws(ArchiveError) -> Archive {
        let database = try Database(path, .create, patience: options.patience)
        database.pause = options.pause
        try database.execute("PRAGMA secure_delete = 0; PRAGMA trusted_schema = 0")
        if try database.integer("SELECT count(*) FROM sqlite_master") == 0 {
            try database.execute("BEGIN IMMEDIATE")
            do {
                // Asked again: the lock may have been waited for.
                if try database.integer("SELECT count(*) FROM sqlite_master") == 0 {
                    try database.makeArchive(identity)
                }
                try database.execute("COMMIT")
            } catch {
                database.rollback()
                throw error
            }
        }
        try database.checkFormat()
        try database.checkIdentity(identity)
        try database.bringUpToDate()
        // WAL: people may read while a fold is written. Its checkpoints are ours: after a commit that has made it long.
        try database.execute(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
            PRAGMA journal_size_limit = \(64 << 20); PRAGMA cache_size = -\(options.cacheBytes >> 10)
            """)
        database.countLogPages()
        let pageBytes = Int(try database.integer("PRAGMA page_size"))
        let entries = try EntryWriter(database)
        let statements = try FoldStatements(database)
        var archive = Archive(
            database, entries: entries, statements: statements, identity: identity, options: options, pageBytes: pageBytes)
        try archive.reload()
        return archive
    }

    private init(
        _ database: Database, entries: consuming EntryWriter, statements: consuming FoldStatements,
        identity: StoreIdentity, options: ArchiveOptions, pageBytes: Int
    ) {
        self.pageBytes = pageBytes
        path = database.path
        self.identity = identity
        self.options = options
        self.database = database
        self.entries = entries
        self.statements = statements
    }

    // MARK: Folding

    /// Takes in the event numbered `sequence`. One that is folded already is skipped. The first after a commit begins
    /// a transaction, and the fold commits by itself when it has grown to `options.foldRows`.
    ///
    /// Throws `gap` and changes nothing if the event does not follow; `busy` likewise if a fold cannot begin.
    public mutating func fold(_ event: Event, sequence: UInt64, at time: Timestamp) throws(ArchiveError) {
        if sequence <= running.sequence { return }
        if !database.isInTransaction {
            try begin()
            if sequence <= running.sequence { return }
        }
        guard sequence == running.sequence &+ 1 else {
            throw .gap(expected: running.sequence &+ 1, found: sequence)
        }
        do {
            try apply(event, sequence: sequence, at: time)
        } catch {
            rollback()
            throw error
        }
        running.sequence = sequence
        running.clock = time
        fold.events += 1
        if fold.size >= options.foldRows { _ = try commit() }
    }

    /// Takes in the events of one frame of the log.
    public mutating func fold(_ frame: LogFrame) throws(ArchiveError) {
        let time = Timestamp(milliseconds: frame.time)
        var sequence = frame.firstSequence
        for event in frame.events {
            try fold(event, sequence: sequence, at: time)
            sequence &+= 1
        }
        if let problem = frame.problem { throw unreadable(problem, sequence) }
    }

    /// The same with events that nobody has decoded.
    ///
    /// - Parameters:
    ///   - payload: as `LogFrame.payload`; likewise its first sequence and its time.
    public mutating func fold(
        payload: UnsafeRawBufferPointer, firstSequence: UInt64, at time: Timestamp
    ) throws(ArchiveError) {
        var reader = EventReader(payload)
        var sequence = firstSequence
        while true {
            let event: Event?
            do {
                event = try reader.next()
            } catch {
                throw unreadable(error, sequence)
            }
            guard let event else { return }
            try fold(event, sequence: sequence, at: time)
            sequence &+= 1
        }
    }

    private mutating func unreadable(_ problem: MalformedEvent, _ sequence: UInt64) -> ArchiveError {
        rollback()
        return .misfit(sequence: sequence, problem: problem.description)
    }

    /// Events that are folded but not committed.
    public var pendingEvents: Int { fold.events }

    /// Writes the open fold: rows, history and the sequence that they stand for, in one transaction.
    public mutating func commit() throws(ArchiveError) -> FoldReport {
        guard database.isInTransaction else {
            return FoldReport(events: 0, sequence: position.sequence, logBytes: logBytes)
        }
        do {
            try write()
            try database.execute("COMMIT")
        } catch {
            rollback()
            throw error
        }
        let events = fold.events
        position = running
        forgetting = nil
        fold.removeAll()
        skus.settleTouched()
        try checkpoint()
        return FoldReport(events: events, sequence: position.sequence, logBytes: logBytes)
    }

    /// Gives the open fold up: the database stays what the last commit made it.
    public mutating func rollback() {
        forgetting = nil
        statements.reset()
        entries.clear()
        fold.removeAll()
        database.rollback()
        running = position
        isStale = true
    }

    private mutating func begin() throws(ArchiveError) {
        if logBytes > options.logBytes {
            try checkpoint()
            if logBytes > options.logBytes { throw .busy(path: path) }
        }
        try database.execute("BEGIN IMMEDIATE")
        do {
            // A sequence that is not ours: someone put another file's pages in, or folded beside us.
            let found = try statements.sequence(in: database)
            if isStale || found != position.sequence { try reload() }
        } catch {
            rollback()
            throw error
        }
    }

    /// Brings memory to where the database is.
    private mutating func reload() throws(ArchiveError) {
        position = try database.readPosition()
        running = position
        fold.removeAll()
        skus.removeAll()
        var reader = try SKUReader(database)
        while let row = try reader.next() {
            guard row.ordinal == skus.newest &+ 1 else {
                throw database.damaged("the SKU \(skus.newest &+ 1) is missing")
            }
            skus.append(row, hashKey: identity.hashKey, isNew: false)
        }
        guard skus.newest == position.newestOrdinal else {
            throw database.damaged("it has \(skus.newest) SKUs, its sequence had \(position.newestOrdinal)")
        }
        isStale = false
    }

    /// Changes of the history alone, in a transaction of their own: `position` keeps its sequence.
    mutating func change(
        _ body: (inout ArchivePosition) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        invariant(!database.isInTransaction, "the history is changed between folds")
        try begin()
        do throws(ArchiveError) {
            try body(&running)
            try database.write(running)
            try database.execute("COMMIT")
        } catch {
            rollback()
            throw error
        }
        position = running
        try checkpoint()
    }

    /// After each commit: a write-ahead log that has become long is copied into the database. When it is copied whole and
    /// nobody reads it, the next fold begins it anew.
    private mutating func checkpoint() throws(ArchiveError) {
        logBytes = database.logPages * pageBytes
        guard logBytes >= min(options.checkpointBytes, options.logBytes / 2) else { return }
        let (pages, copied) = try database.checkpoint()
        logBytes = pages * pageBytes
        guard pages == copied, logBytes > options.logBytes / 2 else { return }
        // Large, and all of it is in the database: cut it, unless a reader stands in it.
        if database.truncateLog() { logBytes = 0 }
    }
}
