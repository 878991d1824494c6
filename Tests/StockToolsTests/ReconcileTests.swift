// Reconciliation against records with planted errors: each is found, and explained by what made it.

import StockInput
import StockModel
import Testing

@testable import StockTools

@Suite("Reconciliation")
struct ReconcileTests {
    /// Two buyers, a hold, a return, a restock: lamp 50, 5 of them held; phone 97; sofa 10; chair 12.
    private static func shop(_ scratch: Scratch) throws -> Shop {
        var shop = try Shop(scratch.store)
        try shop.create("phone", 100)
        try shop.create("lamp", 50)
        try shop.create("sofa", 7)
        try shop.create("chair", 12)
        try shop.sell("o-1", [("phone", 2)], buyer: "ann")
        try shop.hold("o-2", [("lamp", 5)], buyer: "bob")
        try shop.sell("o-3", [("phone", 1), ("lamp", 1)], buyer: "cleo")
        try shop.adjust("a-1", "sofa", 3, reason: "restock")
        try shop.giveBack("r-1", of: "o-3", [("lamp", 1)])
        return shop
    }

    @Test("A record that says the same has no differences")
    func equal() throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        let (summary, differences) = try reconcile(scratch, against: "sofa,10\nphone,97\nlamp,50\nchair,12\n")
        #expect(summary.equal == 4 && summary.differences == 0 && differences.isEmpty && summary.sequence == 9)
    }

    @Test("One missing, one too high by an order, one too low by an unlogged sale: exactly these are found and explained")
    func planted() throws {
        let scratch = try Scratch()
        var shop = try Self.shop(scratch)
        _ = try reconcile(scratch, against: "phone,97\nlamp,50\nsofa,10\nchair,12\n", keep: true)
        try shop.sell("o-4", [("phone", 1)], buyer: "dan")
        try shop.sell("o-5", [("phone", 4)], buyer: "eve")
        try shop.sell("o-6", [("phone", 2)], buyer: "fay")
        try shop.sell("o-7", [("lamp", 3)])
        try shop.close()
        // The phone's record never saw o-5; one lamp was sold without a word; the chair's row is missing.
        let (summary, found) = try reconcile(scratch, against: "phone,94\nlamp,46\nsofa,10\ntable,3\n")
        #expect([summary.equal, summary.drifting, summary.onlyHere, summary.onlyThere] == [1, 2, 1, 1])
        #expect(found.map(\.0.sku) == ["lamp", "phone", "chair", "table"])

        let lamp = try #require(found[0].1)
        #expect(lamp.finding == .elsewhere)
        #expect(lamp.agreedAt == 9 && lamp.examined == 1 && lamp.change == -3 && lamp.entries.isEmpty)

        let phone = try #require(found[1].1)
        #expect(phone.finding == .missed(alternatives: 0))
        #expect(phone.entries.map(\.id) == ["o-5"] && phone.entries.map(\.change) == [-4])
        #expect(phone.entries.first?.buyer == "eve" && phone.agreedAt == 9)

        #expect(found[2].0.kind == .onlyHere && found[2].1 == nil)
        #expect(found[3].0.kind == .onlyThere && found[3].0.there == 3)
    }

    @Test("A record that is behind is told from one that missed an order")
    func behind() throws {
        let scratch = try Scratch()
        var shop = try Self.shop(scratch)
        for number in 10..<15 { try shop.sell("o-\(number)", [("phone", Int64(number))]) }
        try shop.close()
        let (_, found) = try reconcile(scratch, against: "phone,64\nlamp,50\nsofa,7\nchair,12\n")
        let phone = try #require(found.first { $0.0.sku == "phone" }?.1)
        // 97 − 10 − 11 − 12 = 64: the newest two are not there yet.
        #expect(phone.finding == .behind)
        #expect(phone.entries.map(\.id) == ["o-13", "o-14"])
        let sofa = try #require(found.first { $0.0.sku == "sofa" }?.1)
        #expect(sofa.finding == .behind)
        #expect(sofa.entries.map(\.reason) == ["restock"])
    }

    @Test("Two orders that are missing together are found together")
    func pair() {
        func entry(_ number: Int64, _ change: Int64) -> HistoryEntry {
            HistoryEntry(sequence: number, time: "", kind: "deducted", id: "o-\(number)", change: change)
        }
        let entries = [entry(5, -1), entry(4, -20), entry(3, -300), entry(2, -4_000), entry(1, -50_000)]
        let found = Explainer.search(entries, from: 0, to: 4_020)
        #expect(found.finding == .missed(alternatives: 0))
        #expect(found.entries.map(\.id) == ["o-2", "o-4"])
        #expect(Explainer.search(entries, from: 0, to: 7).finding == .elsewhere)
        #expect(Explainer.search(entries, from: 0, to: 7).examined == 5)
        // What an order did and undid is one thing: it makes no difference, and explains none.
        let undone = [entry(2, 3), entry(2, -3), entry(1, -8)]
        #expect(Explainer.search(undone, from: 92, to: 100).entries.map(\.id) == ["o-1"])
    }

    @Test("Open holds: a record that counts them otherwise is told so")
    func holds() throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        let others = "phone,97\nsofa,10\nchair,12\n"
        let taken = try reconcile(scratch, against: "lamp,45\n" + others)
        #expect(taken.differences.map(\.1?.finding) == [.holdsTakenOff])
        #expect(taken.differences.first?.1?.entries.map(\.id) == ["o-2"])
        #expect(try reconcile(scratch, against: "lamp,45\n" + others, by: .available).summary.equal == 4)
        let left = try reconcile(scratch, against: "lamp,50\n" + others, by: .available)
        #expect(left.differences.map(\.1?.finding) == [.holdsLeftIn])
        #expect(try reconcile(scratch, against: "lamp,0\nphone,3\nsofa,0\nchair,0\n", by: .sold).summary.equal == 4)
    }

    @Test("Dropped SKUs are not ours any more, and an agreement by another counter explains nothing")
    func droppedAndOtherCounter() throws {
        let scratch = try Scratch()
        var shop = try Self.shop(scratch)
        _ = try reconcile(scratch, against: "phone,3\n", by: .sold, keep: true)
        try shop.drop("chair")
        try shop.close()
        let (summary, found) = try reconcile(scratch, against: "phone,99\nlamp,50\nsofa,10\nchair,12\n")
        #expect(found.map(\.0.sku) == ["phone", "chair"] && summary.onlyThere == 1)
        #expect(found.first?.1?.agreedAt == 0)
        #expect(found.first?.1?.entries.map(\.id) == ["o-1"])
    }

    @Test("Agreements about two counters stand side by side")
    func twoCounters() throws {
        let scratch = try Scratch()
        let shop = try Self.shop(scratch)
        try shop.close()
        _ = try reconcile(scratch, against: "phone,97\n", keep: true)
        _ = try reconcile(scratch, against: "phone,3\n", by: .sold, keep: true)
        #expect(try reconcile(scratch, against: "phone,90\n").differences.first?.1?.agreedAt == 9)
        #expect(try reconcile(scratch, against: "phone,4\n", by: .sold).differences.first?.1?.agreedAt == 9)
        #expect(try reconcile(scratch, against: "phone,90\n", by: .available).differences.first?.1?.agreedAt == 0)
        let runs = try StoreFiles(scratch.store).read().prepare("SELECT group_concat(counter || ' ' || compared, ', ') FROM reconciliation")
        #expect(try runs.step() && runs.text(0) == "onhand 1, sold 1")
    }

    @Test("Rows that make no sense are counted and named, doubles among them")
    func badRows() throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        var problems: [Int] = []
        let file = try scratch.write("sku,name,stock\nphone,Phone,97\nlamp,Lamp,many\nphone,Phone,3\n\"x\"y,,1\n", to: "r.csv")
        let comparison = try Comparison(with: .csv(path: file), counting: .onhand) { problems.append($0.line) }
        #expect(problems == [3, 4, 5])
        #expect(comparison.summary.bad == 3 && comparison.summary.rows == 1)
    }

    @Test("A database of the shop's is asked, and never written to")
    func shopDatabase() throws {
        let scratch = try Scratch()
        try Self.shop(scratch).close()
        let path = "\(scratch.path)/shop.sqlite"
        let shop = try ScratchDatabase()
        try shop.database.execute("VACUUM INTO '\(path)'")
        func compare(_ query: String) throws -> ComparisonSummary {
            let comparison = try Comparison(
                with: ShopRecord("sqlite:\(path)?\(query)"), counting: .onhand, report: { _ in })
            try comparison.run(on: StoreFiles(scratch.store).read())
            return comparison.summary
        }
        #expect(try compare("SELECT 'phone', 97 UNION SELECT 'lamp', 49 UNION SELECT 'sofa', NULL").equal == 1)
        #expect(try compare("SELECT 'phone', 97 UNION SELECT 'lamp', 49 UNION SELECT 'sofa', NULL").bad == 1)
        #expect(throws: ToolError.self) { try compare("SELECT 1") }
        #expect(throws: ToolError.self) { try compare("SELECT nothing FROM nowhere") }
        #expect(throws: ToolError.self) { try compare("DELETE FROM there RETURNING sku, units") }
        #expect(throws: ToolError.self) { try ShopRecord("sqlite:\(path)") }
    }
}

@Suite("Plans of repair")
struct RepairPlanTests {
    private static let plan = RepairPlan(
        store: "abc", counting: .onhand, sequence: 9, made: 1_763_690_400_000,
        steps: [.adjust(sku: "phone", delta: -2), .create(sku: "table", onhand: 3)])

    @Test("A plan is written and read; changed by a byte or cut off anywhere, it is none")
    func text() throws {
        let text = Self.plan.text
        #expect(try RepairPlan(text: text, file: "plan") == Self.plan)
        #expect(text.contains("ADJUST reconcile:\(Self.plan.id):phone phone -2 reason=reconcile\nCREATE table 3\n"))
        let bytes = Array(text.utf8)
        for end in bytes.indices {
            #expect(throws: ToolError.self, "cut at \(end)") {
                try RepairPlan(text: String(decoding: bytes[..<end], as: UTF8.self), file: "plan")
            }
        }
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1
            #expect(throws: ToolError.self, "changed at \(place)") {
                try RepairPlan(text: String(decoding: changed, as: UTF8.self), file: "plan")
            }
        }
    }

    @Test("Ids are made of plan and SKU: the same for the same repair, others for another, and never too long for a token")
    func ids() {
        var later = Self.plan
        later.made += 60_000
        #expect(later.id == Self.plan.id)
        var other = Self.plan
        other.sequence += 1
        #expect(other.id != Self.plan.id)
        let long = String(repeating: "k", count: 127)
        let a = RepairPlan.adjustmentID(plan: Self.plan.id, sku: long + "a")
        let b = RepairPlan.adjustmentID(plan: Self.plan.id, sku: "a" + long)
        #expect(a != b)
        for id in [a, b] { #expect(FieldValue.isToken(Array(id.utf8)[...])) }
    }

    @Test("A plan for what a comparison found: drifts are adjusted, what is only there is created, what is only here is left")
    func fromComparison() throws {
        let scratch = try Scratch()
        var shop = try Shop(scratch.store)
        try shop.create("phone", 10)
        try shop.create("lamp", 10, floor: 4)
        try shop.create("chair", 10)
        try shop.hold("o-1", [("lamp", 6)])
        try shop.close()
        let file = try scratch.write("phone,8\nlamp,5\ntable,3\n", to: "record.csv")
        let store = try StoreFiles(scratch.store)
        for (kind, delta) in [(CountKind.onhand, Int64(-5)), (.available, 5)] {
            let comparison = try Comparison(with: .csv(path: file), counting: kind, report: { _ in })
            try comparison.run(on: store.read())
            let plan = try RepairPlan(for: comparison, in: store, at: 1)
            #expect(plan.steps == [
                .adjust(sku: "lamp", delta: delta), .adjust(sku: "phone", delta: -2), .create(sku: "table", onhand: 3),
            ])
        }
        let sold = try Comparison(with: .csv(path: file), counting: .sold, report: { _ in })
        #expect(throws: ToolError.self) { try RepairPlan(for: sold, in: store, at: 1) }
    }

    @Test("A plan that the server may have forgotten is refused")
    func age() throws {
        try Self.plan.checkAge(retention: 86_400_000, now: Self.plan.made + 3_600_000)
        #expect(throws: ToolError.self) { try Self.plan.checkAge(retention: 86_400_000, now: Self.plan.made + 43_200_000) }
        #expect(throws: ToolError.self) { try Self.plan.checkAge(retention: 86_400_000, now: 0) }
    }

    @Test("A saved plan is not replaced by another one")
    func saving() throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/a.plan"
        try Self.plan.save(path)
        try Self.plan.save(path)
        #expect(try RepairPlan(path: path) == Self.plan)
        var other = Self.plan
        other.steps.removeLast()
        #expect(throws: ToolError.self) { try other.save(path) }
        #expect(try RepairPlan(path: path) == Self.plan)
    }
}
