// Measuring tails: in each round the peak of this machine is found, and then each situation is made on a fresh server
// and loaded with half of it, in an open loop, so that a request that had to wait counts from when it was due.

import CLinux
import StockConnection

/// All rounds of a tail measurement.
public struct TailRun: Sendable {
    public let options: TailOptions
    private let programs: ServerPrograms

    public init(_ options: TailOptions, programs: ServerPrograms) {
        self.options = options
        self.programs = programs
    }

    /// Measures.
    ///
    /// - Parameter tell: told what begins, and what came out.
    /// - Throws: `.interrupted`; a case that fails is told in the report instead.
    public func run(interrupt: borrowing Interrupt, tell: (String) -> Void) throws(BenchError) -> TailOutcome {
        guard !options.situations.isEmpty || options.measuresRecovery else { throw .usage("there is no such situation") }
        var outcome = TailOutcome(options)
        for round in 0..<(options.situations.isEmpty ? 0 : options.rounds) {
            let peak = try peak(interrupt: interrupt)
            outcome.peaks.append(peak)
            tell("round \(round + 1)/\(options.rounds)  peak  \(rate(peak))")
            for situation in round.isMultiple(of: 2) ? options.situations : options.situations.reversed() {
                let text: String
                do throws(BenchError) {
                    let sample = try measure(situation, rate: max(1, peak / 2), interrupt: interrupt)
                    outcome.add(sample, to: situation)
                    text = "p99.9 \(duration(sample.latencies.percentile(99.9))), "
                        + "p99.99 \(duration(sample.latencies.percentile(99.99))), "
                        + "a turn's own work \(duration(Int64(sample.longestWork) * 1_000)) at most"
                } catch .interrupted {
                    throw .interrupted
                } catch {
                    outcome.failures.append("\(situation.rawValue), round \(round + 1): \(error)")
                    text = error.description
                }
                tell("round \(round + 1)/\(options.rounds)  \(situation.rawValue)  \(text)")
            }
        }
        if options.measuresRecovery {
            do throws(BenchError) {
                outcome.recovery = try RecoveryRun(options, programs: programs).run(interrupt: interrupt, tell: tell)
            } catch .interrupted {
                throw .interrupted
            } catch {
                outcome.failures.append("recovery: \(error)")
            }
        }
        return outcome
    }

    /// Requests a second in a closed loop.
    private func peak(interrupt: borrowing Interrupt) throws(BenchError) -> Double {
        let server = try ChildServer.start(
            .stockade(fsync: "everysec"), programs: programs, parent: options.parent, interrupt: interrupt)
        var load = LoadOptions(address: server.address)
        load.warmup = options.warmup
        load.length = .nanoseconds(options.time / 2)
        let result = try runLoad(load, interrupt: interrupt.descriptor)
        if result.wasInterrupted { throw .interrupted }
        return result.throughput
    }

    private func measure(
        _ situation: Situation, rate: Double, interrupt: borrowing Interrupt
    ) throws(BenchError) -> TailSample {
        let server = try ChildServer.start(
            .stockade(fsync: "everysec"), flags: situation.flags, programs: programs, parent: options.parent,
            interrupt: interrupt)
        var filling = Filling(address: server.address, run: .random(), interrupt: interrupt.descriptor)
        if situation == .scattered { filling.skus = options.holds }
        try filling.makeSKUs()
        var load = LoadOptions(address: server.address)
        load.rate = rate
        load.warmup = options.warmup
        load.length = .nanoseconds(options.time)

        var holds: (first: Int, last: Int)?
        switch situation {
        case .machine: load.workload = .ping
        case .calm, .segments: break
        case .snapshots, .verify: try filling.fill(StockadeRequests.deduct, options.orders)
        case .growth: try filling.fill(StockadeRequests.deduct, options.ordersBeforeGrowth)
        case .expiry, .scattered:
            // Time to make them, and then the middle of the measurement.
            let due = clinux_monotonic_ns() + Int64(options.holds) * 15_000 + options.warmup + options.time / 2
            holds = try filling.makeHolds(options.holds, buyers: situation == .scattered, due: due)
            let left = max(0, due - clinux_monotonic_ns())
            load.length = .nanoseconds(max(options.time, left - options.warmup + options.time / 2))
        }
        let standing = try situation.standingRequest.map { (request: String) throws(BenchError) in
            try stand(request, at: server.address)
        }
        let before = try ServerFigures(of: server.address, "log")
        let result = try runLoad(load, interrupt: interrupt.descriptor)
        if result.wasInterrupted { throw .interrupted }

        let figures = try ServerFigures(of: server.address, "loop", "ledger", "slow", "log")
        var sample = TailSample(
            latencies: result.latencies, throughput: result.throughput, isSound: result.isSound,
            warnings: result.warnings, processorShare: result.processorShare,
            longestTurn: figures["longest_turn_us"], longestWork: figures["longest_work_us"],
            slowTurns: figures["slow_turns"], hardestTurn: figures.hardestTurn)
        if situation == .segments { sample.events = figures["log_segment"] - before["log_segment"] }
        if let standing { sample.events = try answers(of: standing) }
        if holds != nil {
            guard figures["holds"] == 0 else { throw .server("\(figures["holds"]) holds were not released") }
            sample.releaseLag = figures["expiry_lag_max_ms"]
        }
        return sample
    }

    /// A client that says a request so often that the server is never without one.
    private func stand(_ request: String, at address: Address) throws(BenchError) -> Connection {
        try connecting { () throws(ConnectionError) in
            let connection = try Connection(to: address)
            let text = String(repeating: request + "\n", count: 2_000)
            try connection.send(bytes: Array(text.utf8)[...])
            return connection
        }
    }

    /// How many of them have been answered; none may have been refused.
    private func answers(of connection: Connection) throws(BenchError) -> Int {
        try connecting { () throws(ConnectionError) in try connection.takeIn() }
        var count = 0
        while true {
            let reply = try connecting { () throws(ConnectionError) in try connection.nextReply() }
            guard let reply else { return count }
            guard !reply.isRefusal else { throw .server("what was to go on meanwhile was refused: \(reply.head.text)") }
            count += 1
        }
    }
}
