// Requests from a file or a pipe, a request a line. They are sent without waiting for replies in between, so a million
// of them take seconds; replies are handed out in the order of the requests, and as soon as they come, so that a
// pipe that feeds a request now and then is answered now and then.

import Glibc
import StockConnection

/// Plays the lines of a descriptor against a server.
public struct Script {
    /// What is unanswered at a time. Little enough that the kernel always takes a request whole: were both sides to
    /// write and neither to read, they would wait for each other.
    static let mostUnanswered = 1_024
    static let mostUnansweredBytes = 65_536

    private let connection: Connection
    private let patience: Duration
    private let stopsAtRefusal: Bool

    private var input: LineReader
    /// The next request, when there was no room to send it yet.
    private var next: (line: Int, request: RequestText)?
    private var unanswered = ArrayQueue<(line: Int, bytes: Int)>()
    private var unansweredBytes = 0
    private var isComplete = false

    public private(set) var requests = 0
    public private(set) var refusals = 0
    /// The input line of the first refusal, from 1.
    public private(set) var firstRefusal: Int?

    /// - Parameter stopsAtRefusal: sends each request only when the one before it was not refused. That costs a round
    ///   trip a request.
    public init(from descriptor: Int32, to connection: Connection, patience: Duration, stopsAtRefusal: Bool) {
        self.connection = connection
        self.patience = patience
        self.stopsAtRefusal = stopsAtRefusal
        input = LineReader(descriptor: descriptor)
    }

    /// Sends all and hands out the replies, as many at a time as have come, each with the number of the line that asked
    /// for it. Ends with the input, behind QUIT or SHUTDOWN, at a refusal if that was asked for, or when `answer` says
    /// `false`: nobody reads any more.
    public mutating func play(_ answer: ([(reply: Reply, line: Int)]) -> Bool) throws(ConsoleError) {
        var deadline = Deadline.after(patience)
        while true {
            var answered: [(reply: Reply, line: Int)] = []
            // A reply that makes no sense ends the script, after those before it were handed out.
            var failure: ConnectionError?
            do throws(ConnectionError) {
                while let reply = try connection.nextReply() {
                    guard let asked = unanswered.popFirst() else { throw .protocolError("a reply to no request") }
                    unansweredBytes -= asked.bytes
                    deadline = .after(patience)
                    if reply.isRefusal {
                        refusals += 1
                        if firstRefusal == nil { firstRefusal = asked.line }
                        if stopsAtRefusal { isComplete = true }
                    }
                    answered.append((reply, asked.line))
                }
            } catch {
                failure = error
            }
            if !answered.isEmpty, !answer(answered) { return }
            if let failure { throw .lost(failure, unanswered: unanswered.count) }
            try sendWhatMayBeSent()
            if isComplete, unanswered.isEmpty { return }
            if connection.isClosed { throw .lost(.closed, unanswered: unanswered.count) }
            if unanswered.isEmpty { deadline = .after(patience) }
            try wait(by: deadline)
        }
    }

    private mutating func sendWhatMayBeSent() throws(ConsoleError) {
        var batch: [String] = []
        while !isComplete {
            if next == nil { next = try nextRequest() }
            guard let (line, request) = next, mayBeSent(request) else { break }
            next = nil
            batch.append(request.line)
            let bytes = request.line.utf8.count + 1
            unanswered.append((line, bytes))
            unansweredBytes += bytes
            requests += 1
            if request.endsConnection { isComplete = true }
        }
        guard !batch.isEmpty else { return }
        do throws(ConnectionError) {
            try connection.send(batch, by: .after(patience))
        } catch {
            throw .lost(error, unanswered: unanswered.count)
        }
    }

    private func mayBeSent(_ request: RequestText) -> Bool {
        if unanswered.isEmpty { return true }
        return !stopsAtRefusal && unanswered.count < Self.mostUnanswered
            && unansweredBytes + request.line.utf8.count < Self.mostUnansweredBytes
    }

    /// The next request that has come, or nil; at the end of the input the script is complete.
    private mutating func nextRequest() throws(ConsoleError) -> (line: Int, request: RequestText)? {
        while let line = try input.nextLine() {
            if let request = RequestText(line) { return (input.lineNumber, request) }
        }
        if input.isAtEnd { isComplete = true }
        return nil
    }

    /// Until a reply or, when there is room for it, more input has come.
    private mutating func wait(by deadline: Deadline) throws(ConsoleError) {
        let readsInput = !isComplete && next == nil
        // poll passes over negative descriptors.
        var entries = [
            pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: readsInput ? input.descriptor : -1, events: Int16(POLLIN), revents: 0),
        ]
        let ready = poll(&entries, 2, deadline.pollMilliseconds)
        if ready < 0, errno != EINTR { throw .stream("poll: \(String(cString: strerror(errno)))") }
        if entries[1].revents != 0 { try input.fill() }
        do throws(ConnectionError) {
            if entries[0].revents != 0 { try connection.takeIn() }
            if ready == 0, !unanswered.isEmpty, deadline.hasPassed { throw .timedOut(waitingFor: "a reply") }
        } catch {
            throw .lost(error, unanswered: unanswered.count)
        }
    }
}
