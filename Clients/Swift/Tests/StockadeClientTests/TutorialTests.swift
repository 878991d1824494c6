// The snippets of the tutorial and of the README, as they stand there: what does not compile or does not work here
// would not for a reader either.

import ServiceLifecycle
import StockadeClient
import StockadeTesting
import Testing

@Suite("The tutorial")
struct TutorialTests {
    @Test("Sell in five lines")
    func fiveLines() async throws {
        try await StockadeTestServer.withServer { server in
            server.send("CREATE phone 3")
            let address = ServerAddress(server.address)
            // snippet.five-lines
            try await StockadeClient.withClient(address) { stock in
                let hold = try await stock.reserve(order: "o-1", [.init("phone", 2)], for: .minutes(15)).get()
                let sale = try await hold.confirm().get()
                print("sold, change number \(sale.sequence)")
            }
            // snippet.end
            #expect(server.send("LOOKUP o-1").contains("state=sold"))
        }
    }

    @Test("Every outcome of a checkout has its branch")
    func checkout() async throws {
        // snippet.checkout
        func checkout(_ stock: StockadeClient, order: String, buyer: String) async -> String {
            do {
                switch try await stock.reserve(order: order, [.init("phone", 2)], for: .minutes(15), buyer: buyer) {
                case .done(let hold): return "held until \(hold.expires?.unixMilliseconds ?? 0)"
                case .refused(.soldOut): return "sold out"
                case .refused(.insufficient(_, let available, _)): return "only \(available) left"
                case .refused(.quota(_, let used, let limit)): return "you have \(used) of \(limit)"
                case .refused(let refusal): return "sorry: \(refusal)"
                }
            } catch .outcomeUnknown {
                return "we will write to you"
            } catch {
                return "please try again"
            }
        }
        // snippet.end
        try await withShop("CREATE phone 3 limit=2") { stock, _ async throws in
            #expect(await checkout(stock, order: "o-1", buyer: "ann").hasPrefix("held until"))
            #expect(await checkout(stock, order: "o-2", buyer: "ann") == "you have 2 of 2")
            #expect(await checkout(stock, order: "o-3", buyer: "bob") == "only 1 left")
        }
    }

    @Test("A payment that came too late takes the stock again, if it is there")
    func latePayment() async throws {
        try await withShop("CREATE phone 3") { stock, server async throws in
            _ = try await stock.reserve(order: "o-1", [.init("phone", 2)], for: .minutes(15)).get()
            server.advance(by: .seconds(3_600))
            // snippet.late
            let hold = stock.hold(order: "o-1")
            switch try await hold.confirm(late: true) {
            case .done: try await stock.sync()
            case .refused(let refusal): print("pay back: \(refusal)")
            }
            // snippet.end
            #expect(server.send("LOOKUP o-1").contains("state=sold"))
        }
    }

    @Test("A long-lived program runs the client as a service")
    func service() async throws {
        try await StockadeTestServer.withServer { server in
            // snippet.service
            let stock = StockadeClient(ServerAddress(server.address))
            let group = ServiceGroup(services: [stock], logger: .init(label: "shop"))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await stock.ping()
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            // snippet.end
        }
    }

    @Test("A test orders the fault it is about")
    func fault() async throws {
        // snippet.fault
        try await StockadeTestServer.withServer { server in
            server.send("CREATE phone 3")
            server.order(.dropReply, on: "DEDUCT")
            try await StockadeClient.withClient(ServerAddress(server.address)) { stock in
                let sale = try await stock.deduct(order: "o-1", [.init("phone", 2)]).get()
                #expect(sale.isReplay)
            }
            #expect(server.send("GET phone").contains("sold=2"))
        }
        // snippet.end
    }
}
