// What the client counts. Compiled with the trait: swift test --traits Metrics,Tracing --filter StockadeClientTests

#if Metrics

    import Metrics
    import MetricsTestKit
    import StockadeClient
    import StockadeTesting
    import Testing

    @Suite("Metrics of the client", .timeLimit(.minutes(2)))
    struct MetricsTests {
        private func withMeteredShop(
            _ body: (StockadeClient, StockadeTestServer, TestMetrics) async throws -> Void
        ) async throws {
            let metrics = TestMetrics()
            var configuration = StockadeClient.Configuration()
            configuration.metrics = metrics
            configuration.deadline = .milliseconds(600)
            configuration.stallLimit = .milliseconds(100)
            configuration.longestPause = .milliseconds(20)
            configuration.failuresUntilUnavailable = 3
            try await withShop("CREATE phone 3", configuration: configuration) { stock, server async throws in
                try await body(stock, server, metrics)
            }
        }

        private func calls(_ metrics: TestMetrics, _ verb: String, _ outcome: String) -> Int64 {
            metrics.counterTotal(label: "stockade_client_calls", dimensions: [("verb", verb), ("outcome", outcome)])
        }

        @Test("Calls are counted by verb and outcome, refusals by their code, and each call is timed")
        func outcomes() async throws {
            try await withMeteredShop { stock, _, metrics async throws in
                _ = try await stock.deduct(order: "o-1", [.init("phone", 2)])
                _ = try await stock.deduct(order: "o-2", [.init("phone", 2)])
                _ = try await stock.get("phone")
                _ = try await stock.get("nosuch")
                await #expect(throws: StockadeError.self) { try await stock.get("two words") }
                _ = await stock.deduct(batch: [
                    NewOrder(id: "o-3", items: [.init("phone")]), NewOrder(id: "o-4", items: [.init("phone")]),
                    NewOrder(id: "not an id", items: [.init("phone")]),
                ])
                #expect(calls(metrics, "DEDUCT", "done") == 2)
                #expect(calls(metrics, "DEDUCT", "refused") == 2)
                #expect(calls(metrics, "DEDUCT", "invalid") == 1)
                #expect(calls(metrics, "GET", "done") == 1)
                func refusals(_ verb: String, _ code: String) -> Int64 {
                    metrics.counterTotal(
                        label: "stockade_client_refusals", dimensions: [("verb", verb), ("code", code)])
                }
                #expect(refusals("DEDUCT", "INSUFFICIENT") == 1)
                #expect(refusals("DEDUCT", "SOLDOUT") == 1)
                #expect(refusals("GET", "NOSKU") == 1)
                let timer = try metrics.expectTimer("stockade_client_call_duration", [("verb", "DEDUCT")])
                #expect(timer.values.count == 5 && timer.values.allSatisfy { $0 > 0 })
                #expect(metrics.counterTotal(label: "stockade_client_retries") == 0)
                #expect(metrics.counterTotal(label: "stockade_client_connections", dimensions: [("lane", "main")]) == 1)
            }
        }

        @Test("Calls in flight go up and come down again")
        func inFlight() async throws {
            try await withMeteredShop { stock, server, metrics async throws in
                let meter = try metrics.expectMeter("stockade_client_calls_in_flight")
                server.order(.silence, on: "GET")
                async let answer = stock.get("phone")
                try await eventually { meter.lastValue == 1 }
                _ = try await answer
                #expect(meter.lastValue == 0)
            }
        }

        @Test("A lost reply shows as a retry and as a connection made again")
        func retries() async throws {
            try await withMeteredShop { stock, server, metrics async throws in
                server.order(.dropReply, on: "DEDUCT")
                #expect(try await stock.deduct(order: "o-1", [.init("phone")]).get().isReplay)
                #expect(metrics.counterTotal(label: "stockade_client_retries", dimensions: [("verb", "DEDUCT")]) == 1)
                #expect(metrics.counterTotal(label: "stockade_client_connections", dimensions: [("lane", "main")]) == 2)
                #expect(
                    metrics.counterTotal(label: "stockade_client_disconnections", dimensions: [("lane", "main")]) == 1)
                #expect(calls(metrics, "DEDUCT", "done") == 1)
            }
        }

        @Test("A server that is gone opens the circuit, and calls are counted as unavailable")
        func circuit() async throws {
            try await withMeteredShop { stock, server, metrics async throws in
                let circuit = try metrics.expectMeter("stockade_client_circuit_open", [("lane", "main")])
                try await stock.ping()
                await server.stop()
                try await eventually { circuit.lastValue == 1 }
                await #expect(throws: StockadeError.self) { try await stock.get("phone") }
                #expect(calls(metrics, "GET", "unavailable") == 1)
            }
        }
    }

#endif
