// The tables of the archive. `Protocol/database-format.md` explains them to people who ask the database; what matters
// here is that a fold writes mostly at the ends of trees.
//
// An id's `number` is the sequence of the event that brought it: it grows, so that rows keyed by it are appended. A
// `place` is a sequence times 1,024 and the number of a line (an event has at most that many): one integer that keys a
// line of the history, or of a record. Only `known_id`, from the text of an id to its numbers, and the `entry_of_…`
// tables are written to all over. They are what indexes would be, but a fold writes them itself, once and sorted:
// SQLite's own, kept up row by row, took two thirds of the time of a fold (measured: 18 µs an event against 7).

import StockModel

enum Schema {
    /// "STOK", so that `file` and this program know the database.
    static let applicationID: Int64 = 0x5354_4F4B
    /// Grows with every change that an older version could not read.
    static let format: Int64 = 2
    /// The oldest that a restart can read. Who writes brings the tables up to date first, see `Schema.migrations`.
    static let oldestFormat: Int64 = 1

    /// Lines for which each sequence has room, see `place`.
    static let placesPerEvent: UInt64 = 1_024

    @inline(__always)
    static func place(_ number: UInt64, _ line: Int) -> UInt64 {
        number &* placesPerEvent &+ UInt64(truncatingIfNeeded: line)
    }

    static let tables = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

        CREATE TABLE sku (
            ordinal INTEGER PRIMARY KEY, name TEXT NOT NULL,
            onhand INTEGER NOT NULL, held INTEGER NOT NULL, sold INTEGER NOT NULL, settled INTEGER NOT NULL,
            loaded INTEGER NOT NULL, floor INTEGER NOT NULL, buyer_limit INTEGER NOT NULL, opens INTEGER NOT NULL,
            closes INTEGER NOT NULL, paused INTEGER NOT NULL, dropped INTEGER NOT NULL);
        CREATE INDEX sku_by_name ON sku (name);

        CREATE TABLE record (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL, state INTEGER NOT NULL, flags INTEGER NOT NULL,
            sequence INTEGER NOT NULL, at INTEGER NOT NULL, moment INTEGER NOT NULL, ttl INTEGER NOT NULL,
            buyer TEXT, born INTEGER, return_of TEXT);
        CREATE INDEX record_by_expiry ON record (moment) WHERE state = 1;
        CREATE INDEX record_by_order ON record (return_of) WHERE return_of IS NOT NULL;

        CREATE TABLE record_line (
            place INTEGER PRIMARY KEY, sku INTEGER NOT NULL, asked INTEGER NOT NULL, sold INTEGER NOT NULL,
            returned INTEGER NOT NULL);

        CREATE TABLE known_id (id TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (id, number)) WITHOUT ROWID;

        CREATE TABLE buyer_count (
            sku INTEGER NOT NULL, buyer TEXT NOT NULL, units INTEGER NOT NULL, PRIMARY KEY (sku, buyer)) WITHOUT ROWID;

        CREATE TABLE entry (
            place INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL, number INTEGER, id TEXT,
            order_id TEXT, sku INTEGER, buyer TEXT, quantity INTEGER, onhand INTEGER, held INTEGER, sold INTEGER,
            onhand_change INTEGER, held_change INTEGER, sold_change INTEGER, until INTEGER, flags INTEGER NOT NULL,
            reason TEXT);
        CREATE TABLE entry_of_sku (
            sku INTEGER NOT NULL, time INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (sku, time, place)
        ) WITHOUT ROWID;
        CREATE TABLE entry_of_id (
            number INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (number, place)) WITHOUT ROWID;
        CREATE TABLE entry_of_buyer (
            buyer TEXT NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (buyer, place)) WITHOUT ROWID;

        CREATE TABLE reconciliation (
            run INTEGER PRIMARY KEY, time INTEGER NOT NULL, sequence INTEGER NOT NULL, source TEXT NOT NULL,
            compared INTEGER NOT NULL, equal INTEGER NOT NULL, drifting INTEGER NOT NULL, only_here INTEGER NOT NULL,
            only_there INTEGER NOT NULL, counter TEXT NOT NULL DEFAULT 'onhand');
        CREATE TABLE agreement (
            counter TEXT NOT NULL, sku INTEGER NOT NULL, run INTEGER NOT NULL, sequence INTEGER NOT NULL,
            units INTEGER NOT NULL, PRIMARY KEY (counter, sku)) WITHOUT ROWID;
        """

    /// From each format to the next one, in a transaction that also writes the new number.
    static let migrations: [Int64: String] = [
        // The counter stood in `source`, before the record's name, and an agreement about one replaced that about another.
        1: """
        ALTER TABLE reconciliation ADD COLUMN counter TEXT NOT NULL DEFAULT 'onhand';
        UPDATE reconciliation
            SET counter = substr(source, 1, instr(source, ' ') - 1), source = substr(source, instr(source, ' ') + 1)
            WHERE instr(source, ' ') > 0;
        ALTER TABLE agreement RENAME TO agreement_1;
        CREATE TABLE agreement (
            counter TEXT NOT NULL, sku INTEGER NOT NULL, run INTEGER NOT NULL, sequence INTEGER NOT NULL,
            units INTEGER NOT NULL, PRIMARY KEY (counter, sku)) WITHOUT ROWID;
        INSERT INTO agreement SELECT r.counter, a.sku, a.run, a.sequence, a.units
            FROM agreement_1 a JOIN reconciliation r ON r.run = a.run;
        DROP TABLE agreement_1;
        """,
    ]

    /// Unix milliseconds as ISO 8601 text, NULL for NULL and 0.
    private static func iso(_ column: String) -> String {
        "strftime('%Y-%m-%dT%H:%M:%fZ', nullif(\(column), 0) / 1000.0, 'unixepoch')"
    }

    /// The names of the states, in the order of their numbers in `IDState`.
    private static let stateName = """
        CASE r.state WHEN 1 THEN 'held' WHEN 2 THEN 'sold' WHEN 3 THEN 'cancelled' WHEN 4 THEN 'expired'
            WHEN 5 THEN 'returned' WHEN 6 THEN 'adjusted' WHEN 7 THEN 'counted' WHEN 8 THEN 'transferred'
            WHEN 9 THEN 'return' END
        """

    private static let kindName = """
        CASE e.kind WHEN 1 THEN 'created' WHEN 2 THEN 'adjusted' WHEN 3 THEN 'counted' WHEN 4 THEN 'configured'
            WHEN 5 THEN 'transferred' WHEN 6 THEN 'dropped' WHEN 16 THEN 'deducted' WHEN 17 THEN 'reserved'
            WHEN 18 THEN 'confirmed' WHEN 19 THEN 'cancelled' WHEN 20 THEN 'cancelled-empty' WHEN 21 THEN 'extended'
            WHEN 22 THEN 'returned' WHEN 23 THEN 'expired' WHEN 24 THEN 'forgot' END
        """

    /// What every view of the history shows.
    private static let ledgerColumns = """
        e.place / 1024 AS seq, e.place % 1024 AS line, \(iso("e.time")) AS time, \(kindName) AS kind, e.id,
        coalesce(e.order_id, CASE WHEN e.kind BETWEEN 16 AND 23 THEN e.id END) AS "order",
        s.name AS sku, e.buyer, e.quantity,
        e.onhand - e.onhand_change AS onhand_before, e.onhand AS onhand_after,
        e.held - e.held_change AS held_before, e.held AS held_after,
        e.sold - e.sold_change AS sold_before, e.sold AS sold_after,
        \(iso("e.until")) AS until, e.flags & 1 AS forced, e.flags >> 1 & 1 AS late, e.reason
        """

    /// What people look at: names instead of numbers, times that can be read. No fold and no restart reads them.
    static let views = """
        CREATE VIEW stock AS
            SELECT name AS sku, max(0, onhand - held - floor) AS available, held, sold, onhand, floor, buyer_limit,
                \(iso("opens")) AS opens, \(iso("closes")) AS closes, paused, settled, loaded, ordinal
            FROM sku WHERE NOT dropped;

        CREATE VIEW orders AS
            SELECT k.id, \(stateName) AS state, r.sequence AS seq, \(iso("r.at")) AS at, r.at AS at_ms,
                CASE WHEN r.state = 1 THEN \(iso("r.moment")) END AS expires,
                CASE WHEN r.state <> 1 THEN \(iso("r.moment")) END AS ended, r.moment AS moment_ms,
                nullif(r.ttl, 0) AS ttl_ms, r.buyer, \(iso("r.born")) AS born, r.number
            FROM known_id k JOIN record r ON r.number = k.number AND r.id = k.id WHERE r.state <= 5;

        CREATE VIEW holds AS
            SELECT r.id, \(iso("r.moment")) AS expires, r.moment AS expires_ms, r.buyer, \(iso("r.at")) AS at,
                r.sequence AS seq, r.number
            FROM record r WHERE r.state = 1;

        CREATE VIEW operation AS
            SELECT k.id, \(stateName) AS kind, r.sequence AS seq, \(iso("r.moment")) AS time, r.moment AS time_ms,
                CASE WHEN r.state <> 9 THEN r.at END AS quantity, r.return_of AS "order", r.number
            FROM known_id k JOIN record r ON r.number = k.number AND r.id = k.id WHERE r.state > 5;

        CREATE VIEW order_line AS
            SELECT k.id, l.place % 1024 AS line, s.name AS sku, l.asked, l.sold, l.returned, k.number, l.sku AS ordinal
            FROM known_id k JOIN record r ON r.number = k.number AND r.id = k.id
                JOIN record_line l ON l.place BETWEEN k.number * 1024 AND k.number * 1024 + 1023
                JOIN sku s ON s.ordinal = l.sku;

        CREATE VIEW ledger AS
            SELECT e.place, \(ledgerColumns) FROM entry e LEFT JOIN sku s ON s.ordinal = e.sku;

        CREATE VIEW sku_history AS
            SELECT x.sku AS ordinal, x.time AS time_ms, x.place, \(ledgerColumns)
            FROM entry_of_sku x CROSS JOIN entry e ON e.place = x.place LEFT JOIN sku s ON s.ordinal = e.sku;

        CREATE VIEW buyer_history AS
            SELECT x.buyer AS of, x.place, \(ledgerColumns)
            FROM entry_of_buyer x CROSS JOIN entry e ON e.place = x.place LEFT JOIN sku s ON s.ordinal = e.sku;

        CREATE VIEW id_history AS
            SELECT k.id AS of, e.place, \(ledgerColumns)
            FROM known_id k CROSS JOIN entry e ON e.place BETWEEN k.number * 1024 AND k.number * 1024 + 1023
                LEFT JOIN sku s ON s.ordinal = e.sku
            UNION ALL
            SELECT k.id AS of, e.place, \(ledgerColumns)
            FROM known_id k CROSS JOIN entry_of_id x ON x.number = k.number CROSS JOIN entry e ON e.place = x.place
                LEFT JOIN sku s ON s.ordinal = e.sku;
        """
}

/// Yes-or-no facts of a row of `entry`.
enum EntryFlags {
    static let forced: Int64 = 1
    static let late: Int64 = 2
}
