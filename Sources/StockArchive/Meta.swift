// What the archive knows of itself: which store it belongs to, which event it stands at, and the digests of its rows.
// `meta` is a table of names and values, so that a person can read it.

import StockJournal
import StockModel

/// Where an archive stands: what a restart needs beside the rows.
public struct ArchivePosition: Equatable, Sendable {
    /// The newest event that is folded, and its time.
    public var sequence: UInt64 = 0
    public var clock = Timestamp(milliseconds: 0)
    /// The newest end among the forgotten; −1: nothing was forgotten.
    public var forgottenBy = Timestamp(milliseconds: -1)
    public var forgottenCount: UInt64 = 0
    /// The newest ordinal that a SKU was given.
    public var newestOrdinal: UInt32 = 0
    /// The digest of each shard's rows.
    public var shardDigests = [UInt64](repeating: 0, count: Shard.count)
    /// The history begins at this sequence; what came before was pruned.
    public var historyFrom: UInt64 = 1

    public init() {}

    /// `Ledger.digest` of the state.
    public var digest: UInt64 {
        var hasher = ItemHasher(.ledger)
        hasher.combineLedger(newestOrdinal: newestOrdinal, forgottenBy: forgottenBy, forgottenCount: forgottenCount)
        return shardDigests.reduce(hasher.finish(), &+)
    }
}

extension Database {
    /// Refuses a file that is not an archive, or one of a later version. One that was never begun is `missing`.
    func checkFormat() throws(ArchiveError) {
        guard try integer("PRAGMA application_id") == Schema.applicationID else {
            // A crash, or a power cut, kept it from being begun.
            if try integer("SELECT count(*) FROM sqlite_master") == 0 { throw .missing(path: path) }
            throw .foreign(path: path, problem: "it is another program's database")
        }
        let format = try integer("PRAGMA user_version")
        guard format <= Schema.format else { throw .newerFormat(path: path, found: format, known: Schema.format) }
        guard format >= Schema.oldestFormat else { throw damaged("it says format \(format), which never was") }
    }

    /// Changes the tables of an earlier format to those of this one. Rows of the state are the same in all of them.
    ///
    /// Throws `busy` while somebody else writes; nothing has changed then.
    public func bringUpToDate() throws(ArchiveError) {
        try checkFormat()
        guard try integer("PRAGMA user_version") < Schema.format else { return }
        try execute("BEGIN IMMEDIATE")
        do {
            // Asked again: the lock may have been waited for.
            var format = try integer("PRAGMA user_version")
            while let migration = Schema.migrations[format] {
                format += 1
                try execute("\(migration) PRAGMA user_version = \(format)")
            }
            try execute("COMMIT")
        } catch {
            rollback()
            throw error
        }
    }

    func checkIdentity(_ identity: StoreIdentity) throws(ArchiveError) {
        guard try value("store") == identity.storeText else {
            throw .foreign(path: path, problem: "it belongs to another store than the log")
        }
        guard try value("hash_key") == identity.keyText else {
            throw damaged("its hash key is not that of the log")
        }
    }

    /// The tables and views of an empty archive.
    func makeArchive(_ identity: StoreIdentity) throws(ArchiveError) {
        try execute(Schema.tables)
        try execute(Schema.views)
        try set("store", identity.storeText)
        try set("hash_key", identity.keyText)
        try write(ArchivePosition())
        try execute("PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = \(Schema.format)")
    }

    // MARK: The position

    /// Must be called in the transaction that the rows are read in.
    func readPosition() throws(ArchiveError) -> ArchivePosition {
        var position = ArchivePosition()
        position.sequence = try number("sequence")
        position.clock = Timestamp(milliseconds: try number("clock"))
        position.forgottenBy = Timestamp(milliseconds: try number("forgotten_by"))
        position.forgottenCount = try number("forgotten_count")
        position.newestOrdinal = try number("newest_ordinal")
        position.historyFrom = try number("history_from")
        let statement = try prepare("SELECT value FROM meta WHERE key = 'shard_digests'")
        guard try statement.step() else { throw damaged("meta has no shard_digests") }
        let blob = statement.blob(0)
        guard blob.count == Shard.count * 8 else { throw damaged("the shard digests have \(blob.count) bytes") }
        for shard in 0..<Shard.count {
            position.shardDigests[shard] = blob[(shard * 8)..<(shard * 8 + 8)].reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard try value("digest") == String(position.digest) else {
            throw damaged("its digest is not the sum of its shards' digests")
        }
        return position
    }

    func write(_ position: ArchivePosition) throws(ArchiveError) {
        try set("sequence", String(position.sequence))
        try set("clock", String(position.clock.milliseconds))
        try set("forgotten_by", String(position.forgottenBy.milliseconds))
        try set("forgotten_count", String(position.forgottenCount))
        try set("newest_ordinal", String(position.newestOrdinal))
        try set("history_from", String(position.historyFrom))
        try set("digest", String(position.digest))
        var blob: [UInt8] = []
        blob.reserveCapacity(Shard.count * 8)
        for digest in position.shardDigests {
            withUnsafeBytes(of: digest.bigEndian) { blob.append(contentsOf: $0) }
        }
        let statement = try prepare("INSERT OR REPLACE INTO meta VALUES ('shard_digests', ?)")
        statement.bind(blob: blob, at: 1)
        try statement.run()
    }

    // MARK: Names and values

    /// All values but the digests of the shards are text: a digest has 64 bits and no sign, which SQLite's integers
    /// cannot show.
    private func set(_ key: String, _ value: String) throws(ArchiveError) {
        let statement = try prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)")
        statement.bind(text: key, at: 1)
        statement.bind(text: value, at: 2)
        try statement.run()
    }

    private func value(_ key: String) throws(ArchiveError) -> String {
        let statement = try prepare("SELECT value FROM meta WHERE key = ?")
        statement.bind(text: key, at: 1)
        guard try statement.step() else { throw damaged("meta has no \(key)") }
        return statement.text(0)
    }

    private func number<Number: FixedWidthInteger>(_ key: String) throws(ArchiveError) -> Number {
        let text = try value(key)
        guard let number = Number(text) else { throw damaged("the \(key) of meta is \(text)") }
        return number
    }
}

extension StoreIdentity {
    fileprivate var storeText: String { padded(String(store, radix: 16), to: 32) }

    fileprivate var keyText: String {
        padded(String(hashKey.k0, radix: 16), to: 16) + padded(String(hashKey.k1, radix: 16), to: 16)
    }

    private func padded(_ text: String, to width: Int) -> String {
        String(repeating: "0", count: width - text.utf8.count) + text
    }
}
