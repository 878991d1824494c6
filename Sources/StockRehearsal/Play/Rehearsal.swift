// A rehearsal from its opening to its proof: stock comes in, the orders of the file are played, the abandoned holds
// run out, and the server's counters are laid beside the account that the replies add up to.

import CLinux
import Glibc
import StockBench
import StockConnection
import StockModel

/// How far a rehearsal is.
public struct RehearsalProgress: Sendable {
    public enum Stage: Sendable { case opening, playing, awaitingExpiry, proving }

    public let stage: Stage
    /// Orders that are over, and orders of the file.
    public let orders: Int
    public let ordersOfFile: Int
    /// Requests for orders that ended either way.
    public let sold: Int
    public let refused: Int
}

/// What a rehearsal found.
public struct RehearsalResult: Sendable {
    public let account: Account
    public let proof: Proof
    public let latencies: Latencies
    /// Of the playing, without what comes before and after it.
    public let nanoseconds: Int64
    /// Not all orders of the file were played.
    public let wasInterrupted: Bool
    public let ordersPlayed: Int

    /// Nothing was oversold, nothing was lost, and no request was answered as it must not be.
    public var isProven: Bool { proof.holds && account.wrongReplies == 0 }
}

/// A file of orders, a stock, and a server to play them against.
public struct Rehearsal {
    public let options: RehearsalOptions
    public let history: OrderHistory
    /// Units by SKU: of every SKU that the orders name.
    public let opening: [String: Int64]

    /// - Parameter stock: what there is when the sale opens. nil: what the file sells. A SKU that it does not name
    ///   opens with none.
    /// - Throws: `.usage` or `.badFile` for what makes no rehearsal.
    public init(_ file: OrderFile, stock: StockFile?, options: RehearsalOptions) throws(RehearsalError) {
        try options.check()
        guard !file.rows.isEmpty else { throw .badFile("it has no orders") }
        self.options = options
        history = OrderHistory(file.rows)
        opening = stock.map { stock in file.unitsSold.mapValues { _ in 0 }.merging(stock.units) { $1 } } ?? file.unitsSold
    }

    /// Plays. Blocks until the proof is there.
    ///
    /// - Parameters:
    ///   - interrupt: a descriptor; once it is readable no new order begins. -1: none.
    ///   - observer: is told of each stage, and some ten times a second while it plays.
    public func run(
        interrupt: Int32 = -1, observer: (RehearsalProgress) -> Void = { _ in }
    ) throws(RehearsalError) -> RehearsalResult {
        func tell(_ stage: RehearsalProgress.Stage, _ orders: Int, _ account: Account) {
            observer(
                RehearsalProgress(
                    stage: stage, orders: orders, ordersOfFile: history.orders.count, sold: account.sold,
                    refused: account.refusedOrders))
        }
        var play = Play(history, account: Account(opening: opening), options: options)
        tell(.opening, 0, play.account)
        try openStock()
        try play.run(interrupt: interrupt) { tell(.playing, $0, $1) }
        tell(.awaitingExpiry, play.ordersFinished, play.account)
        try awaitExpiry(play.account)
        tell(.proving, play.ordersFinished, play.account)
        return RehearsalResult(
            account: play.account, proof: Proof(play.account, found: try counters(of: play.account.skus.keys.sorted())),
            latencies: play.latencies, nanoseconds: play.nanoseconds,
            wasInterrupted: play.ordersFinished < history.orders.count, ordersPlayed: play.ordersFinished)
    }

    // MARK: Before and after

    private func openStock() throws(RehearsalError) {
        let requests = opening.sorted { $0.key < $1.key }.map { "CREATE \(options.skuPrefix)\($0.key) \($0.value)" }
        let replies = try connecting { () throws(ConnectionError) in
            try Connection(opening: options).pipeline(requests)
        }
        for reply in replies where reply.head.word != "CREATED" {
            if reply.head.word == "EXISTS" {
                throw .server("the server has SKUs that begin with '\(options.skuPrefix)' already: choose another prefix")
            }
            throw .server("the server takes no stock: \(reply)")
        }
    }

    /// How long the server may take beyond the time of the last hold.
    private static let expiryPatience = 30

    /// Waits until nothing is held any more of the SKUs of abandoned holds.
    private func awaitExpiry(_ account: Account) throws(RehearsalError) {
        let skus = account.skus.filter { $0.value.abandoned > 0 }.keys.sorted()
        let deadline = Deadline.after(.milliseconds(options.abandonedHold) + .seconds(Self.expiryPatience))
        while !deadline.hasPassed {
            if try counters(of: skus).values.allSatisfy({ $0.number("held") == 0 || $0.isRefusal }) { return }
            // Expiry has no event to wait for: the counters are asked again a few times a second.
            _ = poll(nil, 0, 100)
        }
        // What is held for ever is for the proof to tell.
    }

    /// The server's line for each of `skus`, by their names in the file.
    private func counters(of skus: [String]) throws(RehearsalError) -> [String: ReplyLine] {
        let pages = stride(from: 0, to: skus.count, by: Limits.pageEntries).map {
            skus[$0..<min($0 + Limits.pageEntries, skus.count)]
        }
        let replies = try connecting { () throws(ConnectionError) in
            try Connection(opening: options)
                .pipeline(pages.map { "MGET " + $0.map { options.skuPrefix + $0 }.joined(separator: " ") })
        }
        var lines: [String: ReplyLine] = [:]
        for (page, reply) in zip(pages, replies) {
            for (sku, line) in zip(page, reply.items) { lines[sku] = line }
        }
        return lines
    }
}

extension Connection {
    /// Connects and logs in as `options` say.
    convenience init(opening options: RehearsalOptions) throws(ConnectionError) {
        try self.init(to: options.address)
        guard let password = options.password else { return }
        let reply = try authenticate(password)
        guard reply.head.text == "+OK" else { throw .protocolError("the server answered AUTH with \(reply.head.text)") }
    }
}
