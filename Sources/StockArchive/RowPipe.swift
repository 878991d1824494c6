// Rows on their way from the thread that reads them out of SQLite to the thread that takes them in. Both halves cost about
// the same, so a restart takes little more than the slower of the two.

import StockJournal
import StockModel
import Synchronization

/// Rows of one kind, with their own copy of names and lines. One thread has it at a time.
final class RowBatch: @unchecked Sendable {
    private static let rows = 1_024
    private static let bytes = 1 << 18
    /// A record of all the lines that an order may have, and its names.
    private static let largestRow = Limits.pairs * MemoryLayout<LineRow>.stride + 3 * Limits.tokenLength + 64

    private var skus: [SKURow] = []
    private var records: [RecordRow] = []
    private var buyers: [BuyerRow] = []
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: RowBatch.bytes, alignment: 16)
    private var used = 0

    deinit { memory.deallocate() }

    var isEmpty: Bool { skus.isEmpty && records.isEmpty && buyers.isEmpty }

    var isFull: Bool {
        max(skus.count, records.count, buyers.count) >= RowBatch.rows || used > RowBatch.bytes - RowBatch.largestRow
    }

    func append(_ row: SKURow) {
        var row = row
        row.key = copy(row.key)
        skus.append(row)
    }

    func append(_ row: RecordRow) {
        var row = row
        used = (used + 15) & ~15
        let lines = (memory + used).bindMemory(to: LineRow.self, capacity: row.lines.count)
        if let first = row.lines.baseAddress { lines.initialize(from: first, count: row.lines.count) }
        used += row.lines.count * MemoryLayout<LineRow>.stride
        row.lines = UnsafeBufferPointer(start: lines, count: row.lines.count)
        row.id = copy(row.id)
        row.buyer = row.buyer.map { copy($0) }
        row.returnOf = row.returnOf.map { copy($0) }
        records.append(row)
    }

    func append(_ row: BuyerRow) {
        var row = row
        row.buyer = copy(row.buyer)
        buyers.append(row)
    }

    private func copy(_ token: Token) -> Token {
        let place = memory + used
        place.copyMemory(from: token.base, byteCount: token.count)
        used += token.count
        return Token(base: place, count: token.count)
    }

    /// Hands its rows on and is empty again.
    func empty<Sink: RowSink & ~Copyable>(into sink: inout Sink) throws {
        for row in skus { try sink.add(row) }
        try records.withUnsafeBufferPointer { try sink.add($0) }
        for row in buyers { try sink.add(row) }
        skus.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        buyers.removeAll(keepingCapacity: true)
        used = 0
    }
}

/// A few batches that go round between the two threads.
final class RowPipe: Sendable {
    private struct State: Sendable {
        var filled: [RowBatch] = []
        var free: [RowBatch] = (0..<4).map { _ in RowBatch() }
        /// The reading is over, and how it ended.
        var end: Result<Void, any Error>?
        /// Nobody takes rows any more.
        var isAbandoned = false
    }

    /// The reader has nobody to read for.
    struct Abandoned: Error {}

    private let state = Mutex(State())
    private let hasFilled: Bell
    private let hasFree: Bell

    init() throws(JournalError) {
        hasFilled = try Bell()
        hasFree = try Bell()
    }

    // MARK: From the reader

    func nextFree() throws(Abandoned) -> RowBatch {
        while true {
            let (batch, isAbandoned) = state.withLock { ($0.free.popLast(), $0.isAbandoned) }
            guard !isAbandoned else { throw Abandoned() }
            if let batch { return batch }
            hasFree.wait(atMost: nil)
        }
    }

    func put(_ batch: RowBatch) {
        state.withLock { $0.filled.append(batch) }
        hasFilled.ring()
    }

    func close(_ end: Result<Void, any Error>) {
        state.withLock { $0.end = end }
        hasFilled.ring()
    }

    // MARK: From the taker

    /// The next batch, `nil` after the last. Throws what the reader threw, after the rows before that.
    func take() throws -> RowBatch? {
        while true {
            let (batch, end) = state.withLock { state in
                (state.filled.isEmpty ? nil : state.filled.removeFirst(), state.end)
            }
            if let batch { return batch }
            if let end {
                try end.get()
                return nil
            }
            hasFilled.wait(atMost: nil)
        }
    }

    func giveBack(_ batch: RowBatch) {
        state.withLock { $0.free.append(batch) }
        hasFree.ring()
    }

    func abandon() {
        state.withLock { $0.isAbandoned = true }
        hasFree.ring()
    }
}

/// The reader's end: fills batches, each with rows of one kind.
struct RowFiller: RowSink, ~Copyable {
    private let pipe: RowPipe
    private var batch: RowBatch

    init(_ pipe: RowPipe) throws(RowPipe.Abandoned) {
        self.pipe = pipe
        batch = try pipe.nextFree()
    }

    mutating func add(_ row: SKURow) throws {
        batch.append(row)
        if batch.isFull { try flush() }
    }

    mutating func add(_ row: RecordRow) throws {
        batch.append(row)
        if batch.isFull { try flush() }
    }

    mutating func add(_ row: BuyerRow) throws {
        batch.append(row)
        if batch.isFull { try flush() }
    }

    mutating func flush() throws(RowPipe.Abandoned) {
        guard !batch.isEmpty else { return }
        pipe.put(batch)
        batch = try pipe.nextFree()
    }
}
