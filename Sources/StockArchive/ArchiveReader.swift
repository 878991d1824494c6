// Looking at an archive: the state for a restart, the digests counted again, ledgers of questions. Everything one
// reader sees is one moment of the database, also while folds go on.

import StockJournal
import StockModel

/// Who takes the rows of the state in, as a restart does: all SKUs by ordinal, then all records, those that have ended
/// by their newest sequence, then the buyers' counts. `LedgerRestorer` is one.
public protocol RowSink: ~Copyable {
    mutating func add(_ row: SKURow) throws
    mutating func add(_ row: RecordRow) throws
    mutating func add(_ row: BuyerRow) throws

    /// The same as one after the other, for those who want to look ahead.
    mutating func add(_ rows: UnsafeBufferPointer<RecordRow>) throws
}

extension RowSink where Self: ~Copyable {
    public mutating func add(_ rows: UnsafeBufferPointer<RecordRow>) throws {
        for row in rows { try add(row) }
    }
}

/// A view of an archive at one sequence. As long as it lives, SQLite's write-ahead log cannot begin anew.
public struct ArchiveReader: ~Copyable {
    /// The sequence that it sees, with everything that a restart needs beside the rows.
    public let position: ArchivePosition
    let identity: StoreIdentity
    let database: Database

    /// Opens the archive of a store that is there.
    ///
    /// Throws `missing`, `foreign`, `newerFormat`, `damaged` or `busy`.
    public init(_ path: String, identity: StoreIdentity, patience: Int32 = 5_000) throws(ArchiveError) {
        let database = try Database(path, .read, patience: patience)
        try database.execute("BEGIN")
        try database.checkFormat()
        try database.checkIdentity(identity)
        let position = try database.readPosition()
        self.position = position
        self.identity = identity
        self.database = database
    }

    /// Hands every row of the state to `sink`, on this thread; another one reads meanwhile. What the sink throws is thrown
    /// on; that their digest is `position.digest` is for the sink to compare, as `LedgerRestorer.finish` does.
    public func load<Sink: RowSink & ~Copyable>(into sink: inout Sink) throws {
        let pipe = try RowPipe((0..<4).map { _ in RowBatch() })
        let lent = LentDatabase(database: database)
        let thread = try Thread(name: "archive-read", stop: { pipe.abandon() }, body: {
            pipe.close(
                Result {
                    var filler = try RowFiller(pipe)
                    try lent.readRows(into: &filler)
                    try filler.flush()
                })
        })
        // It is waited for before anyone else uses the connection.
        try withExtendedLifetime(thread) {
            while let batch = try pipe.take() {
                try batch.empty(into: &sink)
                pipe.giveBack(batch)
            }
        }
    }

    /// A statement to ask with, for tools; it sees what the reader sees.
    public func prepare(_ sql: String) throws(ArchiveError) -> Statement {
        try database.prepare(sql)
    }
}

/// A reader's connection in the hands of another thread, while the reader's own does not use it.
private struct LentDatabase: @unchecked Sendable {
    let database: Database

    /// Hands every row of the state to `sink`.
    func readRows<Sink: RowSink & ~Copyable>(into sink: inout Sink) throws {
        var skus = try SKUReader(database)
        while let row = try skus.next() { try sink.add(row) }

        // Records are read as they lie, in the order in which they began. One that changed later waits for its turn:
        // a number is never greater than the sequence, so when the reading is at a number, all that ended before it
        // have been met. What waits is what was open at once.
        var waiting = MinHeap<SavedRecord>()
        var records = try RecordReader(database)
        while let stored = try records.next() {
            while let ended = waiting.pop(upTo: stored.number &- 1) { try sink.add(ended.row) }
            if stored.row.state == .held || stored.row.sequence == stored.number {
                try sink.add(stored.row)
            } else {
                waiting.push(stored.row.sequence, SavedRecord(stored.row))
            }
        }
        while let ended = waiting.pop(upTo: .max) { try sink.add(ended.row) }

        var buyers = try BuyerReader(database)
        while let row = try buyers.next() { try sink.add(row) }
    }
}

/// A record with its own copy of names and lines.
private final class SavedRecord {
    private let copy: RecordRow
    private let bytes: UnsafeMutableRawPointer

    init(_ row: RecordRow) {
        let lineBytes = row.lines.count * MemoryLayout<LineRow>.stride
        let tokens = [row.id, row.buyer, row.returnOf]
        let size = tokens.reduce(lineBytes) { $0 + ($1?.count ?? 0) }
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 16)
        var end = bytes + lineBytes
        func saved(_ token: Token) -> Token {
            end.copyMemory(from: token.base, byteCount: token.count)
            defer { end += token.count }
            return Token(base: end, count: token.count)
        }
        var copy = row
        copy.id = saved(row.id)
        copy.buyer = row.buyer.map { saved($0) }
        copy.returnOf = row.returnOf.map { saved($0) }
        let lines = bytes.bindMemory(to: LineRow.self, capacity: row.lines.count)
        if let first = row.lines.baseAddress { lines.initialize(from: first, count: row.lines.count) }
        copy.lines = UnsafeBufferPointer(start: lines, count: row.lines.count)
        self.copy = copy
        self.bytes = bytes
    }

    deinit {
        bytes.deallocate()
    }

    /// Valid while this object lives.
    var row: RecordRow { copy }
}
