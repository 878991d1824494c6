// Rows on their way from the thread that reads them out of SQLite to the thread that takes them in. Both halves cost about
// the same, so a restart takes little more than the slower of the two.

import StockJournal
import StockModel

/// Rows of one kind, with their own copy of names and lines. One thread has it at a time.
final class RowBatch: @unchecked Sendable {
    private static let rows = 1_024
    private static let bytes = 1 << 18
    /// A record of all the lines that an order may have, and its names.
    private static let largestRow = Limits.pairs * MemoryLayout<LineRow>.stride + 3 * Limits.tokenLength + 64

    /// Reached through a pointer: a class's own properties are checked for overlapping access at every row.
    private struct Content: ~Copyable {
        var skus: [SKURow] = []
        var records: [RecordRow] = []
        var buyers: [BuyerRow] = []
        let memory = UnsafeMutableRawPointer.allocate(byteCount: RowBatch.bytes, alignment: 16)
        var used = 0

        deinit { memory.deallocate() }

        mutating func copy(_ token: Token) -> Token {
            let place = memory + used
            place.copyMemory(from: token.base, byteCount: token.count)
            used &+= token.count
            return Token(base: place, count: token.count)
        }

        mutating func copy(_ rows: UnsafeBufferPointer<LineRow>) -> UnsafeBufferPointer<LineRow> {
            used = (used &+ 15) & ~15
            let lines = (memory + used).bindMemory(to: LineRow.self, capacity: rows.count)
            if let first = rows.baseAddress { lines.initialize(from: first, count: rows.count) }
            used &+= rows.count &* MemoryLayout<LineRow>.stride
            return UnsafeBufferPointer(start: lines, count: rows.count)
        }
    }

    private let content: UnsafeMutablePointer<Content>

    init() {
        content = .allocate(capacity: 1)
        content.initialize(to: Content())
    }

    deinit {
        content.deinitialize(count: 1)
        content.deallocate()
    }

    var isEmpty: Bool {
        content.pointee.skus.isEmpty && content.pointee.records.isEmpty && content.pointee.buyers.isEmpty
    }

    var isFull: Bool {
        content.pointee.used > RowBatch.bytes - RowBatch.largestRow
            || max(content.pointee.skus.count, content.pointee.records.count, content.pointee.buyers.count) >= RowBatch.rows
    }

    func append(_ row: SKURow) {
        var row = row
        row.key = content.pointee.copy(row.key)
        content.pointee.skus.append(row)
    }

    func append(_ row: RecordRow) {
        var row = row
        row.lines = content.pointee.copy(row.lines)
        row.id = content.pointee.copy(row.id)
        row.buyer = row.buyer.map { content.pointee.copy($0) }
        row.returnOf = row.returnOf.map { content.pointee.copy($0) }
        content.pointee.records.append(row)
    }

    func append(_ row: BuyerRow) {
        var row = row
        row.buyer = content.pointee.copy(row.buyer)
        content.pointee.buyers.append(row)
    }

    /// Hands its rows on and is empty again.
    func empty<Sink: RowSink & ~Copyable>(into sink: inout Sink) throws {
        for row in content.pointee.skus { try sink.add(row) }
        try content.pointee.records.withUnsafeBufferPointer { try sink.add($0) }
        for row in content.pointee.buyers { try sink.add(row) }
        content.pointee.skus.removeAll(keepingCapacity: true)
        content.pointee.records.removeAll(keepingCapacity: true)
        content.pointee.buyers.removeAll(keepingCapacity: true)
        content.pointee.used = 0
    }
}

typealias RowPipe = Pipe<RowBatch>

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
