// The heart of the archive: whatever happened, and wherever the folds were cut, the rows are the state.

import SeededRandom
import StockLedger
import StockModel
import Testing

@testable import StockArchive

@Suite("Folding")
struct FoldTests {
    @Test("The rows have the digest of memory after every fold, wherever it was cut", arguments: 1...12)
    func foldEqualsMemory(seed: Int) throws {
        var shop = RandomShop(seed: UInt64(seed))
        shop.run(turns: 400)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        var random = SeededGenerator(seed: UInt64(seed) &* 77)
        for turn in shop.turns {
            try archive.fold(turn)
            guard random.chance(12) else { continue }
            let report = try archive.commit()
            #expect(report.sequence == turn.last)
            #expect(archive.position.digest == turn.digest)
        }
        _ = try archive.commit()
        #expect(archive.position.digest == shop.turns.last?.digest)
        try ArchiveReader(scratch.database, identity: testIdentity).verifyDigests()
    }

    @Test("A ledger loaded from the rows obeys the laws and goes on exactly as the one in memory", arguments: 21...26)
    func loadAndGoOn(seed: Int) throws {
        var shop = RandomShop(seed: UInt64(seed))
        shop.run(turns: 500)
        let cut = 100 + seed * 7
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns.prefix(cut) { try archive.fold(turn) }
        _ = try archive.commit()

        var ledger = try restored(scratch.database)
        #expect(ledger.brokenLaw() == nil)
        for turn in shop.turns.dropFirst(cut) {
            try turn.bytes.withUnsafeBytes { bytes in
                var reader = EventReader(bytes)
                while let event = try reader.next() {
                    try ledger.apply(event, sequence: ledger.sequence + 1, at: turn.time)
                }
            }
            #expect(ledger.digest() == turn.digest)
        }
        #expect(ledger.brokenLaw() == nil)
    }

    @Test("One fold of everything and a fold per turn give the same rows, table by table", arguments: 31...34)
    func cutsDoNotMatter(seed: Int) throws {
        var shop = RandomShop(seed: UInt64(seed))
        shop.run(turns: 250)
        let (whole, single) = (Scratch(), Scratch())
        var one = try Archive.open(whole.database, identity: testIdentity)
        for turn in shop.turns { try one.fold(turn) }
        _ = try one.commit()
        var options = ArchiveOptions()
        options.foldRows = 1
        var many = try Archive.open(single.database, identity: testIdentity, options: options)
        for turn in shop.turns { try many.fold(turn) }
        #expect(many.pendingEvents == 0)
        for table in ["sku", "record", "record_line", "known_id", "buyer_count", "entry", "meta"] {
            #expect(try rows(of: table, in: whole.database) == rows(of: table, in: single.database), "\(table)")
        }
    }

    @Test("Every SKU and every order that memory shows stands in the views with the same words")
    func rowByRow() throws {
        var shop = RandomShop(seed: 41)
        shop.run(turns: 400)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns { try archive.fold(turn) }
        _ = try archive.commit()

        var stock: [String] = []
        guard var cursor = shop.ledger.stockCursor(prefix: nil, after: nil) else { return }
        while case .item(let view) = shop.ledger.next(&cursor) {
            let counters = [view.available, view.held, view.sold, view.onhand, view.floor, view.limit]
            stock.append(view.sku.text + counters.map { "|\($0)" }.joined())
        }
        #expect(!stock.isEmpty)
        #expect(
            try stock
                == answer(
                    "SELECT sku, available, held, sold, onhand, floor, buyer_limit FROM stock ORDER BY ordinal",
                    in: scratch.database))

        let orders = try answer(
            """
            SELECT id, state, seq, at_ms, coalesce(buyer, '-'), (SELECT count(*) FROM order_line l
                WHERE l.id = orders.id AND CASE state WHEN 'sold' THEN sold - returned ELSE asked END <> 0) FROM orders
            """, in: scratch.database)
        #expect(orders.count == shop.ledger.orderCount)
        for row in orders {
            let columns = row.split(separator: "|").map(String.init)
            var events = EventBuffer()
            let outcome = shop.ledger.execute(
                .lookup(id: shop.words[columns[0]]), at: shop.ledger.clock, admission: .readOnly, events: &events)
            guard case .order(let view) = outcome else {
                Issue.record("memory does not know \(columns[0])")
                continue
            }
            let mine = [
                view.id.text, "\(view.state)", "\(view.sequence)", "\(view.at.milliseconds)", view.buyer?.text ?? "-",
                "\(view.lines.count)",
            ]
            #expect(columns == mine)
        }
    }

    @Test("The history has every event, and its counters before and after join on")
    func historyJoins() throws {
        var shop = RandomShop(seed: 43)
        shop.run(turns: 300)
        let scratch = Scratch()
        var archive = try Archive.open(scratch.database, identity: testIdentity)
        for turn in shop.turns { try archive.fold(turn) }
        _ = try archive.commit()
        let path = scratch.database
        #expect(try answer("SELECT count(DISTINCT place / 1024) FROM entry", in: path) == ["\(shop.ledger.sequence)"])
        let breaks = try answer(
            """
            SELECT count(*) FROM (SELECT onhand_before, held_before, sold_before,
                    lag(onhand_after) OVER w AS o, lag(held_after) OVER w AS h, lag(sold_after) OVER w AS s, kind
                FROM sku_history WINDOW w AS (PARTITION BY ordinal ORDER BY place))
            WHERE o IS NOT NULL AND (o <> onhand_before OR h <> held_before OR s <> sold_before)
            """, in: path)
        #expect(breaks == ["0"])
    }
}
