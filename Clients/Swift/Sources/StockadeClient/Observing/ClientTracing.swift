// One span for each call, for whatever tracer the program was bootstrapped with. Switched on by the trait `Tracing`.
// The span's name is the verb; attempts that are made again are events of it. Names of attributes that OpenTelemetry
// has are used as it has them.

#if Tracing

    import StockWire
    import Tracing

    struct ClientTracing: Sendable {
        private let given: (any Tracer)?
        private let address: ServerAddress

        /// - Parameter tracer: `nil`: the one that the program was bootstrapped with.
        init(_ tracer: (any Tracer)?, _ address: ServerAddress) {
            given = tracer
            self.address = address
        }

        func begin(_ verb: Verb, _ subject: String, parts: Int) -> CallSpan {
            let tracer = given ?? InstrumentationSystem.tracer
            let name = "\(verb.name)"
            let span = tracer.startAnySpan(name, ofKind: .client)
            span.updateAttributes { attributes in
                attributes["db.system.name"] = "stockade"
                attributes["db.operation.name"] = name
                switch address {
                case .tcp(let host, let port):
                    attributes["server.address"] = host
                    attributes["server.port"] = port
                case .unix(let path): attributes["server.address"] = path
                }
                if let key = Self.attribute(verb), !subject.isEmpty { attributes[key] = subject }
                if parts != 1 { attributes["db.operation.batch.size"] = parts }
            }
            return CallSpan(span: span)
        }

        /// Notes in the span of the call that is under way that an attempt is made again.
        static func retried(_ why: String) {
            CallSpan.current?.span.addEvent(SpanEvent(name: "retry", attributes: ["stockade.reason": .string(why)]))
        }

        /// What the subject of a verb is.
        private static func attribute(_ verb: Verb) -> String? {
            switch verb {
            case .deduct, .reserve, .confirm, .cancel, .extend, .lookup: "stockade.order"
            case .giveBack, .adjust, .transfer: "stockade.operation"
            case .create, .count, .configure, .drop, .get: "stockade.sku"
            default: nil
            }
        }
    }

    /// The span of one call.
    struct CallSpan: Sendable {
        @TaskLocal static var current: CallSpan?

        let span: any Span

        /// Runs `body` with this span at hand, and as the parent of whatever is traced in it.
        func run<Result, Failure: Error>(_ body: () async throws(Failure) -> Result) async throws(Failure) -> Result {
            let outcome: Swift.Result<Result, Failure> = await ServiceContext.$current.withValue(span.context) {
                await Self.$current.withValue(self) {
                    do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
                }
            }
            return try outcome.get()
        }

        func end(_ outcomes: [CallOutcome]) {
            if let only = outcomes.first, outcomes.count == 1 {
                span.attributes["stockade.outcome"] = only.name
                if let code = only.refusal { span.attributes["stockade.refusal"] = code }
            } else {
                for (name, parts) in Dictionary(grouping: outcomes, by: \.name) {
                    span.attributes["stockade.outcomes.\(name)"] = parts.count
                }
            }
            // A customer's "no" is no error.
            if let error = outcomes.lazy.compactMap(\.error).first {
                span.recordError(error)
                span.setStatus(SpanStatus(code: .error, message: error.description))
            }
            span.end()
        }
    }

#endif
