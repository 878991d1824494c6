// The digests counted again from the rows, for VERIFY and for every backup: whatever a bug, a disk or a stranger did
// to a row shows here.

import StockJournal
import StockModel

/// A recount in slices. It sees one moment of the database, that of its reader.
public struct DigestWalk: ~Copyable {
    private enum Stage { case skus, records, buyers, done }

    private let database: Database
    private let hashKey: HashKey
    private let expected: ArchivePosition
    private var stage = Stage.skus
    private var skus: SKUReader
    private var records: RecordReader
    private var buyers: BuyerReader
    /// The shard of each SKU: its buyers' counts belong there.
    private var shards: [UInt8] = []
    private var found = ArchivePosition()

    /// What was walked so far.
    public private(set) var skuCount = 0
    public private(set) var orderCount = 0
    public private(set) var operationCount = 0
    public private(set) var buyerCount = 0

    init(_ reader: borrowing ArchiveReader) throws(ArchiveError) {
        let skus = try SKUReader(reader.database)
        let records = try RecordReader(reader.database)
        let buyers = try BuyerReader(reader.database)
        database = reader.database
        hashKey = reader.identity.hashKey
        expected = reader.position
        self.skus = skus
        self.records = records
        self.buyers = buyers
    }

    /// Counts up to `rows` more; true when all are counted.
    public mutating func step(rows: Int) throws(ArchiveError) -> Bool {
        var left = rows
        while left > 0 {
            switch stage {
            case .skus:
                if let row = try skus.next() { count(row) } else { stage = .records }
            case .records:
                if let stored = try records.next() { count(stored.row) } else { stage = .buyers }
            case .buyers:
                if let row = try buyers.next() { try count(row) } else { stage = .done }
            case .done:
                return true
            }
            left -= 1
        }
        return stage == .done
    }

    /// The digest of each shard, as the rows have it. All rows have been counted.
    public var shardDigests: [UInt64] {
        invariant(stage == .done, "digests are asked for when all rows are counted")
        return found.shardDigests
    }

    /// Shards whose rows are not those that were written.
    public var differences: [Int] {
        let digests = shardDigests
        return digests.indices.filter { digests[$0] != expected.shardDigests[$0] }
    }

    private mutating func count(_ row: SKURow) {
        let shard = Shard.of(hashKey.hash(row.key))
        shards.append(UInt8(truncatingIfNeeded: shard))
        found.shardDigests[shard] &+= row.digest
        skuCount += row.isDropped ? 0 : 1
    }

    private mutating func count(_ row: RecordRow) {
        found.shardDigests[Shard.of(hashKey.hash(row.id))] &+= row.digest
        if row.isOrder { orderCount += 1 } else { operationCount += 1 }
    }

    private mutating func count(_ row: BuyerRow) throws(ArchiveError) {
        guard row.ordinal >= 1, Int(row.ordinal) <= shards.count else {
            throw database.damaged("a buyer's count names the SKU \(row.ordinal)")
        }
        found.shardDigests[Int(shards[Int(row.ordinal) - 1])] &+= row.digest
        buyerCount += 1
    }
}

extension ArchiveReader {
    /// Begins a recount of the digests from all rows.
    public borrowing func digestWalk() throws(ArchiveError) -> DigestWalk {
        try DigestWalk(self)
    }

    /// The whole recount at once. Throws `damaged`, naming the first shard that differs.
    public borrowing func verifyDigests() throws(ArchiveError) {
        var walk = try digestWalk()
        while try !walk.step(rows: 100_000) {}
        guard let shard = walk.differences.first else { return }
        throw database.damaged("the rows of shard \(shard) are not those that were written (their digest differs)")
    }
}
