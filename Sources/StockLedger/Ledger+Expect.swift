// Commands that are about to come. Nearly all of the time of a sale among millions of remembered orders is a few waits
// for memory: the slot of the index that says whether the id is known, the SKU's slot, its counters, its name. Told of
// the next commands of a pipeline, the ledger looks at the places of all of them at once, so that the waits overlap.

import StockModel

/// What the next commands name, with the hashes, in the order in which they come.
struct ExpectedKeys: ~Copyable {
    struct Entry {
        var id: Token
        var idHash: UInt64
        /// Of the first line, if the command has lines.
        var sku: Token?
        /// 0: not counted, as there was a guess.
        var skuHash: UInt64
        /// What the SKU most likely is; 0: not known. An event names it by this.
        var ordinal: UInt32 = 0
    }

    private let entries: UnsafeMutablePointer<Entry>
    private var count = 0
    private var next = 0

    static let capacity = 32

    init() {
        entries = .allocate(capacity: ExpectedKeys.capacity)
    }

    deinit {
        entries.deallocate()
    }

    mutating func removeAll() {
        count = 0
        next = 0
    }

    mutating func append(_ entry: Entry) {
        guard count < ExpectedKeys.capacity else { return }
        (entries + count).initialize(to: entry)
        count &+= 1
    }

    var all: UnsafeMutableBufferPointer<Entry> { UnsafeMutableBufferPointer(start: entries, count: count) }

    /// The hash of an id that was announced; those announced before it are passed over.
    @inline(__always)
    mutating func takeHash(ofID id: Token) -> UInt64? {
        while next < count {
            let expected = entries[next]
            if expected.id.base > id.base { return nil }
            next &+= 1
            if expected.id.base == id.base { return expected.id.count == id.count ? expected.idHash : nil }
        }
        return nil
    }

    /// What is known of a SKU that was announced with the id that was taken last: its hash and its ordinal, or zeros.
    @inline(__always)
    func known(of sku: Token) -> (hash: UInt64, ordinal: UInt32) {
        guard next > 0, let expected = entries[next &- 1].sku, expected.base == sku.base, expected.count == sku.count
        else { return (0, 0) }
        return (entries[next &- 1].skuHash, entries[next &- 1].ordinal)
    }
}

extension Ledger {
    /// Announces one of the next commands, in the order in which they will come; `fetchExpected` comes after the last.
    /// Its bytes must stay where they are until it has come or `expectNothing` is called. It changes nothing but the
    /// time that deciding takes.
    @inlinable
    @inline(__always)
    public mutating func expect(_ command: Command) {
        switch command {
        case .deduct(let order), .reserve(let order, _): expect(order.id, order.lines.first?.sku)
        case .confirm(let id, _, _), .cancel(let id, _, _), .extend(let id, _), .lookup(let id): expect(id, nil)
        case .giveBack(let key, _, _): expect(key, nil)
        case .get, .create, .adjust, .count, .configure, .transfer, .drop: break
        }
    }

    @usableFromInline
    mutating func expect(_ id: Token, _ sku: Token?) {
        let idHash = hashKey.hash(id)
        records.prefetchSlot(of: idHash)
        var skuHash: UInt64 = 0
        var ordinal: UInt32 = 0
        if let sku {
            ordinal = stocks.guess(sku)
            if ordinal != 0 {
                stocks.prefetch(ordinal)
            } else {
                skuHash = hashKey.hash(sku)
                stocks.prefetchSlot(of: skuHash)
            }
        }
        expected.append(ExpectedKeys.Entry(id: id, idHash: idHash, sku: sku, skuHash: skuHash, ordinal: ordinal))
    }

    /// Fetches what the announced commands will look at. Their slots are near by now; each pass fetches what the one before
    /// it has found.
    public mutating func fetchExpected() {
        for index in expected.all.indices {
            let entry = expected.all[index]
            records.prefetchRecord(of: entry.idHash)
            if entry.sku != nil && entry.ordinal == 0 {
                expected.all[index].ordinal = stocks.prefetchStock(of: entry.skuHash)
            }
        }
        for entry in expected.all where entry.ordinal != 0 { stocks.prefetchKey(entry.ordinal) }
    }

    /// Announces an event of the log, whose SKU is known.
    @inline(__always)
    mutating func expect(_ id: Token, _ hash: UInt64, ordinal: UInt32) {
        records.prefetchSlot(of: hash)
        if ordinal != 0 { stocks.prefetch(ordinal) }
        expected.append(ExpectedKeys.Entry(id: id, idHash: hash, sku: nil, skuHash: 0, ordinal: ordinal))
    }

    /// The same as `fetchExpected`, for events.
    mutating func fetchExpectedEvents() {
        for entry in expected.all { records.prefetchRecord(of: entry.idHash) }
    }

    /// The announced commands are gone.
    public mutating func expectNothing() { expected.removeAll() }

    /// The hash of an id, counted already if it was announced.
    @inline(__always)
    mutating func hash(of id: Token) -> UInt64 { expected.takeHash(ofID: id) ?? hashKey.hash(id) }

    /// The ordinal of an existing SKU, or 0.
    @inline(__always)
    mutating func ordinal(of sku: Token) -> UInt32 {
        let known = expected.known(of: sku)
        let guess = known.ordinal != 0 ? known.ordinal : stocks.guess(sku)
        // With a hash it was not among the recent ones.
        if known.hash == 0 && guess != 0 && stocks.isNamed(guess, sku) { return guess }
        return stocks.findAnew(sku, known.hash != 0 ? known.hash : hashKey.hash(sku), guess: guess)
    }
}
