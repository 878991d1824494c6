// Many requests, few in flight: sent without waiting for each reply, each kept until its reply is there, and sent again
// when the server says that it was busy and did nothing. Every request that goes through here is safe to send twice.

import Glibc
import StockConnection
import StockInput

/// A connection that is kept full.
struct RequestPipeline: ~Copyable {
    /// Requests in flight. Their replies stay below the 1 MiB at which the server stops reading, so that this side can
    /// write first and read afterwards without either waiting for the other for ever.
    static let window = 4_096
    /// Bytes gathered for one write.
    private static let batchBytes = 1 << 16
    /// How long a server may go on saying that it is busy.
    private static let patience: Int64 = 60_000
    private static let pause: Int64 = 100

    /// A request and what its sender wants to be reminded of.
    private struct Sent {
        var request: [UInt8]
        var tag: Int
    }

    private let connection: Connection
    private var batch: [UInt8] = []
    private var flying: [Sent] = []
    private var firstFlying = 0
    private var refusedAsBusy: [Sent] = []
    private var busyFor: Int64 = 0

    init(_ connection: Connection) {
        self.connection = connection
    }

    /// Sends one request, a line without its end. Replies that are due are handed to `handle` in the order of their
    /// requests; one that was sent again comes later than its neighbours.
    mutating func send(
        _ request: [UInt8], tag: Int, handle: (_ tag: Int, _ reply: ReplyLine) throws -> Void
    ) throws {
        append(Sent(request: request, tag: tag))
        if batch.count >= Self.batchBytes || flying.count - firstFlying >= Self.window { try flush() }
        if flying.count - firstFlying >= Self.window { try receive(leaving: Self.window / 2, handle) }
    }

    /// Waits for all replies that are still to come.
    mutating func finish(handle: (_ tag: Int, _ reply: ReplyLine) throws -> Void) throws {
        repeat {
            try flush()
            try receive(leaving: 0, handle)
            try sendAgain()
        } while firstFlying < flying.count
    }

    private mutating func append(_ sent: Sent) {
        batch.append(contentsOf: sent.request)
        batch.append(UInt8(ascii: "\n"))
        flying.append(sent)
    }

    private mutating func flush() throws {
        guard !batch.isEmpty else { return }
        try connection.send(bytes: batch[...], by: .after(.seconds(60)))
        batch.removeAll(keepingCapacity: true)
    }

    private mutating func receive(leaving count: Int, _ handle: (Int, ReplyLine) throws -> Void) throws {
        try flush()
        while flying.count - firstFlying > count {
            let reply = try connection.receiveReply(by: .after(.seconds(60))).head
            let sent = flying[firstFlying]
            firstFlying += 1
            if reply.word == "BUSY" || reply.word == "SLOWDOWN" {
                refusedAsBusy.append(sent)
            } else {
                busyFor = 0
                try handle(sent.tag, reply)
            }
        }
        if firstFlying == flying.count || firstFlying > Self.window {
            flying.removeFirst(firstFlying)
            firstFlying = 0
        }
        // Nobody is helped by more of the same while the server cannot take it.
        if refusedAsBusy.count >= Self.window / 2 {
            try receive(leaving: 0, handle)
            try sendAgain()
        }
    }

    private mutating func sendAgain() throws {
        guard !refusedAsBusy.isEmpty else { return }
        guard busyFor < Self.patience else {
            throw ToolError(.tryLater, "the server has said -BUSY for \(Self.patience / 1_000) s: its disk is behind")
        }
        busyFor += Self.pause
        usleep(useconds_t(Self.pause * 1_000))
        let again = refusedAsBusy
        refusedAsBusy.removeAll()
        for sent in again { append(sent) }
    }
}
