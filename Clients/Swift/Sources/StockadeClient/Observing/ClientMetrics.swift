// The client in numbers, for whatever swift-metrics was bootstrapped with. Switched on by the trait `Metrics`.
//
//   stockade_client_calls                 calls that ended, by `verb` and `outcome`
//   stockade_client_refusals              refused calls, by `verb` and `code`, the protocol's word
//   stockade_client_call_duration         how long they took, by `verb`, retries and LOOKUP included
//   stockade_client_calls_in_flight       calls under way
//   stockade_client_retries               attempts made again, by `verb`
//   stockade_client_connections           connections made, by `lane`: more than one for each is a reconnect
//   stockade_client_disconnections        connections that ended or could not be made, by `lane`
//   stockade_client_circuit_open          1 while calls are turned away because nobody answers, by `lane`

#if Metrics

    import Metrics
    import StockWire
    import Synchronization

    final class ClientMetrics: Sendable {
        private struct CounterKey: Hashable {
            var label: String
            var verb: Verb
            var word = ""
        }

        /// Each is made when it is first needed: a series that never happens does not exist.
        private struct Made {
            var counters: [CounterKey: Counter] = [:]
            var timers: [Verb: Timer] = [:]
        }

        private let factory: any MetricsFactory
        private let made = Mutex(Made())
        private let inFlight: Meter
        private let lanes: [LaneName: (connections: Counter, disconnections: Counter, circuit: Meter)]

        /// - Parameter factory: `nil`: the one that the program was bootstrapped with.
        init(_ factory: (any MetricsFactory)?) {
            let factory = factory ?? MetricsSystem.factory
            self.factory = factory
            inFlight = Meter(label: "stockade_client_calls_in_flight", dimensions: [], factory: factory)
            var lanes: [LaneName: (connections: Counter, disconnections: Counter, circuit: Meter)] = [:]
            for lane in [LaneName.main, .side] {
                let dimensions = [("lane", lane.rawValue)]
                lanes[lane] = (
                    Counter(label: "stockade_client_connections", dimensions: dimensions, factory: factory),
                    Counter(label: "stockade_client_disconnections", dimensions: dimensions, factory: factory),
                    Meter(label: "stockade_client_circuit_open", dimensions: dimensions, factory: factory)
                )
            }
            self.lanes = lanes
        }

        // MARK: Calls

        func began(_ parts: Int) {
            inFlight.increment(by: Double(parts))
        }

        func ended(_ verb: Verb, _ outcomes: [CallOutcome], began: Nanoseconds) {
            let time = MonotonicClock.now - began
            inFlight.decrement(by: Double(outcomes.count))
            let timer = timer(verb)
            for outcome in outcomes {
                timer.recordNanoseconds(time)
                counter("stockade_client_calls", verb, "outcome", outcome.name).increment()
                if let code = outcome.refusal {
                    counter("stockade_client_refusals", verb, "code", code).increment()
                }
            }
        }

        func retried(_ verb: Verb) {
            counter("stockade_client_retries", verb).increment()
        }

        // MARK: Connections

        func connected(_ lane: LaneName) { lanes[lane]?.connections.increment() }
        func disconnected(_ lane: LaneName) { lanes[lane]?.disconnections.increment() }
        func circuit(_ lane: LaneName, isOpen: Bool) { lanes[lane]?.circuit.set(isOpen ? 1 : 0) }

        // MARK: Making them

        private func timer(_ verb: Verb) -> Timer {
            made.withLock { made in
                if let timer = made.timers[verb] { return timer }
                let timer = Timer(
                    label: "stockade_client_call_duration", dimensions: [("verb", "\(verb.name)")], factory: factory)
                made.timers[verb] = timer
                return timer
            }
        }

        /// - Parameters:
        ///   - name: of the dimension beside the verb; empty: there is none.
        ///   - word: its value.
        private func counter(_ label: String, _ verb: Verb, _ name: String = "", _ word: String = "") -> Counter {
            made.withLock { made in
                let key = CounterKey(label: label, verb: verb, word: word)
                if let counter = made.counters[key] { return counter }
                var dimensions = [("verb", "\(verb.name)")]
                if !name.isEmpty { dimensions.append((name, word)) }
                let counter = Counter(label: label, dimensions: dimensions, factory: factory)
                made.counters[key] = counter
                return counter
            }
        }
    }

#endif
