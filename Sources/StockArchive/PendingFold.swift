// What a fold has in memory until it is written: records that it brought or changed, changes of buyers' counts. An
// order that is reserved and confirmed in one fold is one INSERT, a buyer's ten purchases are one UPDATE.

import StockModel

struct PendingRecord {
    var id: Token
    var hash: UInt64
    var number: UInt64
    var sequence: UInt64
    var state: IDState
    var flags: RecordFlags = []
    var at: Int64 = 0
    var moment: Int64 = 0
    var ttl: UInt32 = 0
    var buyer: Token?
    var returnOf: Token?
    var born: Int64?
    var firstLine = 0
    var lineCount = 0
    /// Of an order: the slot of its newest return in this fold; of a return: of the one before it.
    var returns: Int?
    /// It is not in the database yet.
    var isNew = true
    /// It was forgotten in this fold.
    var isForgotten = false

    var isOrder: Bool { state.rawValue <= IDState.returned.rawValue }
}

/// The change of one buyer's count of one SKU.
struct PendingUnits {
    var buyer: Token
    var ordinal: UInt32
    var units: Int64
}

struct PendingFold: ~Copyable {
    var names = ByteArena()
    var records: [PendingRecord] = []
    var lines: [LineRow] = []
    private var byID = SlotTable()
    /// Numbers of records that were taken over from the database.
    var adopted: Set<UInt64> = []
    var units: [PendingUnits] = []
    private var byBuyer = SlotTable()
    /// Records of this fold in the order in which they ended; some have changed again since.
    var ended: [(sequence: UInt64, slot: Int)] = []
    var firstEnded = 0
    /// Numbers of records in the database that were forgotten, as ranges in which all are.
    var forgotten: [ClosedRange<UInt64>] = []
    /// Names of forgotten records of which the history knows nothing any more.
    var unknown: [(id: Token, number: UInt64)] = []
    var events = 0

    /// A measure of the memory in use: rows that the fold has in hand.
    var size: Int { events + records.count + lines.count + units.count }

    // MARK: Records

    func slot(of id: Token, _ hash: UInt64) -> Int? {
        byID.find(hash) { !records[$0].isForgotten && records[$0].id == id }
    }

    /// Takes in a record, whose tokens are copied, with its lines.
    mutating func append(_ record: PendingRecord, lines: UnsafeBufferPointer<LineRow>) -> Int {
        let slot = records.count
        var record = record
        record.id = names.copy(record.id)
        record.buyer = record.buyer.map { names.copy($0) }
        record.returnOf = record.returnOf.map { names.copy($0) }
        record.firstLine = self.lines.count
        record.lineCount = lines.count
        self.lines.append(contentsOf: lines)
        records.append(record)
        byID.insert(record.hash, slot)
        return slot
    }

    /// Calls `body` with the record as a row.
    func withRow<Result>(_ slot: Int, _ body: (RecordRow) -> Result) -> Result {
        let record = records[slot]
        return lines.withUnsafeBufferPointer { all in
            let lines = UnsafeBufferPointer(rebasing: all[record.firstLine..<(record.firstLine + record.lineCount)])
            return body(
                RecordRow(
                    id: record.id, state: record.state, flags: record.flags, sequence: record.sequence, at: record.at,
                    moment: record.moment, ttl: record.ttl, buyer: record.buyer, returnOf: record.returnOf,
                    lines: lines))
        }
    }

    // MARK: Buyers

    mutating func count(_ units: Int64, of ordinal: UInt32, for buyer: Token, _ hash: UInt64) {
        guard units != 0 else { return }
        let found = byBuyer.find(hash) { self.units[$0].ordinal == ordinal && self.units[$0].buyer == buyer }
        if let found {
            self.units[found].units &+= units
        } else {
            byBuyer.insert(hash, self.units.count)
            self.units.append(PendingUnits(buyer: names.copy(buyer), ordinal: ordinal, units: units))
        }
    }

    mutating func removeAll() {
        names.removeAll()
        records.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        byID.removeAll()
        adopted.removeAll()
        units.removeAll(keepingCapacity: true)
        byBuyer.removeAll()
        ended.removeAll(keepingCapacity: true)
        firstEnded = 0
        forgotten.removeAll(keepingCapacity: true)
        unknown.removeAll(keepingCapacity: true)
        events = 0
    }
}
