// What became of a change. The attempts gave a reply, or they did not; either way a call ends as done, refused, or
// unknown, and never says one when it was another.
//
// Two things take care here. A call without a reply asks LOOKUP, which knows what the ledger knows. And a "no" that
// was the answer to a second attempt says nothing about the first, which may still be on its way (in a proxy, in a
// socket that nobody has read yet) and could be accepted later, when stock comes back. Such a "no" is sealed first:
// CANCEL of an id that is not known makes the server refuse it for ever.

import StockWire

/// What LOOKUP knows about an id.
enum Found: Sendable {
    case order(Order)
    /// An adjustment, a count, a transfer or a return.
    case operation(state: String, sequence: Int64)
    case nothing
}

/// One change and how its outcomes are read.
struct Change<Value: Sendable>: Sendable {
    /// Whose fate `LOOKUP` tells.
    enum Subject: Sendable {
        /// An id that this request brings into the world: it can be sealed.
        case new(id: String, born: Moment?)
        /// An order that is there already.
        case known(order: String)
        /// A SKU; the request has no id, so nothing can be looked up.
        case sku(String)
    }

    var request: Request
    var subject: Subject
    /// Reads the `+` line.
    var read: @Sendable (ReplyLine) throws(StockadeError) -> Value
    /// What is known to have happened, from what `LOOKUP` found; `nil`: nothing is.
    var conclude: @Sendable (Found) -> Answer<Value>?

    var name: String {
        switch subject {
        case .new(let id, _), .known(let id), .sku(let id): id
        }
    }

    /// Reads a `+` line. If it cannot be read, something has changed and it is not known what.
    func value(of line: ReplyLine) throws(StockadeError) -> Value {
        do { return try read(line) } catch { throw .outcomeUnknown(id: name, why: error.description) }
    }
}

extension StockadeClient {
    /// Carries out a change.
    func decide<Value>(_ change: Change<Value>, within time: Duration?) async throws(StockadeError) -> Answer<Value> {
        try await instruments.observe(change.request.verb, change.name) { () async throws(StockadeError) in
            try await enter()
            return try await decide(change, until: deadline(time), first: nil)
        }
    }

    func decide<Value>(
        _ change: Change<Value>, until deadline: Deadline, first: Attempt?
    ) async throws(StockadeError) -> Answer<Value> {
        var first = first
        while true {
            let settled = try await ask(change.request, id: change.name, on: main, until: deadline, first: first)
            first = nil
            guard case .reply(let reply, let isUnclear) = settled else {
                guard case .unclear(let why) = settled else { continue }
                return try await lookUp(change, why: why, until: deadline)
            }
            guard case .line(let line) = reply else { throw .unexpectedReply(reply.summary) }
            if line.isPositive { return .done(try change.value(of: line)) }
            switch line.negative() {
            case .refusal(let refusal):
                guard isUnclear else { return .refused(refusal) }
                if try await isFinal(refusal, of: change, until: deadline) { return .refused(refusal) }
                // The attempt without a reply has happened after all; asked again, the server repeats its outcome.
            case .error(let error):
                guard isUnclear else { throw error }
                return try await lookUp(change, why: error.description, until: deadline)
            case .later(_, let text): throw .unexpectedReply(text)
            }
        }
    }

    /// Whether a refusal that came after an attempt without a reply is the last word.
    ///
    /// - Returns: `false` if the change has happened.
    private func isFinal<Value>(
        _ refusal: Refusal, of change: Change<Value>, until deadline: Deadline
    ) async throws(StockadeError) -> Bool {
        switch (change.subject, refusal) {
        case (_, .stale): throw .outcomeUnknown(id: change.name, why: "the server has forgotten so old a request")
        case (.sku, _):
            // EXISTS, MISMATCH, NOSKU: perhaps because the first attempt made it so.
            throw .outcomeUnknown(id: change.name, why: "after a lost reply the server says \(refusal)")
        case (.known, _) where refusal.leavesIDFree && refusal != .noSuchOrder(change.name):
            throw .outcomeUnknown(id: change.name, why: "after a lost reply the server says \(refusal)")
        case (.known, _): return true
        case (.new(let id, let born), _):
            guard refusal.leavesIDFree else { return true }
            return try await seal(id, born: born, until: deadline)
        }
    }

    /// Makes sure that nothing will ever happen under an id.
    ///
    /// - Returns: `false` if it is too late: something has.
    private func seal(
        _ id: String, born: Moment?, until deadline: Deadline
    ) async throws(StockadeError) -> Bool {
        let request = try Requests.cancel(id, born: born, reason: "refused")
        // The seal may be sent twice too; its time is the call's whole time.
        let whole = Deadline(end: deadline.end, of: deadline)
        guard case .reply(.line(let line), _) = try await unknownUnless(
            id, { () async throws(StockadeError) in try await ask(request, id: id, on: main, until: whole) })
        else { throw .outcomeUnknown(id: id, why: "it could not be sealed in time") }
        if line.isPositive { return true }
        switch line.negative() {
        case .refusal(.order(.sold)), .refusal(.order(.returned)), .refusal(.conflict): return false
        default: throw .outcomeUnknown(id: id, why: line.text)
        }
    }

    /// The last resort: asks what the ledger knows, for as long as the call has time.
    private func lookUp<Value>(
        _ change: Change<Value>, why: String, until deadline: Deadline
    ) async throws(StockadeError) -> Answer<Value> {
        let id: String
        switch change.subject {
        case .new(let new, _): id = new
        case .known(let order): id = order
        case .sku(let sku): throw .outcomeUnknown(id: sku, why: why)
        }
        let found = try await unknownUnless(
            id, why: why, { () async throws(StockadeError) in try await find(id, until: deadline) })
        guard let answer = change.conclude(found) else { throw .outcomeUnknown(id: id, why: why) }
        return answer
    }

    /// What the ledger knows about an id. It asks on the other connection: the first may be what fails.
    func find(_ id: String, until deadline: Deadline) async throws(StockadeError) -> Found {
        let request = try Requests.lookup(id)
        guard case .reply(.line(let line), _) = try await ask(request, id: id, on: side, until: deadline) else {
            throw .unexpectedReply("an array as the reply to LOOKUP")
        }
        if line.isPositive { return .order(try Order(line)) }
        switch line.negative() {
        case .refusal(.noSuchOrder): return .nothing
        case .refusal(.conflict(_, let state)):
            return .operation(state: state, sequence: line.number(of: "seq") ?? 0)
        case .error(let error): throw error
        case .refusal, .later: throw .unexpectedReply(line.text)
        }
    }

    /// Runs what has to find out about `id`; if that fails, the outcome is unknown.
    private func unknownUnless<Value>(
        _ id: String, why: String? = nil, _ body: () async throws(StockadeError) -> Value
    ) async throws(StockadeError) -> Value {
        do {
            return try await body()
        } catch {
            throw .outcomeUnknown(id: id, why: [why, error.description].compactMap { $0 }.joined(separator: "; then "))
        }
    }
}

extension Deadline {
    /// The same deadline without time set aside.
    init(end: Nanoseconds, of deadline: Deadline) {
        self.end = end
        attemptsEnd = end
        total = deadline.total
    }
}
