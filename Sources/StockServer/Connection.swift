// One client, as the loop sees it: a socket, the beginning of a request that is not complete yet, and the replies
// that could not leave at once. A client that is served whole in each turn, as nearly all are, has neither, and
// costs a few hundred bytes.

import CLinux
import Glibc
import StockModel
import StockWire

/// How far the life of a connection has come.
enum ConnectionPhase: UInt8 {
    /// It is read from and answered.
    case open
    /// Nothing more of what it sends is looked at; it closes when its replies have been taken.
    case finishing
    /// It has had its last reply and was told that no more comes. What it still sends is read and thrown away for a
    /// moment, because closing a socket that has unread bytes destroys replies on their way.
    case lingering
}

/// What a read or a write of a socket came to.
enum TransferResult: Equatable {
    case bytes(Int)
    case wouldBlock
    /// Reading only: the peer will send no more.
    case ended
    /// The connection is broken.
    case failed
}

/// The state of one connection. Whoever holds it owns the descriptor; the table closes it.
struct Connection: ~Copyable {
    let token: PollToken
    /// `CLIENT ID`: counted from the server's start.
    let number: UInt64
    let bornAt: Int64

    var phase = ConnectionPhase.open
    /// It stands in the queue of those to serve.
    var isQueued = false
    /// It stands in the list of those that wait for the gate.
    var isWaiting = false
    /// Its replies are not taken: it is not read from.
    var isPaused = false
    /// The peer will send no more.
    var inputEnded = false
    /// There may be whole requests in `input`: its share of a turn ended before they did.
    var hasMore = false
    /// It waits for a snapshot or a verification; what it sent behind that is looked at afterwards.
    var awaitsReply = false
    /// It asked the server to stop: its last word comes when the log is closed.
    var awaitsFarewell = false
    /// It said the password, or none is needed.
    var isLoggedIn: Bool
    /// What epoll watches it for.
    var interest: Readiness = [.input, .inputEnded]

    /// Bytes that were read and not yet made requests of.
    var input = ByteQueue()
    var progress = ParseProgress()
    var replies = HeldReplies()
    /// Bytes of them that the table has counted.
    var notedReplies = 0
    /// When it last took a reply, or began to have one to take; lingering: when it began. Monotonic nanoseconds.
    var progressAt: Int64 = 0

    init(token: PollToken, number: UInt64, isLoggedIn: Bool, now: Int64) {
        self.token = token
        self.number = number
        self.isLoggedIn = isLoggedIn
        bornAt = now
    }

    var descriptor: Int32 { token.descriptor }

    /// What epoll should watch it for, by its state.
    ///
    /// - Parameter reads: whether the server still takes requests.
    func wantedInterest(whileReading reads: Bool) -> Readiness {
        let isRead =
            switch phase {
            case .open: reads && !isPaused && !inputEnded && !awaitsReply
            case .finishing: false
            case .lingering: true
            }
        var wanted: Readiness = isRead ? [.input, .inputEnded] : []
        if replies.released > 0 { wanted.insert(.output) }
        return wanted
    }
}

/// Sends as much as the socket takes at once.
func sendNow(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> TransferResult {
    while true {
        let sent = clinux_send(descriptor, bytes.baseAddress, bytes.count)
        if sent >= 0 { return .bytes(sent) }
        switch errno {
        case EINTR: continue
        case EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM: return .wouldBlock
        default: return .failed
        }
    }
}

/// Reads what is there, at most `capacity` bytes (at least 1).
func receiveNow(into memory: UnsafeMutableRawPointer, capacity: Int, from descriptor: Int32) -> TransferResult {
    while true {
        let received = clinux_recv(descriptor, memory, capacity)
        if received > 0 { return .bytes(received) }
        if received == 0 { return .ended }
        switch errno {
        case EINTR: continue
        case EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM: return .wouldBlock
        default: return .failed
        }
    }
}

/// Tells the peer that no more will come; what was sent before still arrives.
func endOutput(of descriptor: Int32) {
    // It fails when the peer is gone, and then nobody needs to be told.
    _ = shutdown(descriptor, Int32(SHUT_WR))
}
