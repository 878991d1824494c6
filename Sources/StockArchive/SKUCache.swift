// All SKUs in memory, as the newest event left them: events name SKUs by ordinal, the history wants counters before
// and after, and a hot SKU is written once per fold however often it was sold. About 150 bytes a SKU and its name.

import StockModel

struct CachedSKU {
    var row: SKURow
    /// Of `row` as the database has it.
    var digest: UInt64
    var shard: Int
    var isNew: Bool
    var isTouched = false
    /// More than its counters has changed in this fold.
    var isConfigured = false
    /// Dropped in this fold: its buyers' counts go.
    var isDropping = false
}

struct SKUCache: ~Copyable {
    private var names = ByteArena()
    private var rows: [CachedSKU] = []
    /// Ordinals that this fold has changed, each once.
    private(set) var touched: [UInt32] = []

    var newest: UInt32 { UInt32(truncatingIfNeeded: rows.count) }

    /// An ordinal that was given out; `isKnown` says so.
    subscript(ordinal: UInt32) -> CachedSKU {
        get { rows[Int(ordinal) - 1] }
        _modify { yield &rows[Int(ordinal) - 1] }
    }

    func isKnown(_ ordinal: UInt32) -> Bool { ordinal >= 1 && Int(ordinal) <= rows.count }

    mutating func append(_ row: SKURow, hashKey: HashKey, isNew: Bool) {
        var row = row
        row.key = names.copy(row.key)
        let digest = isNew ? 0 : row.digest
        rows.append(CachedSKU(row: row, digest: digest, shard: Shard.of(hashKey.hash(row.key)), isNew: isNew))
    }

    mutating func touch(_ ordinal: UInt32) {
        guard !self[ordinal].isTouched else { return }
        self[ordinal].isTouched = true
        touched.append(ordinal)
    }

    /// What was touched is in the database now.
    mutating func settleTouched() {
        for ordinal in touched {
            self[ordinal].isTouched = false
            self[ordinal].isNew = false
            self[ordinal].isConfigured = false
            self[ordinal].isDropping = false
        }
        touched.removeAll(keepingCapacity: true)
    }

    mutating func removeAll() {
        rows.removeAll()
        touched.removeAll()
        names.removeAll()
    }
}
