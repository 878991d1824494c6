// Done, refused or unknown: what a call says when the network or the server misbehaves, one fault at a time.

import StockadeClient
import StockadeTesting
import Testing

/// Quick to connect again, so that tests need not wait, and patient otherwise, so that a slow machine is no fault.
private func impatient(_ change: (inout StockadeClient.Configuration) -> Void = { _ in }) -> StockadeClient.Configuration {
    var configuration = StockadeClient.Configuration()
    configuration.stallLimit = .seconds(60)
    configuration.shortestPause = .milliseconds(1)
    configuration.longestPause = .milliseconds(20)
    configuration.failuresUntilUnavailable = 1_000
    configuration.deadline = .seconds(60)
    change(&configuration)
    return configuration
}

/// Waits for something that another task brings about.
func eventually(_ condition: () throws -> Bool) async throws {
    while !(try condition()) {
        try Task.checkCancellation()
        await Task.yield()
    }
}

@Suite("Outcomes under faults", .timeLimit(.minutes(2)))
struct OutcomeTests {
    @Test(
        "A lost reply or request costs nothing but time",
        arguments: [Fault.dropReply, .dropRequest, .reset, .silence, .delay(.milliseconds(5)), .busy, .slowDown(milliseconds: 3)])
    func once(_ fault: Fault) async throws {
        let configuration = impatient { if fault == .silence { $0.stallLimit = .milliseconds(100) } }
        try await withShop("CREATE phone 10", configuration: configuration) { stock, server async throws in
            server.order(fault, on: "DEDUCT", count: 2)
            let sale = try await stock.deduct(order: "o-1", [.init("phone", 2)]).get()
            // With silence, a slow machine may make more of it than was ordered.
            if fault != .silence { #expect(sale.isReplay == (fault == .dropReply)) }
            server.order(fault, on: "RESERVE")
            let hold = try await stock.reserve(order: "o-2", [.init("phone", 3)], for: .minutes(1)).get()
            server.order(fault, on: "CONFIRM")
            #expect(try await hold.confirm().get().order == "o-2")
            server.order(fault, on: "CANCEL")
            #expect(try await stock.cancel(order: "o-3").get().wasUnknown)
            let level = try await stock.get("phone").get()
            #expect(level.sold == 5 && level.held == 0)
            #expect(server.brokenLaw() == nil)
        }
    }

    /// Longer than any deadline: a call that is told to come back then knows at once that its attempts are over.
    private static let anHour = Fault.slowDown(milliseconds: 3_600_000)

    @Test("A server that has no time did nothing, and the call says so")
    func busy() async throws {
        try await withShop("CREATE phone 10", configuration: impatient()) { stock, server async throws in
            server.order(Self.anHour, on: "DEDUCT")
            await #expect(throws: StockadeError.deadlineExceeded("-SLOWDOWN retry=3600000ms")) {
                try await stock.deduct(order: "o-1", [.init("phone")])
            }
            #expect(server.send("LOOKUP o-1") == "-NOORDER o-1")
        }
    }

    @Test("When no reply comes, LOOKUP decides")
    func lookupDecides() async throws {
        try await withShop("CREATE phone 10", configuration: impatient()) { stock, server async throws in
            for verb in ["DEDUCT", "RESERVE", "CONFIRM", "CANCEL", "ADJUST"] {
                server.order(.dropReply, on: verb)
                server.order(Self.anHour, on: verb)
            }
            #expect(try await stock.deduct(order: "o-1", [.init("phone")]).get().isReplay)
            let hold = try await stock.reserve(order: "o-2", [.init("phone", 2)], for: .minutes(1)).get()
            #expect(hold.expires != nil)
            #expect(try await hold.confirm().get().isReplay)
            #expect(try await stock.cancel(order: "o-3").get().isReplay)
            #expect(try await stock.adjust("phone", by: 5, id: "a-1").get().isReplay)
            #expect(try await stock.get("phone").get().onhand == 12)
        }
    }

    @Test("Only what cannot be found out is unknown, and it can be settled later")
    func unknown() async throws {
        try await withShop("CREATE phone 10", configuration: impatient()) { stock, server async throws in
            server.order(Self.anHour, on: "LOOKUP", count: 2)
            for id in ["o-1", "o-2"] {
                server.order(.dropReply, on: "DEDUCT")
                server.order(Self.anHour, on: "DEDUCT")
                let error = await #expect(throws: StockadeError.self) {
                    try await stock.deduct(order: id, [.init("phone")])
                }
                guard case .outcomeUnknown(id, _) = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
            }
            server.clearFaults()
            guard case .known(let order) = try await stock.settle(order: "o-1") else {
                Issue.record("o-1 was sold")
                return
            }
            #expect(order.state == .sold && order.items == [.init("phone", 1)])
            // Asking again with the same id is as good.
            #expect(try await stock.deduct(order: "o-2", [.init("phone")]).get().isReplay)

            // What never arrived is closed by settling.
            #expect(try await stock.settle(order: "o-3") == .neverHappened)
            #expect(try await stock.deduct(order: "o-3", [.init("phone")]).refusal == .order(.cancelled))
            #expect(try await stock.settle(order: "o-3") == .known(try await stock.lookup(order: "o-3").get()))
        }
    }

    @Test("A no to a second attempt is final: the first, arriving later, cannot sell any more")
    func sealing() async throws {
        try await withShop("CREATE phone 1", configuration: impatient()) { stock, server async throws in
            #expect(server.send("DEDUCT o-0 phone 1").hasPrefix("+SOLD"))
            server.order(.dropRequest, on: "DEDUCT")
            #expect(try await stock.deduct(order: "o-1", [.init("phone")]).refusal == .soldOut(sku: "phone"))
            #expect(server.send("ADJUST a-1 phone 5").hasPrefix("+ADJUSTED"))
            #expect(server.send("DEDUCT o-1 phone 1") == "-CANCELLED o-1", "the attempt that was lost, coming late")

            // A plain no leaves the id as it was.
            #expect(try await stock.deduct(order: "o-2", [.init("phone", 9)]).refusal != nil)
            #expect(try await stock.deduct(order: "o-2", [.init("phone", 5)]).value != nil)
        }
    }

    @Test("A request without an id of its own does not guess what its lost attempt did")
    func withoutID() async throws {
        try await withShop("CREATE phone 1", configuration: impatient()) { stock, server async throws in
            server.order(.dropReply, on: "CREATE")
            let error = await #expect(throws: StockadeError.self) { try await stock.create("toy", onhand: 3) }
            guard case .outcomeUnknown("toy", _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            // Setting the same again is harmless, so that is what happens.
            server.order(.dropReply, on: "CONFIGURE")
            #expect(try await stock.configure("phone", .init(limit: 2)).get().limit == 2)
        }
    }

    @Test("A cancelled task gives up its reply and nobody else's")
    func cancellation() async throws {
        try await withShop("CREATE phone 10", configuration: impatient()) {
            stock, server async throws in
            server.order(.delay(.milliseconds(300)), on: "DEDUCT")
            let cancelled = Task { try await stock.deduct(order: "o-1", [.init("phone")]) }
            try await eventually { server.send("LOOKUP o-1").hasPrefix("+ORDER") }
            let other = Task { try await stock.deduct(order: "o-2", [.init("phone")]).get() }
            cancelled.cancel()
            let result = await cancelled.result
            #expect(throws: StockadeError.outcomeUnknown(id: "o-1", why: "the task was cancelled")) { try result.get() }
            #expect(server.send("LOOKUP o-2") == "-NOORDER o-2", "nothing behind the delayed reply is served yet")
            #expect(try await other.value.isReplay == false, "the connection lives on")

            let early = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await stock.deduct(order: "o-3", [.init("phone")])
            }
            let nothing = await early.result
            #expect(throws: StockadeError.self) { try nothing.get() }
        }
    }

    @Test("A batch survives the loss of its connection")
    func batches() async throws {
        try await withShop("CREATE phone 100", configuration: impatient()) { stock, server async throws in
            let orders = (0..<150).map { NewOrder(id: "o-\($0)", items: [.init("phone")]) }
            server.order(.busy, on: "DEDUCT", count: 10)
            server.order(.dropReply, on: "DEDUCT", count: 3)
            let results = await stock.deduct(batch: orders)
            let sold = try results.filter { try $0.get().value != nil }.count
            #expect(sold == 100)
            #expect(server.send("GET phone").contains(" sold=100 "))
        }
    }
}

@Suite("The life of a client", .timeLimit(.minutes(2)))
struct LifeTests {
    @Test("A client that nobody runs says so instead of hanging")
    func forgottenRun() async throws {
        let stock = StockadeClient("127.0.0.1:1", configuration: impatient { $0.startPatience = .milliseconds(10) })
        await #expect(throws: StockadeError.notRunning) { try await stock.ping() }
        #expect(StockadeError.notRunning.description.contains("run()"))
    }

    @Test("A call may come before run() does")
    func lateRun() async throws {
        try await StockadeTestServer.withServer { server in
            let stock = StockadeClient(
                ServerAddress(server.address), configuration: impatient { $0.startPatience = .seconds(60) })
            async let ping: Void = stock.ping()
            await Task.yield()
            let running = Task { try await stock.run() }
            try await ping
            await #expect(throws: StockadeError.closed) { try await stock.run() }
            running.cancel()
            try await running.value
            await #expect(throws: StockadeError.closed) { try await stock.ping() }
        }
    }

    @Test("Shutting down lets calls that are under way end")
    func gracefulShutdown() async throws {
        try await StockadeTestServer.withServer { server in
            #expect(server.send("CREATE phone 1").hasPrefix("+"))
            server.order(.delay(.milliseconds(100)), on: "DEDUCT")
            let stock = StockadeClient(ServerAddress(server.address), configuration: impatient())
            let running = Task { try await stock.run() }
            async let answer = stock.deduct(order: "o-1", [.init("phone")])
            try await eventually { server.send("LOOKUP o-1").hasPrefix("+ORDER") }
            await stock.shutDown()
            #expect(try await answer.value != nil)
            running.cancel()
            try await running.value
        }
    }

    @Test("The body's error comes out of withClient, and its result too")
    func withClient() async throws {
        struct Broken: Error {}
        try await StockadeTestServer.withServer { server in
            await #expect(throws: Broken.self) {
                try await StockadeClient.withClient(ServerAddress(server.address)) { _ in throw Broken() }
            }
            let clock = try await StockadeClient.withClient(ServerAddress(server.address)) { try await $0.clock() }
            #expect(clock.sequence == 0)
        }
    }

    @Test("A password is said on every connection; a wrong one fails at once")
    func passwords() async throws {
        let configuration = impatient { $0.password = "open-sesame" }
        try await withShop("CREATE phone 1", configuration: configuration, password: "open-sesame") {
            stock, server async throws in
            try await stock.ping()
            await server.dropConnections()
            try await stock.ping()
            #expect(try await stock.sync() == 1)
        }
        for wrong in ["wrong", nil] {
            try await withShop(configuration: impatient { $0.password = wrong }, password: "open-sesame") {
                stock, _ async throws in
                let error = await #expect(throws: StockadeError.self) { try await stock.ping() }
                guard case .denied = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
        }
        try await withShop(configuration: impatient { $0.password = "two words" }) { stock, _ async throws in
            let error = await #expect(throws: StockadeError.self) { try await stock.ping() }
            guard case .invalid = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test("A server that is not there is waited for a while, then reported at once, and found when it comes back")
    func circuit() async throws {
        let path = "/tmp/stockade-client-test-\(UInt64.random(in: 0 ... .max)).sock"
        let configuration = impatient { $0.failuresUntilUnavailable = 3 }
        try await StockadeClient.withClient(.unix(path: path), configuration: configuration) { stock async throws in
            for _ in 0..<2 {
                let error = await #expect(throws: StockadeError.self) { try await stock.ping() }
                guard case .unavailable = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
            try await StockadeTestServer.withServer(unixPath: path) { server async throws in
                #expect(server.address == "unix:\(path)")
                var isBack = false
                while !isBack { isBack = (try? await stock.ping()) != nil }
                #expect(try await stock.clock().sequence == 0)
            }
        }
    }
}
