// One call, as many attempts as it takes. A request whose reply was lost is sent again, the same bytes with the same
// id, which the server answers without doing it twice. What this file keeps track of is the one thing that matters:
// whether an attempt may have been carried out without our knowing.

/// When a call must have ended.
struct Deadline: Sendable {
    /// No call waits beyond it.
    let end: Nanoseconds
    /// Attempts of a change end here, so that there is time left to find out what became of them.
    let attemptsEnd: Nanoseconds
    let total: Duration

    init(_ total: Duration, now: Nanoseconds = MonotonicClock.now) {
        let length = total.nanosecondCount
        self.total = total
        end = now + length
        attemptsEnd = end - min(length / 4, 1_000_000_000)
    }
}

/// What the attempts of a call came to.
enum Settled: Sendable {
    /// `isUnclear`: an earlier attempt had no reply, so the ledger may have seen this request before, or yet to see it.
    case reply(Reply, isUnclear: Bool)
    /// Time is up, and an attempt may have been carried out.
    case unclear(why: String)
}

extension StockadeClient {
    /// Sends a request until it has a reply that is not "later", or until time is up.
    ///
    /// - Parameters:
    ///   - id: what an error calls the subject of the request.
    ///   - first: an attempt that was made already, as a part of a batch.
    func ask(
        _ request: Request, id: String, on lane: Lane, until deadline: Deadline, first: Attempt? = nil
    ) async throws(StockadeError) -> Settled {
        let end = request.isChange ? deadline.attemptsEnd : deadline.end
        var isUnclear = false
        var why = "no reply within \(deadline.total)"
        var pause = Pause()
        var attempt = first
        var isAgain = false
        while true {
            let current: Attempt
            if let attempt {
                current = attempt
            } else {
                if isAgain { instruments.retried(request, why: why) }
                current = await lane.submit(request, deadline: end)
            }
            attempt = nil
            isAgain = true
            var wait: Nanoseconds = 0
            switch current {
            case .reply(let reply):
                guard case .line(let line) = reply, line.isNegative, case .later(let named, let text) = line.negative()
                else { return .reply(reply, isUnclear: isUnclear) }
                why = text
                wait = pause.next(atLeast: named)
            case .lost(let isSent, let reason):
                if isSent && request.isChange { isUnclear = true }
                why = reason
            case .unavailable(let reason):
                guard isUnclear else { throw .unavailable(reason) }
                why = reason
                wait = pause.next(atLeast: nil)
            case .overloaded:
                guard isUnclear else { throw .overloaded }
                wait = pause.next(atLeast: nil)
            case .timedOut(let isSent):
                if isUnclear || (isSent && request.isChange) { return .unclear(why: why) }
                throw .deadlineExceeded(why)
            case .cancelled(let isSent):
                if isUnclear || (isSent && request.isChange) {
                    throw .outcomeUnknown(id: id, why: "the task was cancelled")
                }
                throw .cancelled
            case .denied(let text):
                if isUnclear { return .unclear(why: text) }
                throw .denied(text)
            case .closed:
                if isUnclear { return .unclear(why: "the client was shut down") }
                throw .closed
            }
            guard wait > 0 else { continue }
            guard MonotonicClock.now + wait < end else {
                if isUnclear { return .unclear(why: why) }
                throw .deadlineExceeded(why)
            }
            do { try await Task.sleep(for: .nanoseconds(wait)) } catch {
                throw isUnclear ? .outcomeUnknown(id: id, why: "the task was cancelled") : .cancelled
            }
        }
    }

    /// The deadline of a call that begins now.
    func deadline(_ asked: Duration?) -> Deadline {
        Deadline(asked ?? configuration.deadline)
    }
}

/// The pause before a server that was busy is asked again.
struct Pause {
    private var next: Nanoseconds = 4_000_000
    private static let longest: Nanoseconds = 500_000_000

    /// - Parameter named: milliseconds that the server asked for.
    /// - Returns: nanoseconds, never less than `named`, and up to twice as much as it takes: by chance, so that those
    ///   who were sent away together do not come back together.
    mutating func next(atLeast named: Int64?) -> Nanoseconds {
        defer { next = min(next * 2, Self.longest) }
        // A server that asks for more than a day is asking for an error, which the deadline gives.
        let base = named.map { min($0, 86_400_000) * 1_000_000 } ?? next
        return base + Int64.random(in: 1...max(base / 2, next))
    }
}
