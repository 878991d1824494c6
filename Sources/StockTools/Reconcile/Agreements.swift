// When both records agreed about a SKU last. Kept in the database beside the history, because that is where an
// explanation begins: what happened before an agreement explains no drift.

import Glibc
import StockArchive
import StockModel

/// The tables `reconciliation` and `agreement`.
enum Agreements {
    /// Rows in one transaction: short, because the archivist writes to the same database.
    private static let batch = 10_000

    /// The newest event at which both records agreed about a SKU by one counter; no row if they never did. An agreement
    /// about another counter says nothing here. The database is up to date.
    static func last(_ kind: CountKind, in reader: borrowing ArchiveReader) throws -> Statement {
        let statement = try reader.prepare("SELECT sequence FROM agreement WHERE sku = ?1 AND counter = ?2")
        statement.bind(text: kind.rawValue, at: 2)
        return statement
    }

    /// Writes a run down, and what agreed in it.
    ///
    /// Throws `ArchiveError.busy` when the archivist has the database for longer than 5 s; what was written stays.
    static func keep(_ comparison: Comparison, at time: Int64, in archive: String) throws {
        let database = try Database(archive, .write)
        try database.bringUpToDate()
        let summary = comparison.summary
        try database.execute("BEGIN IMMEDIATE")
        let insert = try database.prepare(
            """
            INSERT INTO reconciliation
                (time, sequence, source, compared, equal, drifting, only_here, only_there, counter)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING run
            """)
        insert.bind(time, at: 1)
        insert.bind(summary.sequence, at: 2)
        insert.bind(text: comparison.record.name, at: 3)
        for (index, number) in [
            summary.compared, summary.equal, summary.drifting, summary.onlyHere, summary.onlyThere,
        ].enumerated() {
            insert.bind(Int64(number), at: Int32(index + 4))
        }
        insert.bind(text: comparison.kind.rawValue, at: 9)
        let run = try insert.step() ? insert.integer(0) : 0
        insert.reset()
        try database.execute("COMMIT")

        let equal = try comparison.scratch.database.prepare("SELECT ordinal, units FROM equal ORDER BY ordinal")
        let agree = try database.prepare("INSERT OR REPLACE INTO agreement VALUES (?5, ?1, ?2, ?3, ?4)")
        agree.bind(text: comparison.kind.rawValue, at: 5)
        var pending = 0
        while try equal.step() {
            if pending == 0 { try database.execute("BEGIN IMMEDIATE") }
            agree.bind(equal.integer(0), at: 1)
            agree.bind(run, at: 2)
            agree.bind(summary.sequence, at: 3)
            agree.bind(equal.integer(1), at: 4)
            try agree.run()
            pending += 1
            if pending == batch {
                try database.execute("COMMIT")
                pending = 0
            }
        }
        if pending > 0 { try database.execute("COMMIT") }
    }
}

extension Comparison {
    /// Keeps what agreed, so that the next run explains drifts from here on.
    public func keepAgreements(in store: StoreFiles, at time: Int64) throws {
        try Agreements.keep(self, at: time, in: store.archive)
    }
}
