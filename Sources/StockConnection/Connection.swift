// A client's end of one connection, small enough for every tool here: requests go out as lines, replies come
// back in the same order. It blocks, with a deadline on each wait. Tools that serve many connections at once
// poll their descriptors and use `takeIn` and `nextReply`, which never wait.

import Glibc

/// A connection to a server. Not for use by two threads at once.
public final class Connection {
    /// A longer line is no reply of this protocol: its longest, an order of 1,024 lines, has some 150 KiB.
    public static let longestLine = 1 << 20
    /// Bounds what `*N` may announce.
    public static let mostItems = 1_000_000

    public let address: Address

    private let socket: Socket
    private var input = InputBuffer()
    private var isAtEnd = false
    /// A reply whose lines have not all come yet.
    private var unfinished: (head: String, items: [ReplyLine], count: Int)?

    /// Connects within `timeout`.
    ///
    /// - Throws: `.refused`, `.timedOut`, `.badAddress` or `.system`.
    public init(to address: Address, timeout: Duration = .seconds(5)) throws(ConnectionError) {
        self.address = address
        self.socket = try Socket.connect(to: address, by: .after(timeout))
    }

    // MARK: Asking

    /// Sends one request and waits for its reply.
    public func request(_ line: String, by deadline: Deadline = .after(.seconds(10))) throws(ConnectionError) -> Reply {
        try send([line], by: deadline)
        return try receiveReply(by: deadline)
    }

    /// Sends all requests without waiting for replies in between, and gathers the replies in their order.
    /// Reads while it writes, so any number of requests is fine.
    public func pipeline(
        _ lines: [String], framing: RequestFraming = .line, by deadline: Deadline = .after(.seconds(60))
    ) throws(ConnectionError) -> [Reply] {
        let bytes = framing.bytes(of: lines)
        var unsent = bytes[...]
        var replies: [Reply] = []
        replies.reserveCapacity(lines.count)
        while replies.count < lines.count {
            if let reply = try nextReply() {
                replies.append(reply)
                continue
            }
            if isAtEnd { throw .closed }
            let events = try socket.wait(
                for: unsent.isEmpty ? POLLIN : POLLIN | POLLOUT, by: deadline, what: "\(lines.count) replies")
            if events & POLLOUT != 0, !unsent.isEmpty { unsent = unsent.dropFirst(try socket.write(unsent)) }
            if events & ~POLLOUT != 0 { try takeIn() }
        }
        return replies
    }

    /// Logs in.
    ///
    /// - Returns: the server's answer, `+OK` or `-DENIED`.
    public func authenticate(_ secret: String, by deadline: Deadline = .after(.seconds(10))) throws(ConnectionError) -> Reply {
        try request("AUTH \(secret)", by: deadline)
    }

    // MARK: Sending

    /// Sends `lines` (without line ends) in one write, as far as the kernel takes them at once.
    public func send(
        _ lines: [String], framing: RequestFraming = .line, by deadline: Deadline = .after(.seconds(10))
    ) throws(ConnectionError) {
        try send(bytes: framing.bytes(of: lines)[...], by: deadline)
    }

    /// Sends bytes as they stand.
    public func send(bytes: ArraySlice<UInt8>, by deadline: Deadline = .after(.seconds(10))) throws(ConnectionError) {
        var unsent = bytes
        while !unsent.isEmpty {
            let count = try socket.write(unsent)
            unsent = unsent.dropFirst(count)
            if count == 0 { _ = try socket.wait(for: POLLOUT, by: deadline, what: "the server to read") }
        }
    }

    /// Says that no more requests will come. Replies can still be received.
    public func shutDownWriting() { socket.shutDownWriting() }

    // MARK: Receiving

    /// The next line, without its `\r\n`.
    ///
    /// - Throws: `.closed` after the last line, `.timedOut`, `.protocolError`.
    public func receiveLine(by deadline: Deadline = .after(.seconds(10))) throws(ConnectionError) -> String {
        while true {
            if let line = try input.nextLine(limit: Self.longestLine) { return line }
            try awaitInput(by: deadline)
        }
    }

    /// The next reply, with all the lines it announces.
    ///
    /// - Throws: as `receiveLine`. What had come of a reply at a `.timedOut` is kept for the next call.
    public func receiveReply(by deadline: Deadline = .after(.seconds(10))) throws(ConnectionError) -> Reply {
        while true {
            if let reply = try nextReply() { return reply }
            try awaitInput(by: deadline)
        }
    }

    /// Waits until the server closes the connection, and gives the lines that came before that.
    public func receiveUntilClosed(by deadline: Deadline = .after(.seconds(10))) throws(ConnectionError) -> [String] {
        var lines: [String] = []
        while true {
            do {
                lines.append(try receiveLine(by: deadline))
            } catch .closed {
                return lines
            }
        }
    }

    // MARK: For those who poll many connections

    /// What to poll. It belongs to the connection and is closed with it.
    public var descriptor: Int32 { socket.descriptor }

    /// The server has closed the connection; `nextReply` still gives what came before.
    public var isClosed: Bool { isAtEnd }

    /// Reads what is there, without waiting.
    public func takeIn() throws(ConnectionError) {
        switch try input.fill(from: socket) {
        case .end: isAtEnd = true
        case .bytes, .nothingYet: break
        }
    }

    /// The next reply that has come in whole, or nil, without waiting or reading.
    public func nextReply() throws(ConnectionError) -> Reply? {
        while true {
            if let reply = unfinished, reply.items.count == reply.count {
                unfinished = nil
                return Reply(head: ReplyLine(reply.head), items: reply.items)
            }
            guard let line = try input.nextLine(limit: Self.longestLine) else { return nil }
            if unfinished == nil {
                unfinished = (line, [], try Reply.itemCount(announcedBy: line, limit: Self.mostItems))
            } else {
                unfinished?.items.append(ReplyLine(line))
            }
        }
    }

    private func awaitInput(by deadline: Deadline) throws(ConnectionError) {
        if isAtEnd { throw .closed }
        _ = try socket.wait(for: POLLIN, by: deadline, what: "a reply")
        try takeIn()
    }
}
