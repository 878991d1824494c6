// One call while it is watched: between its beginning and its end, whichever of the two watchers there are.

#if Metrics || Tracing

    import StockWire

    struct ObservedCall {
        let verb: Verb
        /// 1, or as many as a batch has.
        let parts: Int
        let began = MonotonicClock.now
        #if Metrics
            let metrics: ClientMetrics
        #endif
        #if Tracing
            let span: CallSpan
        #endif

        /// Runs the call, with its span at hand for those who have something to add to it.
        func run<Result, Failure: Error>(_ body: () async throws(Failure) -> Result) async throws(Failure) -> Result {
            #if Tracing
                return try await span.run(body)
            #else
                return try await body()
            #endif
        }

        func end(_ outcome: CallOutcome) {
            end([outcome])
        }

        /// - Parameter outcomes: one for each part.
        func end(_ outcomes: [CallOutcome]) {
            #if Metrics
                metrics.ended(verb, outcomes, began: began)
            #endif
            #if Tracing
                span.end(outcomes)
            #endif
        }
    }

#endif
