// The middle of a rehearsal: all clients at once, in one loop over their connections. Each has one request in flight;
// a client whose connection breaks opens another and sends that request again, for every request here can be repeated.

import CLinux
import Glibc
import StockBench
import StockConnection

/// The clients, and the books they keep together.
struct Play {
    private struct Client {
        var shopper: Shopper
        /// nil: it is to be opened again.
        var connection: Connection?
        /// What is to be sent, once a time has come and there is a connection.
        var unsent: String?
        /// Not before this.
        var wakeAt: Int64 = 0
        /// When the request in flight was first sent; latency counts from there. Nanoseconds, as all times here.
        var askedAt: Int64?
        var isWaiting: Bool { askedAt != nil && unsent == nil }
    }

    private(set) var account: Account
    private(set) var latencies = Latencies()
    private(set) var nanoseconds: Int64 = 0
    private var clients: [Client] = []
    private let options: RehearsalOptions

    /// A request that has no reply for so long ends the rehearsal.
    private static let patience: Int64 = 30_000_000_000
    private static let reconnectPause: Int64 = 100_000_000
    private static let postponement: Int64 = 20_000_000
    private static let reportPeriod: Int64 = 100_000_000

    init(_ history: OrderHistory, account: Account, options: RehearsalOptions) {
        self.account = account
        self.options = options
        var hands: [[OrderHistory.Order]] = Array(repeating: [], count: options.clients)
        var places: [String: Int] = [:]
        var next = 0
        for order in history.orders {
            // A buyer stays with the client of the first order; who has no name goes to the next in turn.
            let place = order.buyer.isEmpty ? next : places[order.buyer] ?? next
            if !order.buyer.isEmpty { places[order.buyer] = place }
            if place == next { next = (next + 1) % options.clients }
            hands[place].append(order)
        }
        let rules = Shopper.Rules(options)
        clients = hands.filter { !$0.isEmpty }.map { Client(shopper: Shopper($0, rules: rules)) }
    }

    var ordersFinished: Int { clients.reduce(0) { $0 + $1.shopper.finished } }

    /// Plays until all orders are over, or until `interrupt` is readable and those that were begun are over.
    mutating func run(interrupt: Int32, report: (_ orders: Int, Account) -> Void) throws(RehearsalError) {
        for index in clients.indices {
            clients[index].connection = try connecting { () throws(ConnectionError) in try Connection(opening: options) }
        }
        let start = clinux_monotonic_ns()
        var reportedAt = start
        var isEnding = false
        while true {
            let now = clinux_monotonic_ns()
            var wakeAt = now + Self.reportPeriod
            var isOver = true
            for index in clients.indices {
                let position = isEnding ? -1 : options.speed.position(after: now - start)
                try move(index, position: position, now: now)
                let client = clients[index]
                if client.unsent != nil { wakeAt = min(wakeAt, client.wakeAt) }
                if client.askedAt != nil {
                    isOver = false
                } else if !isEnding, let offset = client.shopper.nextOffset {
                    isOver = false
                    let due = options.speed.due(at: offset)
                    // Compared before it is added: a due time may be as late as can be.
                    if due < wakeAt - start { wakeAt = start + due }
                }
            }
            if isOver { break }
            if now - reportedAt >= Self.reportPeriod {
                report(ordersFinished, account)
                reportedAt = now
            }
            if try wait(until: wakeAt, interrupt: isEnding ? -1 : interrupt) { isEnding = true }
        }
        nanoseconds = clinux_monotonic_ns() - start
        report(ordersFinished, account)
    }

    /// Sends what a client has to send now.
    private mutating func move(_ index: Int, position: Int64, now: Int64) throws(RehearsalError) {
        if clients[index].askedAt == nil {
            let unixTime = clinux_realtime_ns() / 1_000_000
            guard let request = clients[index].shopper.next(at: position, now: unixTime) else { return }
            clients[index].unsent = request
            clients[index].askedAt = now
            clients[index].wakeAt = now
        }
        guard now - (clients[index].askedAt ?? now) < Self.patience else {
            throw .connection(.timedOut(waitingFor: "a reply"))
        }
        guard let request = clients[index].unsent, clients[index].wakeAt <= now else { return }
        do throws(ConnectionError) {
            if clients[index].connection == nil { clients[index].connection = try Connection(opening: options) }
            clients[index].unsent = nil
            try clients[index].connection?.send([request])
        } catch {
            try lose(index, error)
        }
    }

    /// Waits until a reply is there or it is time to send, and takes the replies in.
    ///
    /// - Returns: whether `interrupt` is readable.
    private mutating func wait(until time: Int64, interrupt: Int32) throws(RehearsalError) -> Bool {
        var entries = [pollfd(fd: interrupt, events: Int16(POLLIN), revents: 0)]
        var waiting: [Int] = []
        for (index, client) in clients.enumerated() where client.isWaiting {
            guard let connection = client.connection else { continue }
            waiting.append(index)
            entries.append(pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0))
        }
        // Rounded up: to wake too early would be to turn around for nothing.
        let milliseconds = max(0, time - clinux_monotonic_ns() + 999_999) / 1_000_000
        guard poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds)) > 0 else { return false }
        for (index, entry) in zip(waiting, entries.dropFirst()) where entry.revents != 0 { try takeReply(index) }
        return entries[0].revents != 0
    }

    private mutating func takeReply(_ index: Int) throws(RehearsalError) {
        guard let connection = clients[index].connection else { return }
        var reply: Reply?
        do throws(ConnectionError) {
            try connection.takeIn()
            reply = try connection.nextReply()
            if reply == nil, connection.isClosed { throw .closed }
        } catch {
            return try lose(index, error)
        }
        if let reply { try take(reply.head, index) }
    }

    private mutating func take(_ reply: ReplyLine, _ index: Int) throws(RehearsalError) {
        let now = clinux_monotonic_ns()
        let askedAt = clients[index].askedAt ?? now
        switch clients[index].shopper.take(reply, into: &account) {
        case .done:
            latencies.record(now - askedAt)
            clients[index].askedAt = nil
        case .later:
            account.postponed += 1
            clients[index].unsent = clients[index].shopper.currentRequest
            clients[index].wakeAt = now + Self.postponement
        case .hopeless:
            throw .server("the server does not take our orders: \(reply.text)")
        }
    }

    /// The connection is gone; the request in flight goes out again on a new one, soon.
    private mutating func lose(_ index: Int, _ error: ConnectionError) throws(RehearsalError) {
        switch error {
        case .closed, .refused: break
        default: throw .connection(error)
        }
        // One that was never sent on this connection, because it could not be opened, is not counted twice.
        if clients[index].connection != nil { account.resent += 1 }
        clients[index].connection = nil
        clients[index].unsent = clients[index].shopper.resend()
        clients[index].wakeAt = clinux_monotonic_ns() + Self.reconnectPause
    }
}
