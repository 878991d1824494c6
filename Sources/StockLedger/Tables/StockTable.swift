// The SKUs: a record each, found by key through the index and by ordinal directly.

import CMachine
import StockModel

/// The counters and settings of one SKU. 104 bytes; with its share of the index below the 128 that are allowed.
struct Stock {
    /// Units not yet sold, held ones included.
    var onhand: Int64 = 0
    /// Units promised to open orders.
    var held: Int64 = 0
    var sold: Int64 = 0
    /// Sold units of orders that are forgotten: a part of `sold`.
    var settled: Int64 = 0
    /// Everything that came in. Law: `loaded = onhand + sold`.
    var loaded: Int64 = 0
    /// Safety stock (positive) or backorder allowance (negative).
    var floor: Int64 = 0
    /// Units per buyer; 0: no limit.
    var limit: Int64 = 0
    /// Unix milliseconds; 0: no such bound.
    var opens: Int64 = 0
    var closes: Int64 = 0
    /// What this SKU adds to its shard's digest, as of the last time that it was counted.
    var countedDigest: UInt64 = 0
    /// The sum of the hashes of its buyers' counts, also a part of its shard's digest.
    var buyersDigest: UInt64 = 0
    var keyReference: Arena.Reference = 0
    var keyLength: UInt8 = 0
    var shard: UInt8 = 0
    var isPaused = false
    var isDropped = false
    /// In the list of SKUs whose digest is to be counted again.
    var isTouched = false

    /// Whether nothing at all stands against selling so many units to anybody: the answer for nearly all lines, found in
    /// one go. If it is no, `Ledger.refusalOfLines` says why, or that there is a limit and it is not reached.
    @inline(__always)
    func sells(_ quantity: Int64, at now: Timestamp) -> Bool {
        (opens == 0 || now.milliseconds >= opens) && (closes == 0 || now.milliseconds < closes) && !isPaused
            && limit == 0 && onhand &- held &- floor >= quantity && hasRoom(for: quantity)
    }

    /// Units once held can always be confirmed: the room in `sold` is kept for them from the beginning.
    @inline(__always)
    func hasRoom(for quantity: Int64) -> Bool { sold &+ held &+ quantity <= Limits.counter }

    /// What can be promised now.
    var available: Int64 { max(0, onhand &- held &- floor) }

    /// Existing units that no order holds and no safety stock keeps: what a transfer may take.
    var free: Int64 { onhand &- held &- max(floor, 0) }

    func status(at now: Timestamp) -> StockStatus {
        if opens != 0 && now.milliseconds < opens { return .upcoming }
        if closes != 0 && now.milliseconds >= closes { return .ended }
        if isPaused { return .paused }
        if available > 0 { return .selling }
        return held > 0 ? .heldOut : .soldOut
    }

    var after: CountersAfter { CountersAfter(onhand: onhand, held: held, sold: sold) }

    var settings: SettingsAfter {
        SettingsAfter(floor: floor, limit: limit, opens: opens, closes: closes, paused: isPaused)
    }
}

/// All SKUs that ever were. Ordinals begin at 1 and are never used again: log records and order lines name SKUs by
/// them, also those that have been dropped.
struct StockTable: ~Copyable {
    private var pages: UnsafeMutablePointer<UnsafeMutablePointer<Stock>>
    private var pageCapacity = 64
    private var pageCount = 0
    private var source = BlockSource(blockBytes: pageSize * MemoryLayout<Stock>.stride)
    private var index = ShardedIndex()
    private var keys = Arena(granuleShift: 3)
    private var recent = RecentNames()
    private let hashKey: HashKey
    /// The newest ordinal.
    private(set) var newest: UInt32 = 0

    private static let pageShift = 10
    private static let pageSize = 1 << pageShift

    init(hashKey: HashKey) {
        self.hashKey = hashKey
        pages = .allocate(capacity: pageCapacity)
    }

    deinit {
        pages.deallocate()
    }

    /// SKUs that exist now.
    var count: Int { index.count }

    @inline(__always)
    var bytes: Int {
        source.bytes &+ index.bytes &+ keys.bytes
    }

    @inline(__always)
    var hasRoom: Bool { newest < UInt32.max - 1 && keys.hasRoom }

    /// The record of an ordinal that was given out.
    @inline(__always)
    subscript(ordinal: UInt32) -> UnsafeMutablePointer<Stock> {
        pages[Int(ordinal) &>> StockTable.pageShift] + (Int(ordinal) & (StockTable.pageSize &- 1))
    }

    /// Whether an ordinal of the log was given out.
    func isKnown(_ ordinal: UInt32) -> Bool { ordinal >= 1 && ordinal <= newest }

    /// The name, kept also after the SKU was dropped: orders still show it.
    func key(_ ordinal: UInt32) -> Token {
        let stock = self[ordinal]
        return Token(base: keys.pointer(stock.pointee.keyReference), count: Int(stock.pointee.keyLength))
    }

    /// The ordinal of an existing SKU, or 0.
    func find(_ key: Token) -> UInt32 { find(key, hashKey.hash(key)) }

    @inline(__always)
    func find(_ key: Token, _ hash: UInt64) -> UInt32 {
        index.find(hash) { isNamed($0, key) }
    }

    /// The ordinal that this name had when it was last looked for; 0: that was too long ago. It need not be true.
    @inline(__always)
    func guess(_ name: Token) -> UInt32 { recent.guess(name) }

    /// Whether an ordinal that was given out is that of an existing SKU of this name.
    @inline(__always)
    func isNamed(_ ordinal: UInt32, _ name: Token) -> Bool {
        let stock = self[ordinal]
        return Int(stock.pointee.keyLength) == name.count && !stock.pointee.isDropped
            && equalBytes(keys.pointer(stock.pointee.keyReference), name.base, count: name.count)
    }

    /// As `find`, trying a guess before; what it finds is what `guess` will say next time.
    @inline(never)
    mutating func findAnew(_ name: Token, _ hash: UInt64, guess: UInt32) -> UInt32 {
        let ordinal = guess != 0 && isNamed(guess, name) ? guess : find(name, hash)
        if ordinal != 0 { recent.note(name, ordinal) }
        return ordinal
    }

    /// Fetches the memory that `find` begins with.
    @inline(__always)
    func prefetchSlot(of hash: UInt64) { index.prefetch(hash) }

    /// Fetches the counters that `find` most likely ends with, once its slot is there; their ordinal, or 0.
    @inline(__always)
    func prefetchStock(of hash: UInt64) -> UInt32 {
        let ordinal = index.candidate(hash)
        if ordinal != 0 { prefetch(ordinal) }
        return ordinal
    }

    /// Fetches the counters of an ordinal, and what is noted of it at its end: two or three cache lines.
    @inline(__always)
    func prefetch(_ ordinal: UInt32) {
        let stock = UnsafeRawPointer(self[ordinal])
        cmachine_prefetch(stock)
        cmachine_prefetch(stock + 64)
        cmachine_prefetch(stock + (MemoryLayout<Stock>.size - 1))
    }

    /// Fetches the name of an ordinal, once its counters are there.
    @inline(__always)
    func prefetchKey(_ ordinal: UInt32) { cmachine_prefetch(keys.pointer(self[ordinal].pointee.keyReference)) }

    /// Adds a SKU that does not exist, or one that was dropped long ago, and returns its ordinal.
    mutating func create(_ key: Token, isDropped: Bool = false) -> UInt32 {
        newest &+= 1
        if Int(newest) >> StockTable.pageShift >= pageCount { addPage() }
        let hash = hashKey.hash(key)
        let reference = keys.allocate(key.count)
        keys.pointer(reference).copyMemory(from: key.base, byteCount: key.count)
        var stock = Stock()
        stock.keyReference = reference
        stock.keyLength = UInt8(truncatingIfNeeded: key.count)
        stock.shard = UInt8(truncatingIfNeeded: Shard.of(hash))
        stock.isDropped = isDropped
        self[newest].initialize(to: stock)
        if !isDropped { index.insert(hash, newest) }
        return newest
    }

    /// Takes the name out of the index; the record stays for the orders that name it.
    mutating func drop(_ ordinal: UInt32) {
        index.remove(hashKey.hash(key(ordinal)), ordinal)
        self[ordinal].pointee.isDropped = true
    }

    private mutating func addPage() {
        if pageCount == pageCapacity {
            let larger = UnsafeMutablePointer<UnsafeMutablePointer<Stock>>.allocate(capacity: pageCapacity * 2)
            larger.update(from: pages, count: pageCount)
            pages.deallocate()
            pages = larger
            pageCapacity *= 2
        }
        pages[pageCount] = source.take().bindMemory(to: Stock.self, capacity: StockTable.pageSize)
        pageCount += 1
    }
}
