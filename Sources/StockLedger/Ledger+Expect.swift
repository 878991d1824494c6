// Ids that are about to come. Nearly all of the time of a sale among millions of remembered orders is one wait for
// memory: the slot of the index that says whether the id is known. Told of the next ids of a pipeline, the ledger
// looks at all their slots at once, so that the waits overlap.

import StockModel

/// Ids that were announced, with their hashes, in the order in which their requests come.
struct ExpectedIDs: ~Copyable {
    private let ids: UnsafeMutablePointer<(id: Token, hash: UInt64)>
    private var count = 0
    private var next = 0
    /// Where the looked-at slots go, so that looking is not left out.
    var sink: UInt64 = 0

    static let capacity = 32

    init() {
        ids = .allocate(capacity: ExpectedIDs.capacity)
    }

    deinit {
        ids.deallocate()
    }

    mutating func removeAll() {
        count = 0
        next = 0
    }

    mutating func append(_ id: Token, _ hash: UInt64) {
        guard count < ExpectedIDs.capacity else { return }
        (ids + count).initialize(to: (id, hash))
        count &+= 1
    }

    var hashes: some Sequence<UInt64> { UnsafeBufferPointer(start: ids, count: count).lazy.map(\.hash) }

    /// The hash of an id that was announced; those announced before it are passed over.
    @inline(__always)
    mutating func take(_ id: Token) -> UInt64? {
        while next < count {
            let expected = ids[next]
            if expected.id.base > id.base { return nil }
            next &+= 1
            if expected.id.base == id.base { return expected.id.count == id.count ? expected.hash : nil }
        }
        return nil
    }
}

extension Ledger {
    /// How many ids can be announced at once.
    public static let expectedIDs = ExpectedIDs.capacity

    /// Announces the ids of the next requests, in the order in which they will come; at most `expectedIDs`. Their bytes
    /// must stay where they are until the ids have come or `expectNothing` is called. It changes nothing but the time that
    /// deciding takes.
    public mutating func expect(_ next: (Int) -> Token?) {
        expected.removeAll()
        var index = 0
        while index < ExpectedIDs.capacity, let id = next(index) {
            expected.append(id, hashKey.hash(id))
            index &+= 1
        }
        // Loads that do not depend on each other: the processor has all of them under way at once.
        var sum: UInt64 = 0
        for hash in expected.hashes { sum &+= records.slot(of: hash) }
        expected.sink = sum
    }

    /// The announced ids are gone.
    public mutating func expectNothing() { expected.removeAll() }

    /// The hash of an id, counted already if it was announced.
    @inline(__always)
    mutating func hash(of id: Token) -> UInt64 { expected.take(id) ?? hashKey.hash(id) }
}
