// What the client tells about itself to those who watch. It is switched on by two traits of the package, `Metrics`
// and `Tracing`; without them this file is empty functions, and neither library is built. The calls see only the
// functions below: one around a call, one for an attempt that is made again, two for connections.

import StockWire

/// Which of a client's two connections.
enum LaneName: String, Sendable {
    case main, side
}

/// The meters and the tracer of one client.
struct Instruments: Sendable {
    #if Metrics
        let metrics: ClientMetrics
    #endif
    #if Tracing
        let tracing: ClientTracing
    #endif

    init(_ configuration: StockadeClient.Configuration, _ address: ServerAddress) {
        #if Metrics
            metrics = ClientMetrics(configuration.metrics)
        #endif
        #if Tracing
            tracing = ClientTracing(configuration.tracer, address)
        #endif
    }

    // MARK: Calls

    /// Runs one call that may be refused.
    ///
    /// - Parameter subject: the order, the SKU or the operation that it is about.
    func observe<Value>(
        _ verb: Verb, _ subject: String, _ body: () async throws(StockadeError) -> Answer<Value>
    ) async throws(StockadeError) -> Answer<Value> {
        try await observe(verb, subject, refusal: { $0.refusal }, body)
    }

    /// Runs one call.
    ///
    /// - Parameter refusal: finds in a result the refusal that it may be.
    func observe<Result>(
        _ verb: Verb, _ subject: String, refusal: (Result) -> Refusal? = { _ in nil },
        _ body: () async throws(StockadeError) -> Result
    ) async throws(StockadeError) -> Result {
        #if Metrics || Tracing
            let call = begin(verb, subject)
            do throws(StockadeError) {
                let result = try await call.run(body)
                call.end(CallOutcome(refusal(result)))
                return result
            } catch {
                call.end(CallOutcome(error))
                throw error
            }
        #else
            return try await body()
        #endif
    }

    /// Runs one batch: a span for the whole, and every part is counted and takes as long as the whole did.
    func observe<Value>(
        batch verb: Verb, count: Int, _ body: () async -> [Result<Answer<Value>, StockadeError>]
    ) async -> [Result<Answer<Value>, StockadeError>] {
        #if Metrics || Tracing
            let call = begin(verb, "", parts: count)
            let results = await call.run(body)
            call.end(
                results.map { part in
                    switch part {
                    case .success(let answer): CallOutcome(answer.refusal)
                    case .failure(let error): CallOutcome(error)
                    }
                })
            return results
        #else
            return await body()
        #endif
    }

    #if Metrics || Tracing
        private func begin(_ verb: Verb, _ subject: String, parts: Int = 1) -> ObservedCall {
            #if Metrics
                metrics.began(parts)
            #endif
            #if Tracing
                let span = tracing.begin(verb, subject, parts: parts)
            #endif
            #if Metrics && Tracing
                return ObservedCall(verb: verb, parts: parts, metrics: metrics, span: span)
            #elseif Metrics
                return ObservedCall(verb: verb, parts: parts, metrics: metrics)
            #else
                return ObservedCall(verb: verb, parts: parts, span: span)
            #endif
        }
    #endif

    /// An attempt of a call is made again.
    func retried(_ request: Request, why: String) {
        #if Metrics
            metrics.retried(request.verb)
        #endif
        #if Tracing
            ClientTracing.retried(why)
        #endif
    }

    // MARK: Connections

    func connected(_ lane: LaneName) {
        #if Metrics
            metrics.connected(lane)
        #endif
    }

    /// A connection ended, or could not be made.
    func disconnected(_ lane: LaneName) {
        #if Metrics
            metrics.disconnected(lane)
        #endif
    }

    /// Whether calls are turned away because the server has not been reachable for some time.
    func circuit(_ lane: LaneName, isOpen: Bool) {
        #if Metrics
            metrics.circuit(lane, isOpen: isOpen)
        #endif
    }
}
