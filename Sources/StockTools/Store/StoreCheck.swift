// A store looked through while nobody serves it: is the log as it was written, does it say what the database says, and
// do the laws of stock hold? Everything is recomputed: the log is replayed into a ledger, the database is loaded into
// another, and both are compared with each other and with the digests that were written down.

import StockArchive
import StockInput
import StockJournal
import StockLedger
import StockModel

/// What `StoreCheck` found. Problems are in the order in which they were found; with none, the store is sound.
public struct StoreVerdict: Equatable, Sendable {
    public var problems: [String] = []
    /// What is so and is no problem: a torn end, a database that is not there yet, a server at work.
    public var notes: [String] = []
    /// The end of the log is torn: the next start cuts it off.
    public var isTorn = false
    /// The newest events of the log and of the database, `nil` without a database.
    public var logSequence: UInt64 = 0
    public var archiveSequence: UInt64?
    public var events: UInt64 = 0
    public var skus = 0
    public var orders = 0
    public var operations = 0
    /// The ledger's digest at the end of the log.
    public var digest: UInt64?

    public init() {}

    public var isSound: Bool { problems.isEmpty }
}

/// Looks a store through. Needs about the memory that its server has.
public struct StoreCheck: ~Copyable {
    /// What is under way, and how much of it is done, 0…1.
    public enum Stage: Sendable {
        case database(Double), log(Double), laws
    }

    private let store: StoreFiles
    private let progress: (Stage) -> Void
    private var verdict = StoreVerdict()

    public init(_ store: StoreFiles, progress: @escaping (Stage) -> Void = { _ in }) {
        self.store = store
        self.progress = progress
    }

    /// Throws only for what keeps it from looking; what it finds is in the verdict.
    public consuming func run() throws -> StoreVerdict {
        if store.isServed { verdict.notes.append("a server is at work: this is the store as it was a moment ago") }
        let position = try checkDatabase()
        guard let position else {
            try replay(into: Ledger(hashKey: store.identity.hashKey), from: 1, meeting: nil)
            return verdict
        }
        let directory = try StoreDirectory.open(store.path, access: .inspect)
        if position.sequence > 0, try directory.hasNoEvents() {
            try standAlone(position)
        } else if try firstSequence(of: directory) == 1 {
            // The whole log is there: it is replayed without the database's help, which is then compared with it.
            try replay(into: Ledger(hashKey: store.identity.hashKey), from: 1, meeting: position)
        } else if let ledger = try reload(position) {
            try replay(into: ledger, from: position.sequence &+ 1, meeting: position)
        }
        return verdict
    }

    /// The database and nothing after it: a backup that nobody has sold from yet, or a log that was shortened and lost
    /// what came then in a power cut. A start goes on from here.
    private mutating func standAlone(_ position: ArchivePosition) throws {
        guard var ledger = try reload(position) else { return }
        verdict.notes.append("the log has no event; the database is all there is")
        _ = compare(&ledger, position)
        conclude(&ledger)
    }

    // MARK: The database

    /// Checks the database by itself: its pages, its rows against their digests, the laws of what it says.
    private mutating func checkDatabase() throws -> ArchivePosition? {
        progress(.database(0))
        do {
            let reader = try ArchiveReader(store.archive, identity: store.identity)
            verdict.archiveSequence = reader.position.sequence
            let pages = try reader.prepare("PRAGMA quick_check(1)")
            if try pages.step(), pages.text(0) != "ok" { verdict.problems.append("the database: \(pages.text(0))") }
            pages.reset()
            progress(.database(0.3))
            var walk = try reader.digestWalk()
            while try !walk.step(rows: 100_000) {}
            for shard in walk.differences {
                verdict.problems.append(
                    "the database: the rows of shard \(shard) are not those that were written (their digest differs)")
            }
            progress(.database(0.6))
            if var ledger = try load(reader) { checkLaws(&ledger, "the database") }
            progress(.database(1))
            return reader.position
        } catch ArchiveError.missing {
            verdict.notes.append("there is no database yet; the log is all there is")
        } catch let error as ArchiveError {
            guard case .busy = error else {
                verdict.problems.append("the database: \(error)")
                return nil
            }
            throw error
        }
        return nil
    }

    /// The ledger that the rows give, `nil` (and a problem) if they give none.
    private mutating func load(_ reader: borrowing ArchiveReader) throws -> Ledger? {
        let position = reader.position
        do {
            var restorer = RowRestorer(hashKey: store.identity.hashKey)
            try reader.load(into: &restorer)
            return try restorer.finish(at: position)
        } catch let error as RestoreError {
            verdict.problems.append("the database: \(error)")
            return nil
        }
    }

    private mutating func reload(_ position: ArchivePosition) throws -> Ledger? {
        let reader = try ArchiveReader(store.archive, identity: store.identity)
        guard reader.position == position else {
            throw ToolError(.tryLater, "the database went on while it was looked at; try again")
        }
        return try load(reader)
    }

    // MARK: The log

    private func firstSequence(of directory: StoreDirectory) throws -> UInt64 {
        struct Enough: Error { var first: UInt64 }
        do {
            let (_, report) = try LogInspector.check(directory, visit: { throw Enough(first: $0.firstSequence) })
            return report.events == 0 ? 1 : report.firstSequence
        } catch let enough as Enough {
            return enough.first
        }
    }

    /// Applies the events from `first` on, and compares with the database when the ledger stands where it does.
    private mutating func replay(
        into start: consuming Ledger, from first: UInt64, meeting position: ArchivePosition?
    ) throws {
        var ledger = start
        ledger.beginReplay()
        let directory = try StoreDirectory.open(store.path, access: .inspect)
        var hasMet = position == nil
        var ahead = ReplayAhead()
        if let position, ledger.sequence == position.sequence { hasMet = compare(&ledger, position) }
        let report = progress
        do {
            let (found, log) = try LogInspector.check(
                directory, from: first,
                progress: { report(.log($0.bytesTotal == 0 ? 1 : Double($0.bytesDone) / Double($0.bytesTotal))) },
                visit: { frame in
                    var sequence = frame.firstSequence
                    for index in frame.events.indices {
                        ahead.step(to: index, of: frame.upcoming, &ledger)
                        if sequence > ledger.sequence {
                            let time = Timestamp(milliseconds: frame.time)
                            try ledger.apply(frame.events[index], sequence: sequence, at: time)
                            if let position, !hasMet, sequence == position.sequence {
                                hasMet = compare(&ledger, position)
                            }
                        }
                        sequence &+= 1
                    }
                    if let problem = frame.problem { throw problem }
                })
            verdict.events = log.events
            switch found {
            case .intact: break
            case .torn(let place, let sequence, let detail):
                verdict.isTorn = true
                verdict.notes.append(
                    "the log is torn at its end, segment \(place.segment), byte \(place.offset), from event \(sequence) on: "
                        + "\(detail). The next start cuts it there and keeps the bytes")
            case .damaged(let damage): verdict.problems.append(damage.description)
            }
        } catch let error as ReplayError {
            verdict.problems.append("the log contradicts itself after event \(ledger.sequence): \(error.problem)")
        } catch let error as MalformedEvent {
            verdict.problems.append("the log, after event \(ledger.sequence): \(error)")
        }
        if let position, !hasMet, verdict.problems.isEmpty {
            verdict.problems.append(
                "the database stands at event \(position.sequence), the log ends at event \(ledger.sequence): its end is "
                    + "missing")
        }
        conclude(&ledger)
    }

    /// What is said of the state at the end, and the laws of it.
    private mutating func conclude(_ ledger: inout Ledger) {
        progress(.laws)
        verdict.logSequence = ledger.sequence
        checkLaws(&ledger, "the log")
        verdict.skus = ledger.skuCount
        verdict.orders = ledger.orderCount
        verdict.operations = ledger.operationCount
        verdict.digest = ledger.digest()
    }

    /// Compares the ledger with the database's digests; returns true, for it has met it.
    private mutating func compare(_ ledger: inout Ledger, _ position: ArchivePosition) -> Bool {
        let digests = ledger.shardDigests()
        for shard in digests.indices where digests[shard] != position.shardDigests[shard] {
            verdict.problems.append(
                "at event \(position.sequence) the log and the database say different things about shard \(shard)")
        }
        if ledger.digest() != position.digest, verdict.problems.isEmpty {
            verdict.problems.append(
                "at event \(position.sequence) the log and the database differ in what they have forgotten")
        }
        return true
    }

    // MARK: Laws

    private mutating func checkLaws(_ ledger: inout Ledger, _ what: String) {
        ledger.startVerification()
        while true {
            switch ledger.continueVerification(limit: 100_000) {
            case .more: continue
            case .lawful: return
            case .broken(let law):
                verdict.problems.append("\(what) breaks a law of stock: \(law)")
                return
            }
        }
    }
}

/// Rows on their way into a ledger.
private struct RowRestorer: RowSink, ~Copyable {
    private var restorer: LedgerRestorer

    init(hashKey: HashKey) {
        restorer = LedgerRestorer(hashKey: hashKey)
    }

    mutating func add(_ row: SKURow) throws { try restorer.add(row) }
    mutating func add(_ row: RecordRow) throws { try restorer.add(row) }
    mutating func add(_ row: BuyerRow) throws { try restorer.add(row) }

    consuming func finish(at position: ArchivePosition) throws -> Ledger {
        try restorer.finish(
            LedgerRow(
                sequence: position.sequence, clock: position.clock, forgottenBy: position.forgottenBy,
                forgottenCount: position.forgottenCount, digest: position.digest))
    }
}
