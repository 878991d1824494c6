// Asking the server about itself, and for durability; and how every question that changes nothing is asked.

/// The server's clock.
public struct ServerClock: Sendable, Equatable {
    /// The ledger's time, by which holds run out.
    public var now: Moment
    /// The ledger's newest change.
    public var sequence: Int64
}

extension StockadeClient {
    /// Waits until everything that this client has been told is on the server's disk: for the moments that must
    /// survive a power cut, in a server that syncs once a second.
    ///
    /// - Returns: the newest change that is durable.
    @discardableResult
    public func sync(deadline: Duration? = nil) async throws(StockadeError) -> Int64 {
        let line = try await word(try Requests.durable(), on: side, within: deadline)
        guard line.begins(with: "+DURABLE"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        return sequence
    }

    /// Asks for a sign of life.
    public func ping(deadline: Duration? = nil) async throws(StockadeError) {
        let line = try await word(try Requests.ping(), on: main, within: deadline)
        guard line.begins(with: "+PONG") else { throw .unexpectedReply(line.text) }
    }

    public func clock(deadline: Duration? = nil) async throws(StockadeError) -> ServerClock {
        let line = try await word(try Requests.clock(), on: main, within: deadline)
        guard line.begins(with: "+CLOCK"), let milliseconds = line.number(of: "ms"),
            let sequence = line.number(of: "seq")
        else { throw .unexpectedReply(line.text) }
        return ServerClock(now: Moment(unixMilliseconds: milliseconds), sequence: sequence)
    }

    /// The server's figures, in its order.
    ///
    /// - Parameter section: `server`, `clients`, `memory`, `log`, `ledger`, `commands`, `refusals`, `limits`; all of
    ///   them, if `nil`.
    public func stats(
        _ section: String? = nil, deadline: Duration? = nil
    ) async throws(StockadeError) -> [(key: String, value: String)] {
        let lines = try await list(try Requests.stats(section), on: side, within: deadline)
        return lines.map { line in
            let text = line.text.dropFirst()
            guard let equals = text.firstIndex(of: "=") else { return (String(text), "") }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }
}

// MARK: Questions

extension StockadeClient {
    /// Asks a question that may be refused.
    func look<Value>(
        _ request: Request, id: String, within time: Duration?,
        _ read: (ReplyLine) throws(StockadeError) -> Value
    ) async throws(StockadeError) -> Answer<Value> {
        try await instruments.observe(request.verb, id) { () async throws(StockadeError) in
            try await enter()
            guard case .reply(.line(let line), _) = try await ask(request, id: id, on: main, until: deadline(time))
            else { throw .unexpectedReply("an array as the reply to \(request.text)") }
            if line.isPositive { return .done(try read(line)) }
            switch line.negative() {
            case .refusal(let refusal): return .refused(refusal)
            case .error(let error): throw error
            case .later(_, let text): throw .unexpectedReply(text)
            }
        }
    }

    /// Asks a question whose answer is one line.
    private func word(
        _ request: Request, on lane: Lane, within time: Duration?
    ) async throws(StockadeError) -> ReplyLine {
        try await instruments.observe(request.verb, "") { () async throws(StockadeError) in
            try await enter()
            guard case .reply(.line(let line), _) = try await ask(request, id: "", on: lane, until: deadline(time))
            else { throw .unexpectedReply("an array as the reply to \(request.text)") }
            guard line.isNegative else { return line }
            throw Self.error(line)
        }
    }

    /// Asks a question whose answer is an array.
    func list(
        _ request: Request, on lane: Lane, within time: Duration?
    ) async throws(StockadeError) -> [ReplyLine] {
        try await instruments.observe(request.verb, "") { () async throws(StockadeError) in
            try await enter()
            guard case .reply(let reply, _) = try await ask(request, id: "", on: lane, until: deadline(time)) else {
                throw .unexpectedReply("no array as the reply to \(request.text.prefix(80))")
            }
            switch reply {
            case .array(let lines): return lines
            case .line(let line): throw Self.error(line)
            }
        }
    }

    /// A `-` line where nothing is a customer's matter.
    private static func error(_ line: ReplyLine) -> StockadeError {
        switch line.negative() {
        case .error(let error): error
        case .refusal, .later: .invalid(line.text)
        }
    }
}
