// The questions of Protocol/database-format.md, asked as they stand there.

import StockLedger
import StockModel
import Testing

@testable import StockArchive

/// The text of a file of the project, relative to its root.
private func projectFile(_ name: String) throws -> String {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try String(decoding: bytes(of: "/\(root)/\(name)"), as: UTF8.self)
}

/// A small shop with the names that the document uses.
private func documentedShop(_ path: String) throws {
    var ledger = Ledger(hashKey: testIdentity.hashKey)
    let words = Words()
    var events = EventBuffer()
    let start = Timestamp(milliseconds: 1_763_690_400_000)
    let none = OrderLines(start: nil, count: 0)
    func run(_ command: Command, after seconds: Int64) {
        _ = ledger.execute(command, at: start + seconds * 1_000, admission: .open, events: &events)
    }
    run(.create(sku: words["phone"], onhand: 10, settings: StockSettings(limit: 5)), after: 0)
    run(.create(sku: words["case"], onhand: 10, settings: StockSettings()), after: 0)
    run(.adjust(id: words["a-1"], sku: words["phone"], delta: 5, reason: words["restock"], force: false), after: 1)
    let lines = [OrderLine(sku: words["phone"], quantity: 2), OrderLine(sku: words["case"], quantity: 1)]
    lines.withUnsafeBufferPointer { lines in
        NewOrder.with(id: words["o-1"], lines: lines, buyer: words["ann"]) { run(.reserve($0, ttl: 60_000), after: 2) }
        run(.confirm(id: words["o-1"], lines: none, late: false), after: 3)
        run(.giveBack(key: words["r-1"], order: words["o-1"], lines: OrderLines(rebasing: lines[..<1])), after: 4)
        NewOrder.with(id: words["o-2"], lines: lines, buyer: words["bob"]) { run(.reserve($0, ttl: 60_000), after: 5) }
    }
    var archive = try Archive.open(path, identity: testIdentity)
    try archive.fold(payload: events.bytes, firstSequence: 1, at: start)
    _ = try archive.commit()
}

@Suite("Questions")
struct QueryTests {
    /// The SQL of every fenced block of the document.
    private func documented() throws -> [String] {
        let text = try projectFile("Protocol/database-format.md")
        var blocks: [String] = []
        var block: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```sql" {
                block = ""
            } else if line == "```" {
                if let block { blocks.append(block) }
                block = nil
            } else if block != nil {
                block? += line + "\n"
            }
        }
        return blocks
    }

    @Test("Every documented question has an answer")
    func answers() throws {
        let scratch = Scratch()
        try documentedShop(scratch.database)
        let questions = try documented()
        #expect(questions.count == 13)
        for question in questions {
            #expect(try !answer(question, in: scratch.database).isEmpty, "\(question)")
        }
    }

    @Test("No documented question reads a whole table of orders or history")
    func plans() throws {
        let scratch = Scratch()
        try documentedShop(scratch.database)
        for question in try documented() {
            let plan = try answer("EXPLAIN QUERY PLAN " + question, in: scratch.database)
            for step in plan where step.contains("SCAN") {
                // In the order of an index, with a LIMIT; over the SKUs; over what was found of one id.
                let isBounded =
                    step.contains("USING INDEX record_by_expiry") || step.hasSuffix("SCAN sku")
                    || step.hasSuffix("SCAN id_history")
                #expect(isBounded, "\(step) of \(question)")
            }
            // Sorting is for what one id has, and for best sellers.
            let sorts = plan.contains { $0.contains("TEMP B-TREE") }
            let maySort = ["id_history", "order_line", "sold DESC"].contains { question.contains($0) }
            #expect(!sorts || maySort, "\(question)")
        }
    }

    @Test("The history of an order tells it from beginning to end, returns included")
    func history() throws {
        let scratch = Scratch()
        try documentedShop(scratch.database)
        let kinds = try answer(
            "SELECT kind, sku, quantity, onhand_before, onhand_after FROM id_history WHERE of = 'o-1' ORDER BY place",
            in: scratch.database)
        #expect(
            kinds == [
                "reserved|phone|2|15|15", "reserved|case|1|10|10", "confirmed|phone|2|15|13", "confirmed|case|1|10|9",
                "returned|phone|2|13|15",
            ])
        let own = "SELECT kind, \"order\" FROM id_history WHERE of = 'r-1'"
        #expect(try answer(own, in: scratch.database) == ["returned|o-1"])
    }
}
