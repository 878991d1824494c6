// The typed calls against the real ledger, without faults.

import StockadeClient
import StockadeTesting
import Testing

/// A server and a client of it.
func withShop<Result>(
    _ stock: String..., configuration: StockadeClient.Configuration = .init(), password: String? = nil,
    _ body: (StockadeClient, StockadeTestServer) async throws -> Result
) async throws -> Result {
    try await StockadeTestServer.withServer(password: password) { server in
        for line in stock { #expect(server.send(line).hasPrefix("+")) }
        return try await StockadeClient.withClient(ServerAddress(server.address), configuration: configuration) {
            try await body($0, server)
        }
    }
}

@Suite("Selling with the client")
struct ShopTests {
    @Test("A hold is confirmed, in part or whole, extended, cancelled, and given back")
    func holds() async throws {
        try await withShop("CREATE phone 10", "CREATE case 10") { stock, server async throws in
            let hold = try await stock.reserve(
                order: "o-1", [.init("phone", 2), .init("case", 1)], for: .minutes(15), buyer: "ann"
            ).get()
            #expect(hold.order == "o-1" && !hold.isReplay && !hold.isConfirmed)
            let longer = try await hold.extend(by: .minutes(30)).get()
            #expect(try #require(longer.expires) > (try #require(hold.expires)))
            let sale = try await longer.confirm([.init("phone", 2)]).get()
            #expect(sale.order == "o-1")
            #expect(try await stock.lookup(order: "o-1").get().items == [.init("phone", 2)])
            #expect(try await hold.cancel().refusal == .order(.sold))

            #expect(try await stock.giveBack("r-1", of: "o-1", [.init("phone", 1)]).get().isReplay == false)
            #expect(try await stock.giveBack("r-1", of: "o-1", [.init("phone", 1)]).get().isReplay)
            #expect(try await stock.giveBack("r-2", of: "o-1", [.init("phone", 5)]).refusal == .tooMany(sku: "phone", have: 1))

            let other = try await stock.reserve(order: "o-2", [.init("phone", 1)], for: .seconds(60)).get()
            #expect(other.available == 8)
            #expect(try await other.cancel(reason: "changed-mind").get().wasUnknown == false)
            #expect(try await stock.cancel(order: "o-3").get().wasUnknown)
            #expect(try await stock.get("phone").get().available == 9)
            #expect(server.brokenLaw() == nil)
        }
    }

    @Test("A customer's no is a value")
    func refusals() async throws {
        try await withShop("CREATE phone 3 limit=2", "CREATE toy 0", "CREATE soon 1 opens=8000000000000000") {
            stock, server async throws in
            func deduct(_ id: String, _ sku: String, _ quantity: Int64, _ buyer: String?) async throws -> Refusal? {
                try await stock.deduct(order: id, [.init(sku, quantity)], buyer: buyer).refusal
            }
            #expect(try await deduct("o-1", "phone", 1, "ann") == nil)
            #expect(try await deduct("o-2", "phone", 2, "ann") == .quota(sku: "phone", used: 1, limit: 2))
            #expect(try await deduct("o-2", "phone", 1, nil) == .buyerNeeded(sku: "phone"))
            #expect(try await deduct("o-2", "toy", 1, nil) == .soldOut(sku: "toy"))
            #expect(try await deduct("o-2", "nosuch", 1, nil) == .noSuchSKU("nosuch"))
            #expect(
                try await deduct("o-2", "soon", 1, nil)
                    == .upcoming(sku: "soon", opens: Moment(unixMilliseconds: 8_000_000_000_000_000)))
            _ = try await stock.reserve(order: "o-3", [.init("phone", 1)], for: .minutes(1), buyer: "bob").get()
            #expect(
                try await deduct("o-4", "phone", 2, "eve") == .insufficient(sku: "phone", available: 1, held: 1))
            _ = try await stock.configure("phone", isPaused: true).get()
            #expect(try await deduct("o-4", "phone", 1, "eve") == .paused(sku: "phone"))
            #expect(try await deduct("o-1", "toy", 1, nil) == .conflict(id: "o-1", state: "sold"))

            server.advance(by: .seconds(61))
            let late = stock.hold(order: "o-3")
            #expect(try await late.confirm().refusal == .order(.expired))
            #expect(try await late.confirm(late: true).get().order == "o-3")
            await #expect(throws: StockadeError.self) { try await stock.lookup(order: "two words") }
        }
    }

    @Test("Stock is made, counted, adjusted, moved and dropped")
    func stockKeeping() async throws {
        try await withShop { stock, _ async throws in
            #expect(try await stock.create("a", onhand: 10, settings: .init(floor: 1)).get().sku == "a")
            #expect(try await stock.create("a", onhand: 99).refusal == .exists(sku: "a", onhand: 10))
            #expect(try await stock.create("b", onhand: 0).value != nil)
            #expect(try await stock.adjust("a", by: 5, id: "a-1", reason: "restock").get().onhand == 15)
            #expect(try await stock.adjust("a", by: 5, id: "a-1").get().isReplay)
            #expect(try await stock.adjust("a", by: -99, id: "a-2").refusal != nil)
            #expect(try await stock.transfer(4, from: "a", to: "b", id: "t-1").get().id == "t-1")
            #expect(try await stock.count("a", onhand: 20, .ifOnhand(10)).refusal == .mismatch(sku: "a", onhand: 11))
            #expect(try await stock.count("a", onhand: 20, .once(id: "c-1")).get().onhand == 20)
            #expect(try await stock.count("a", onhand: 20, .once(id: "c-1")).get().isReplay)
            let level = try await stock.configure("a", .init(limit: 3, closes: Moment(unixMilliseconds: 1))).get()
            #expect(level.limit == 3 && level.floor == 1 && level.status == .ended)
            let levels = try await stock.get(["b", "nosuch", "a"])
            #expect(levels.map { $0?.onhand } == [4, nil, 20])
            #expect(try await stock.drop("b").get().sku == "b")
            #expect(try await stock.get("b").refusal == .noSuchSKU("b"))
            #expect(try await stock.get([]).isEmpty)
            // More than the server shows at once.
            let many = try await stock.get((0..<2_500).map { $0 == 2_400 ? "a" : "nosuch-\($0)" })
            #expect(many.count == 2_500 && many.indices.filter { many[$0] != nil } == [2_400])
        }
    }

    @Test("Listings of any length are sequences")
    func pages() async throws {
        try await withShop { stock, _ async throws in
            let created = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<250 {
                    group.addTask { (try? await stock.create("sku-\(number)", onhand: 50).get()) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(created == 250)
            var names = Set<String>()
            for try await level in stock.skus(pageSize: 7) { #expect(names.insert(level.sku).inserted) }
            #expect(names.count == 250)
            var twos = 0
            for try await _ in stock.skus(prefix: "sku-2", pageSize: 100) { twos += 1 }
            #expect(twos == 61)

            let orders = (0..<30).map { NewOrder(id: "o-\($0)", items: [.init("sku-\($0 % 3)")], buyer: "b") }
            let holds = await stock.reserve(batch: orders, for: .hours(1))
            #expect(try holds.allSatisfy { try $0.get().value != nil })
            var open: [Order] = []
            for try await order in stock.holds(sku: "sku-1", pageSize: 4) { open.append(order) }
            #expect(open.count == 10 && open.allSatisfy { $0.state == .held && $0.buyer == "b" })
        }
    }

    @Test("A batch has one outcome for each of its parts")
    func batches() async throws {
        try await withShop("CREATE phone 2") { stock, _ async throws in
            let results = await stock.deduct(batch: [
                NewOrder(id: "o-1", items: [.init("phone")]),
                NewOrder(id: "not an id", items: [.init("phone")]),
                NewOrder(id: "o-2", items: [.init("phone")]),
                NewOrder(id: "o-3", items: [.init("phone")]),
                NewOrder(id: "o-1", items: [.init("phone")]),
            ])
            #expect(results.count == 5)
            #expect(try results[0].get().value?.available == 1)
            #expect(throws: StockadeError.self) { try results[1].get() }
            #expect(try results[2].get().value?.available == 0)
            #expect(try results[3].get().refusal == .soldOut(sku: "phone"))
            #expect(try results[4].get().value?.isReplay == true)
            #expect(await stock.deduct(batch: []).isEmpty)
            let confirmed = await stock.confirm(batch: ["o-1", "nosuch"])
            #expect(try confirmed[0].get().value?.isReplay == true)
            #expect(try confirmed[1].get().refusal == .noSuchOrder("nosuch"))
        }
    }

    @Test("The server tells its time, its figures, and when all is on disk")
    func server() async throws {
        try await withShop("CREATE phone 2") { stock, _ async throws in
            try await stock.ping()
            #expect(try await stock.sync() == 1)
            #expect(try await stock.clock().sequence == 1)
            #expect(try await stock.stats().contains { $0.key == "skus" && $0.value == "1" })
        }
    }

    @Test("A thousand tasks share one connection, and each gets its own answer")
    func multiplexing() async throws {
        try await withShop("CREATE phone 600") { stock, server async throws in
            let answers = await withTaskGroup(of: (Int, Bool?).self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        let answer = try? await stock.deduct(order: "o-\(number)", [.init("phone")])
                        return (number, answer.map { $0.value?.order == "o-\(number)" })
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(answers.count == 1_000)
            #expect(answers.values.filter { $0 }.count == 600)
            #expect(try await stock.get("phone").get().sold == 600)
        }
    }
}
