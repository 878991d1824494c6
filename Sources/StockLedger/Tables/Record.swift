// The layout of one remembered id: an order, or the operation (adjustment, count, transfer, return) that an id was
// used for. A header, the lines, then the bytes of the id and of the buyer: one piece of memory, 48 bytes and 20 for
// each line, so that a one-line order with its share of the index stays below 96 bytes and its id.

import StockModel

/// The fixed part of a remembered id.
struct RecordHeader {
    /// Its newest change.
    var sequence: UInt64 = 0
    /// When an order began. Of a counted or adjusted SKU: the counted onhand, or the delta.
    var at: Int64 = 0
    /// While held: when it runs out. Afterwards: when it ended.
    var moment: Int64 = 0
    /// While held: its slot in the timing wheel. Afterwards: the record that ended before it.
    var link: UInt32 = 0
    /// Afterwards: the record that ended next. Of a return: the one before it of the same order.
    var next: UInt32 = 0
    /// Of a RESERVE: its ttl in milliseconds, at most 30 days. Of a return: the reference of its order.
    var ttl: UInt32 = 0
    /// Of an order: its newest return. Returns are remembered as long as their order and not in the queue of ended
    /// records: were one forgotten earlier, a late retry of it would bring the goods back twice.
    var newestReturn: UInt32 = 0
    var lineCount: UInt16 = 0
    var state: IDState = .held
    var flags: RecordFlags = []
    var idLength: UInt8 = 0
    var buyerLength: UInt8 = 0
    /// The number of the newest walk of the laws that has visited it.
    var walk: UInt16 = 0

    /// The bytes of the header itself; lines follow.
    static let size = 48
}

/// One line of a record: 20 bytes, three quantities of 40 bits (`Limits.quantity` is below 2^40).
struct LineRecord {
    var ordinal: UInt32
    private var askedLow: UInt32
    private var soldLow: UInt32 = 0
    private var returnedLow: UInt32 = 0
    private var askedHigh: UInt8
    private var soldHigh: UInt8 = 0
    private var returnedHigh: UInt8 = 0

    init(ordinal: UInt32, asked: Int64) {
        self.ordinal = ordinal
        askedLow = UInt32(truncatingIfNeeded: asked)
        askedHigh = UInt8(truncatingIfNeeded: asked >> 32)
    }

    var asked: Int64 { Int64(askedHigh) << 32 | Int64(askedLow) }

    /// Units that were sold, before any return.
    var sold: Int64 {
        get { Int64(soldHigh) << 32 | Int64(soldLow) }
        set {
            soldLow = UInt32(truncatingIfNeeded: newValue)
            soldHigh = UInt8(truncatingIfNeeded: newValue >> 32)
        }
    }

    /// Units that came back.
    var returned: Int64 {
        get { Int64(returnedHigh) << 32 | Int64(returnedLow) }
        set {
            returnedLow = UInt32(truncatingIfNeeded: newValue)
            returnedHigh = UInt8(truncatingIfNeeded: newValue >> 32)
        }
    }

    /// Sold and not returned.
    var kept: Int64 { sold &- returned }
}

/// A view of one record in the arena. Valid while the record lives; records never move.
struct Record {
    let base: UnsafeMutableRawPointer

    @inline(__always)
    var header: UnsafeMutablePointer<RecordHeader> {
        base.assumingMemoryBound(to: RecordHeader.self)
    }

    @inline(__always)
    var lineCount: Int { Int(header.pointee.lineCount) }

    @inline(__always)
    var lines: UnsafeMutablePointer<LineRecord> {
        (base + RecordHeader.size).assumingMemoryBound(to: LineRecord.self)
    }

    var id: Token {
        Token(
            base: base + RecordHeader.size + lineCount &* MemoryLayout<LineRecord>.stride,
            count: Int(header.pointee.idLength))
    }

    var buyer: Token? {
        guard header.pointee.buyerLength > 0 else { return nil }
        let id = id
        return Token(base: id.base + id.count, count: Int(header.pointee.buyerLength))
    }

    /// An order, not the id of an adjustment, count, transfer or return.
    var isOrder: Bool { header.pointee.state.rawValue <= IDState.returned.rawValue }

    /// `nil` when the id is not an order's.
    var orderState: OrderState? { OrderState(rawValue: header.pointee.state.rawValue) }

    var isHeld: Bool { header.pointee.state == .held }

    func has(_ flag: RecordFlags) -> Bool { header.pointee.flags.contains(flag) }

    /// The line of a SKU, or `nil`.
    func line(of ordinal: UInt32) -> UnsafeMutablePointer<LineRecord>? {
        for index in 0..<lineCount where lines[index].ordinal == ordinal { return lines + index }
        return nil
    }

    static func size(lines: Int, id: Int, buyer: Int) -> Int {
        RecordHeader.size &+ lines &* MemoryLayout<LineRecord>.stride &+ id &+ buyer
    }

    var size: Int {
        Record.size(
            lines: lineCount, id: Int(header.pointee.idLength), buyer: Int(header.pointee.buyerLength))
    }

    /// What this record adds to its shard's digest.
    var digest: UInt64 {
        var hasher = ItemHasher(isOrder ? .order : .operation)
        let header = header.pointee
        hasher.combineRecord(
            state: header.state, flags: header.flags, lineCount: lineCount,
            ttl: header.state == .return ? 0 : header.ttl, sequence: header.sequence, at: header.at,
            moment: header.moment, id: id, buyer: buyer)
        for index in 0..<lineCount {
            let line = lines[index]
            hasher.combineLine(ordinal: line.ordinal, asked: line.asked, sold: line.sold, returned: line.returned)
        }
        return hasher.finish()
    }

    var head: RecordHead {
        RecordHead(state: header.pointee.state, sequence: header.pointee.sequence, moment: header.pointee.moment)
    }

    /// What this order adds to its shard's digest now, and when its head will be `new`.
    func digests(with new: RecordHead) -> (before: UInt64, after: UInt64) {
        var hasher = ItemHasherPair(.order)
        hasher.combineRecord(
            head, new, flags: header.pointee.flags, lineCount: lineCount, ttl: header.pointee.ttl,
            at: header.pointee.at, id: id, buyer: buyer)
        for index in 0..<lineCount {
            let line = lines[index]
            hasher.combineLine(ordinal: line.ordinal, asked: line.asked, sold: line.sold, returned: line.returned)
        }
        return hasher.finish()
    }
}
