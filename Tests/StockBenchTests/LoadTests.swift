// Whole runs against a server of the test: counts are exact, and what is wrong is reported.

import StockConnection
import Testing

@testable import StockBench

@Suite("Runs", .serialized)
struct LoadTests {
    private func options(_ server: FakeServer, _ workload: Workload, requests: Int) -> LoadOptions {
        var options = LoadOptions(address: server.address)
        options.workload = workload
        options.length = .requests(requests)
        options.warmup = 0
        options.clients = 3
        options.pipeline = 7
        options.skus = 20
        return options
    }

    @Test("As many requests are sent as were asked for, and all replies are counted")
    func exactCounts() throws {
        let server = try FakeServer(answer: FakeServer.honest)
        let result = try runLoad(options(server, .deduct, requests: 1_000))
        #expect(server.requests("CREATE") == 20)
        #expect(server.requests("DEDUCT") == 1_000)
        #expect(result.replies == 1_000)
        #expect(result.expected == 1_000)
        #expect(result.latencies.count == 1_000)
        #expect(result.isSound)
    }

    @Test("Each reservation is confirmed when the pipeline divides the number of requests")
    func reserveConfirm() throws {
        let server = try FakeServer(answer: FakeServer.honest)
        var options = options(server, .reserveConfirm, requests: 280)
        options.clients = 1
        let result = try runLoad(options)
        #expect(server.requests("RESERVE") == 140)
        #expect(server.requests("CONFIRM") == 140)
        #expect(result.isSound)
    }

    @Test("An open loop sends what was asked for, too")
    func openLoop() throws {
        let server = try FakeServer(answer: FakeServer.honest)
        var options = options(server, .mixed, requests: 500)
        // The fake server does not know retries; its answer to them is the only wrong one.
        options.rate = 50_000
        let result = try runLoad(options)
        #expect(result.replies == 500)
        #expect(result.unexpected.map(\.word) == ["+SOLD"])
    }

    @Test("Wrong replies are counted and shown, and the run is not sound")
    func wrongReplies() throws {
        let server = try FakeServer { line, n in
            line.hasPrefix("DEDUCT") && n.isMultiple(of: 10) ? "-SOLDOUT sku want=1 available=0 held=0" : FakeServer.honest(line, n)
        }
        let result = try runLoad(options(server, .deduct, requests: 1_000))
        #expect(result.replies == 1_000)
        #expect(result.expected == 900)
        #expect(result.unexpected == [
            UnexpectedReply(word: "-SOLDOUT", count: 100, example: "-SOLDOUT sku want=1 available=0 held=0")
        ])
        #expect(!result.isSound)
    }

    @Test("A server that refuses the run's SKUs is told of, and nothing is measured")
    func refusedPreparation() throws {
        let server = try FakeServer { line, n in line.hasPrefix("CREATE") ? "-READONLY disk" : FakeServer.honest(line, n) }
        #expect(throws: BenchError.server("cannot make the SKUs of the run: -READONLY disk")) {
            try runLoad(options(server, .deduct, requests: 10))
        }
        #expect(server.requests("DEDUCT") == 0)
    }

    @Test("A server that goes away ends the run with an error")
    func closed() throws {
        let server = try FakeServer { line, n in line.hasPrefix("PING") && n == 50 ? nil : FakeServer.honest(line, n) }
        #expect(throws: BenchError.connection(.closed)) { try runLoad(options(server, .ping, requests: 10_000)) }
    }

    @Test("Nobody there: the error says so")
    func nobody() throws {
        let address = try FakeServer(answer: FakeServer.honest).address
        #expect(throws: BenchError.connection(.refused(address))) { try runLoad(LoadOptions(address: address)) }
    }

    @Test("Options that make no run are refused before anything is sent")
    func usage() throws {
        let server = try FakeServer(answer: FakeServer.honest)
        let changes: [(inout LoadOptions) -> Void] = [
            { $0.clients = 0 }, { $0.pipeline = 0 }, { $0.pipeline = 1 << 40 }, { $0.idle = -1 },
            { $0.length = .requests(0) }, { $0.length = .nanoseconds(0) }, { $0.warmup = -1 }, { $0.rate = 0 },
            { $0.rate = .nan }, { $0.zipf = -1 }, { $0.skus = 0 }, { $0.lines = 0 },
            { $0.workload = .order; $0.lines = 21 }, { $0.workload = .decrby },
        ]
        for change in changes {
            var options = options(server, .deduct, requests: 10)
            change(&options)
            #expect(throws: BenchError.self) { try runLoad(options) }
        }
        #expect(server.requests("CREATE") == 0)
    }
}
