// The spans of the client. Compiled with the trait: swift test --traits Metrics,Tracing --filter StockadeClientTests

#if Tracing

    import InMemoryTracing
    import StockadeClient
    import StockadeTesting
    import Testing
    import Tracing

    @Suite("Spans of the client", .timeLimit(.minutes(2)))
    struct TracingTests {
        private func withTracedShop(
            _ body: (StockadeClient, StockadeTestServer, InMemoryTracer) async throws -> Void
        ) async throws {
            let tracer = InMemoryTracer()
            var configuration = StockadeClient.Configuration()
            configuration.tracer = tracer
            configuration.deadline = .milliseconds(600)
            configuration.stallLimit = .milliseconds(100)
            try await withShop("CREATE phone 3", configuration: configuration) { stock, server async throws in
                try await body(stock, server, tracer)
            }
        }

        @Test("Each call is one span with its verb, its order and its outcome; a customer's no is no error")
        func spans() async throws {
            try await withTracedShop { stock, _, tracer async throws in
                let hold = try await stock.reserve(order: "o-1", [.init("phone", 2)], for: .minutes(1)).get()
                _ = try await hold.confirm()
                _ = try await stock.deduct(order: "o-2", [.init("phone", 2)])
                let spans = tracer.finishedSpans
                #expect(spans.map(\.operationName) == ["RESERVE", "CONFIRM", "DEDUCT"])
                #expect(spans.allSatisfy { $0.kind == .client && $0.errors.isEmpty && $0.status == nil })
                #expect(spans.map { $0.text("stockade.order") } == ["o-1", "o-1", "o-2"])
                #expect(spans.map { $0.text("stockade.outcome") } == ["done", "done", "refused"])
                #expect(spans.last?.text("stockade.refusal") == "INSUFFICIENT")
                #expect(spans.first?.text("db.system.name") == "stockade")
                #expect(spans.first?.text("server.address") == "127.0.0.1")
            }
        }

        @Test("An attempt that is made again is an event of its call's span")
        func retries() async throws {
            try await withTracedShop { stock, server, tracer async throws in
                server.order(.dropReply, on: "DEDUCT", count: 2)
                _ = try await stock.deduct(order: "o-1", [.init("phone")])
                let span = try #require(tracer.finishedSpans.first)
                #expect(tracer.finishedSpans.count == 1)
                #expect(span.events.map(\.name) == ["retry", "retry"])
            }
        }

        @Test("A call whose outcome stays unknown is a span with an error; a batch is one span")
        func unknownAndBatch() async throws {
            try await withTracedShop { stock, server, tracer async throws in
                _ = await stock.deduct(batch: [
                    NewOrder(id: "o-1", items: [.init("phone")]), NewOrder(id: "o-2", items: [.init("phone", 9)]),
                ])
                let batch = try #require(tracer.popFinishedSpans().first)
                #expect(batch.operationName == "DEDUCT")
                #expect(batch.text("db.operation.batch.size") == "2")
                #expect(batch.text("stockade.outcomes.done") == "1")
                #expect(batch.text("stockade.outcomes.refused") == "1")
                server.order(.silence, on: nil, count: 1_000)
                await #expect(throws: StockadeError.self) { try await stock.deduct(order: "o-3", [.init("phone")]) }
                let span = try #require(tracer.finishedSpans.last)
                #expect(span.text("stockade.outcome") == "unknown")
                #expect(span.status?.code == .error && span.errors.count == 1)
            }
        }

        @Test("A call is the child of the span that it was made in")
        func parent() async throws {
            try await withTracedShop { stock, _, tracer async throws in
                try await tracer.withSpan("checkout") { _ in _ = try await stock.deduct(order: "o-1", [.init("phone")]) }
                let spans = tracer.finishedSpans
                #expect(spans.map(\.operationName) == ["DEDUCT", "checkout"])
                #expect(spans.first?.parentSpanID == spans.last?.spanID)
            }
        }
    }

    extension FinishedInMemorySpan {
        /// An attribute as text.
        fileprivate func text(_ name: String) -> String? {
            switch attributes.get(name) {
            case .string(let text): text
            case .int64(let number): "\(number)"
            case .int32(let number): "\(number)"
            default: nil
            }
        }
    }

#endif
