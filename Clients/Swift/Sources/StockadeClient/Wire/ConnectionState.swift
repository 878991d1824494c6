// What one connection knows, without a socket: which requests wait to be written, which were written and wait for
// their replies, whether we are logged in, and what the bytes that come in mean. Bytes and moments go in, actions
// come out, so that every dialogue with a server, also the unkind ones, is a table in a test.
//
// The state outlives a connection: when one is lost, the requests that were written fail (nobody knows what became
// of them), and those that were not wait for the next.

/// A moment in nanoseconds of a clock that never goes back.
typealias Nanoseconds = Int64

/// The name of one request on one connection.
struct Ticket: Hashable, Sendable {
    var number: UInt64
}

/// What became of one request on one connection.
enum Attempt: Sendable, Equatable {
    case reply(Reply)
    /// The connection was lost, or this call's time ran out. `isSent`: the request may have reached the server, so
    /// it may have been carried out.
    case lost(isSent: Bool, why: String)
    case timedOut(isSent: Bool)
    case cancelled(isSent: Bool)
    /// The server was not reachable and the call did not wait, or the client is closed; nothing was sent.
    case unavailable(String)
    case denied(String)
    case overloaded
    case closed
}

/// The protocol's side of one connection.
///
/// - Tag: what a request is for, handed back with its end: a continuation in the client, a number in tests.
struct ConnectionState<Tag> {
    /// What the owner of the socket is to do.
    enum Action {
        /// A request has ended. Each submitted tag is handed back exactly once.
        case finish(Tag, Attempt)
        /// Logged in, or nothing to log in for: requests flow.
        case ready
        /// The server does not take our password.
        case denied(String)
        /// Nothing more can be said on this connection.
        case close(String)
    }

    enum Phase: Equatable {
        case down
        /// `AUTH` is out, its reply is not back.
        case loggingIn
        case ready
        /// It was said that the connection must close; what still comes in is not looked at.
        case closing
    }

    private struct Waiting {
        var ticket: Ticket
        /// `nil`: nobody waits any more. The reply is still to come, and is passed over.
        var tag: Tag?
        var request: Request
        var deadline: Nanoseconds
        var sentAt: Nanoseconds = 0
    }

    private(set) var phase = Phase.down
    private let login: Request?
    /// A connection whose oldest request waits for longer than this is given up.
    private let stallLimit: Nanoseconds
    private var unsent = Fifo<Waiting>()
    private var sent = Fifo<Waiting>()
    private var scanner = ReplyScanner()
    private var isLoginWritten = false
    private var loginSentAt: Nanoseconds = 0

    /// - Parameters:
    ///   - login: the `AUTH` that every new connection begins with.
    ///   - stallLimit: nanoseconds.
    init(login: Request?, stallLimit: Nanoseconds) {
        self.login = login
        self.stallLimit = stallLimit
    }

    /// Requests without an end.
    var waitingCount: Int { unsent.count + sent.count }
    /// Requests whose reply is due.
    var sentCount: Int { sent.count }

    // MARK: The callers' side

    /// Takes a request. It is written by the next `takeOutput` of a connection that is ready.
    mutating func submit(_ request: Request, ticket: Ticket, tag: Tag, deadline: Nanoseconds) {
        unsent.append(Waiting(ticket: ticket, tag: tag, request: request, deadline: deadline))
    }

    /// Nobody waits for this request any more. If it is not written yet it never will be; if it is, its reply is
    /// passed over when it comes. The connection stays as it is.
    mutating func cancel(_ ticket: Ticket, into actions: inout [Action]) {
        var found: [Action] = []
        let cancel = { (isSent: Bool, waiting: inout Waiting) in
            guard waiting.ticket == ticket, let tag = waiting.tag else { return }
            waiting.tag = nil
            found.append(.finish(tag, .cancelled(isSent: isSent)))
        }
        unsent.forEach { cancel(false, &$0) }
        sent.forEach { cancel(true, &$0) }
        actions += found
    }

    // MARK: The socket's side

    mutating func connected(at now: Nanoseconds, into actions: inout [Action]) {
        scanner = ReplyScanner()
        isLoginWritten = false
        loginSentAt = now
        phase = login == nil ? .ready : .loggingIn
        if phase == .ready { actions.append(.ready) }
    }

    /// Everything that can be written now, in one piece: as many requests as were submitted since the last time.
    ///
    /// - Parameter limit: requests that may wait for replies at once.
    mutating func takeOutput(at now: Nanoseconds, limit: Int, into output: inout [UInt8]) {
        switch phase {
        case .loggingIn:
            guard !isLoginWritten, let login else { return }
            isLoginWritten = true
            output += login.bytes
        case .ready:
            while sent.count < limit, var next = unsent.popFirst() {
                guard next.tag != nil else { continue }
                output += next.request.bytes
                next.sentAt = now
                sent.append(next)
            }
        case .down, .closing: return
        }
    }

    mutating func received(_ bytes: UnsafeRawBufferPointer, into actions: inout [Action]) {
        guard phase == .loggingIn || phase == .ready else { return }
        scanner.append(bytes)
        while phase != .closing {
            switch scanner.next() {
            case .incomplete: return
            case .broken(let why): close(why, &actions)
            case .reply(let reply):
                if phase == .loggingIn {
                    loggedIn(reply, &actions)
                } else {
                    match(reply, &actions)
                }
            }
        }
    }

    /// The connection is gone, whoever ended it.
    mutating func disconnected(_ why: String, into actions: inout [Action]) {
        phase = .down
        for waiting in sent.takeAll() {
            if let tag = waiting.tag { actions.append(.finish(tag, .lost(isSent: true, why: why))) }
        }
    }

    // MARK: The clock's side

    /// Ends the requests whose time is over, and the connection if it has stalled.
    mutating func tick(at now: Nanoseconds, into actions: inout [Action]) {
        var found: [Action] = []
        let expire = { (isSent: Bool, waiting: inout Waiting) in
            guard waiting.deadline <= now, let tag = waiting.tag else { return }
            waiting.tag = nil
            found.append(.finish(tag, .timedOut(isSent: isSent)))
        }
        unsent.forEach { expire(false, &$0) }
        sent.forEach { expire(true, &$0) }
        actions += found
        // Requests that nobody waits for would otherwise stand in the queue until the next connection.
        while let first = unsent.first, first.tag == nil { _ = unsent.popFirst() }

        let oldest = phase == .loggingIn ? loginSentAt : sent.first?.sentAt
        if let oldest, phase == .ready || phase == .loggingIn, now - oldest > stallLimit {
            close("no reply for \(stallLimit / 1_000_000) ms", &actions)
        }
    }

    /// Ends everything that waits to be written.
    mutating func failUnsent(_ attempt: Attempt, into actions: inout [Action]) {
        for waiting in unsent.takeAll() {
            if let tag = waiting.tag { actions.append(.finish(tag, attempt)) }
        }
    }

    // MARK: What a reply means

    private mutating func loggedIn(_ reply: Reply, _ actions: inout [Action]) {
        if case .line(let line) = reply, line.isPositive {
            phase = .ready
            actions.append(.ready)
            return
        }
        guard case .line(let line) = reply else { return close("an array as the reply to AUTH", &actions) }
        phase = .closing
        // A server without passwords, or one that is full, says so here; only DENIED is about ours.
        if line.begins(with: "-DENIED") { actions.append(.denied(line.text)) }
        actions.append(.close("login: \(line.text)"))
    }

    /// Gives the reply to the oldest request. Replies come in the order of requests; that this one belongs to that
    /// one is checked all the same, because an order confirmed to the wrong customer is the worst that can happen.
    private mutating func match(_ reply: Reply, _ actions: inout [Action]) {
        guard let waiting = sent.first else {
            return close("a reply that nobody asked for: \(reply.summary)", &actions)
        }
        guard reply.answers(waiting.request) else {
            return close("\"\(reply.summary)\" is no reply to \"\(waiting.request.text.prefix(80))\"", &actions)
        }
        _ = sent.popFirst()
        if let tag = waiting.tag { actions.append(.finish(tag, .reply(reply))) }
    }

    private mutating func close(_ why: String, _ actions: inout [Action]) {
        phase = .closing
        actions.append(.close(why))
    }
}

extension Reply {
    /// Whether this can be the reply to `request`, by its shape and by the word that it repeats.
    fileprivate func answers(_ request: Request) -> Bool {
        switch self {
        case .array: return request.shape == .array
        case .line(let line):
            if line.isNegative { return true }
            guard line.isPositive, request.shape == .line else { return false }
            guard !request.echo.isEmpty else { return true }
            guard let word = line.word(1) else { return false }
            return line.bytes[word].elementsEqual(request.bytes[request.echo])
        }
    }

    /// The beginning of the reply, for messages.
    var summary: String {
        switch self {
        case .line(let line): String(decoding: line.bytes.prefix(80), as: UTF8.self)
        case .array(let lines): "*\(lines.count)"
        }
    }
}
