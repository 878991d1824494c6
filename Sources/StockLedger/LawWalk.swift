// Proving the laws while sales go on. A walk visits every remembered id, a few at a time, and sums up from scratch what
// the SKUs should hold and have sold, and what the digest should be. A record that was visited carries the walk's
// number, and when it changes later the sums follow; one that was not will be visited as it is then. So at the end the
// sums are those of one moment, though no turn of the loop ever stopped for them.

import StockModel

/// The sums of a walk, for `Ledger.continueVerification`.
struct LawWalk: ~Copyable {
    /// What visited records carry; `idle` while no walk is on.
    private(set) var number = LawWalk.idle
    private var newest: UInt16 = 0
    /// The next slot of the timing wheel to look at.
    var slot: TimingWheel.Slot = 0
    /// The next SKU to compare.
    var ordinal: UInt32 = 1
    /// The digests of all visited records, by shard.
    let digests: UnsafeMutablePointer<UInt64>
    /// Per ordinal, in pages that are made when they are needed: units held by open orders, and units sold and kept.
    private var pages: [UnsafeMutablePointer<(held: Int64, sold: Int64)>?] = []

    private static let idle = UInt16.max
    /// Small pages: visiting orders of many SKUs makes one after the other, and each must cost little.
    private static let pageShift = 8

    init() {
        digests = .allocate(capacity: Shard.count)
    }

    deinit {
        for page in pages { page?.deallocate() }
        digests.deallocate()
    }

    var isOn: Bool { number != LawWalk.idle }

    mutating func start() {
        newest = newest >= LawWalk.idle - 1 ? 1 : newest + 1
        number = newest
        slot = 0
        ordinal = 1
        digests.initialize(repeating: 0, count: Shard.count)
    }

    mutating func stop() {
        number = LawWalk.idle
        for page in pages { page?.deallocate() }
        pages = []
    }

    mutating func add(_ record: Record, _ digest: UInt64, shard: Int) {
        digests[shard] &+= digest
        sum(record, sign: 1)
    }

    mutating func remove(_ record: Record, _ digest: UInt64, shard: Int) {
        digests[shard] &-= digest
        sum(record, sign: -1)
    }

    /// What the visited records say of a SKU.
    mutating func sums(of ordinal: UInt32) -> (held: Int64, sold: Int64) { place(ordinal).pointee }

    private mutating func sum(_ record: Record, sign: Int64) {
        guard record.isOrder else { return }
        for index in 0..<record.lineCount {
            let line = record.lines[index]
            if record.isHeld {
                place(line.ordinal).pointee.held &+= sign &* line.asked
            } else {
                place(line.ordinal).pointee.sold &+= sign &* line.kept
            }
        }
    }

    private mutating func place(_ ordinal: UInt32) -> UnsafeMutablePointer<(held: Int64, sold: Int64)> {
        let page = Int(ordinal) >> LawWalk.pageShift
        if pages.count <= page { pages += Array(repeating: nil, count: page + 1 - pages.count) }
        return (pages[page] ?? newPage(page)) + (Int(ordinal) & ((1 << LawWalk.pageShift) - 1))
    }

    private mutating func newPage(_ page: Int) -> UnsafeMutablePointer<(held: Int64, sold: Int64)> {
        let fresh = UnsafeMutablePointer<(held: Int64, sold: Int64)>.allocate(capacity: 1 << LawWalk.pageShift)
        fresh.initialize(repeating: (0, 0), count: 1 << LawWalk.pageShift)
        pages[page] = fresh
        return fresh
    }
}
