// Many clients at once, on one thread: each keeps a window of requests in flight and reads replies as they
// come. The orders they place, retry, confirm and cancel come from a seed.

import Glibc
import SeededRandom
import StockConnection

/// Clients that trade until told to stop, or until the server goes away.
struct ClientSwarm {
    static let clients = 50
    private static let window = 16

    private(set) var book: OrderBook
    private var random: SeededGenerator
    private let skus: [String]
    /// Holds that nobody has confirmed or cancelled, by the client that has them.
    private var holds: [[Int]] = Array(repeating: [], count: clients)

    init(book: OrderBook, seed: UInt64) {
        self.book = book
        random = SeededGenerator(seed: seed)
        skus = book.opening.keys.sorted()
    }

    private struct Client {
        let connection: Connection
        /// In the order in which they were sent, so in the order of their replies.
        var inFlight: [(verb: OrderBook.Verb, order: Int)] = []
    }

    /// What `trade` ended with.
    enum End { case replies, serverGone }

    /// Trades with the server until `replies` replies have come; then, with requests still in flight, runs
    /// `atEnd` (which may kill the server) and reads what was sent before the connections closed.
    ///
    /// - Parameter meanwhile: runs again and again while the clients wait for replies.
    /// - Returns: whether the server had closed the connections already before that.
    mutating func trade(
        with server: ServerProcess, replies: Int, meanwhile: () throws -> Void = {}, atEnd: () throws -> Void
    ) throws -> End {
        var clients = try (0..<Self.clients).map { _ in Client(connection: try server.connect()) }
        var count = 0
        while count < replies {
            for index in clients.indices where clients[index].inFlight.count <= Self.window / 2 {
                try refill(&clients[index], index)
            }
            try meanwhile()
            count += try readSome(&clients)
            if clients.allSatisfy(\.connection.isClosed) {
                book.noteCrash()
                return .serverGone
            }
        }
        try atEnd()
        while !clients.allSatisfy(\.connection.isClosed) { _ = try readSome(&clients) }
        book.noteCrash()
        return .replies
    }

    /// Trades until `requests` requests have been sent, and waits for all their replies.
    mutating func tradeAndSettle(with server: ServerProcess, requests: Int) throws {
        var clients = try (0..<Self.clients).map { _ in Client(connection: try server.connect()) }
        var sent = 0
        while sent < requests || clients.contains(where: { !$0.inFlight.isEmpty }) {
            for index in clients.indices where sent < requests && clients[index].inFlight.count <= Self.window / 2 {
                let before = clients[index].inFlight.count
                try refill(&clients[index], index)
                sent += clients[index].inFlight.count - before
            }
            _ = try readSome(&clients)
            guard !clients.contains(where: \.connection.isClosed) else { throw Failure("the server closed a connection") }
        }
    }

    mutating func rewind(to sequence: Int64) { book.rewind(to: sequence) }

    mutating func compare(with server: ServerProcess) throws { try book.compare(with: try server.connect()) }

    mutating func retryAll(on server: ServerProcess) throws { try book.retryAll(on: try server.connect()) }

    // MARK: One step

    private mutating func refill(_ client: inout Client, _ index: Int) throws {
        guard !client.connection.isClosed else { return }
        var lines: [String] = []
        while client.inFlight.count < Self.window {
            let (verb, order) = choose(index)
            lines.append(book.request(verb, for: order))
            client.inFlight.append((verb, order))
        }
        do {
            try client.connection.send(lines, by: .after(EndToEnd.patience))
        } catch ConnectionError.closed {
            // What the server still answered is read as usual; the rest counts as sent and not answered.
        }
    }

    /// What the client of that index does next.
    private mutating func choose(_ index: Int) -> (OrderBook.Verb, order: Int) {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<12 where !holds[index].isEmpty:
            return (.confirm, holds[index].removeFirst())
        case ..<20 where !holds[index].isEmpty:
            return (.cancel, holds[index].removeFirst())
        case ..<30 where !book.orders.isEmpty:
            // A retry of any client's sale, as by a load balancer that has lost the reply.
            let order = Int.random(in: book.orders.indices, using: &random)
            if book.orders[order].openingVerb == .deduct { return (.deduct, order) }
        case 75...:
            let order = newOrder(.reserve)
            holds[index].append(order)
            return (.reserve, order)
        default: break
        }
        return (.deduct, newOrder(.deduct))
    }

    private mutating func newOrder(_ verb: OrderBook.Verb) -> Int {
        var lines: [(sku: String, quantity: Int64)] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            lines.append((skus[Int.random(in: skus.indices, using: &random)], Int64.random(in: 1...3, using: &random)))
        }
        return book.add(verb, lines: lines, buyer: "b\(Int.random(in: 0..<20, using: &random))")
    }

    /// Waits until a connection has something to read, and takes all replies that have come in.
    ///
    /// - Returns: how many.
    private mutating func readSome(_ clients: inout [Client]) throws -> Int {
        var entries = clients.map { client in
            // A negative descriptor is passed over.
            pollfd(fd: client.connection.isClosed ? -1 : client.connection.descriptor, events: Int16(POLLIN), revents: 0)
        }
        let deadline = Deadline.after(EndToEnd.patience)
        while poll(&entries, nfds_t(entries.count), deadline.pollMilliseconds) <= 0 {
            guard !deadline.hasPassed else { throw Failure("no reply to any client within \(EndToEnd.patience)") }
        }
        var count = 0
        for index in clients.indices where entries[index].revents != 0 {
            let connection = clients[index].connection
            try connection.takeIn()
            while let reply = try connection.nextReply() {
                guard !clients[index].inFlight.isEmpty else { throw Failure("a reply nobody waits for: \(reply)") }
                let (verb, order) = clients[index].inFlight.removeFirst()
                try book.note(reply, to: verb, for: order)
                count += 1
            }
        }
        return count
    }
}
