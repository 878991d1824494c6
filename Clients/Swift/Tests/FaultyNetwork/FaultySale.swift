// A sale through a network that misbehaves, and its audit. Each order is played to its end: done once, refused, or
// unknown and then settled. What the client was told is then compared, order by order and SKU by SKU, with what the
// ledger says when it is asked directly. It knows the server by its port only, so the double of the unit tests and the
// real executable go through the same.

import SeededRandom
import StockadeClient

/// Asks the server without the proxy between: a request line, and the reply's first line.
public typealias DirectLine = @Sendable (String) async throws -> String

/// What one order came to, by what the client was told.
struct Told: Sendable {
    enum End: Sendable, Equatable { case sold, refused, cancelled, expired }
    var id: String
    var sku: String
    var quantity: Int64
    var end = End.refused
    var wasUnknown = false
    /// What the client must not have said.
    var mistakes: [String] = []
}

/// A sale that is over, and everything that is wrong with it.
public struct FaultySale: Sendable {
    public private(set) var orders = 0
    public private(set) var sold = 0
    public private(set) var refused = 0
    /// Orders whose outcome was unknown for a while.
    public private(set) var unknown = 0
    public private(set) var disasters: [Disaster: Int] = [:]
    /// Empty if every order ended once and all stock is accounted for.
    public private(set) var mistakes: [String] = []

    /// Plays `orders` orders of five SKUs, of which about three in four can be had, and adds up.
    ///
    /// - Parameters:
    ///   - port: the server's, on the loopback interface. Its ledger is empty.
    ///   - direct: asks the server without the proxy.
    public init(orders: Int, port: Int, seed: UInt64, direct: @escaping DirectLine) async throws {
        let skus = (0..<5).map { "sku-\($0)" }
        for sku in skus { _ = try await direct("CREATE \(sku) \(orders * 3 / 10)") }
        let proxy = try await FaultyProxy(to: port, seed: seed)
        let told = try await StockadeClient.withClient(
            .tcp(host: "127.0.0.1", port: proxy.port), configuration: Self.configuration
        ) { stock in
            try await Self.play(orders, skus, seed, stock, direct)
        }
        // What is still on its way arrives before anything is added up, and must change nothing.
        try await proxy.drain()
        self.orders = told.count
        sold = told.count { $0.end == .sold }
        refused = told.count { $0.end == .refused }
        unknown = told.count(where: \.wasUnknown)
        disasters = proxy.disasters
        mistakes = told.flatMap(\.mistakes)
        try await audit(told, skus, direct)
    }

    /// Few requests at a time, so that each connection, which ends after a few pieces, carries few orders.
    private static var configuration: StockadeClient.Configuration {
        var configuration = StockadeClient.Configuration()
        configuration.stallLimit = .milliseconds(100)
        configuration.shortestPause = .milliseconds(1)
        configuration.longestPause = .milliseconds(10)
        configuration.failuresUntilUnavailable = .max
        configuration.maximumInFlight = 4
        return configuration
    }

    private static func play(
        _ orders: Int, _ skus: [String], _ seed: UInt64, _ stock: StockadeClient, _ direct: @escaping DirectLine
    ) async throws -> [Told] {
        try await withThrowingTaskGroup(of: Told.self) { group in
            var random = SeededGenerator(seed: seed)
            var all: [Told] = []
            for number in 0..<orders {
                if number >= 32, let one = try await group.next() { all.append(one) }
                let told = Told(
                    id: "o-\(number)", sku: skus[Int.random(in: 0..<skus.count, using: &random)],
                    quantity: Int64.random(in: 1...3, using: &random))
                let kind = Int.random(in: 0..<4, using: &random)
                // Some customers are in a hurry.
                let deadline = Duration.milliseconds(Int.random(in: 5...500, using: &random))
                group.addTask {
                    var shopper = Shopper(told: told, stock: stock, direct: direct, deadline: deadline)
                    try await shopper.order(kind)
                    return shopper.told
                }
            }
            for try await one in group { all.append(one) }
            return all
        }
    }

    private mutating func audit(_ told: [Told], _ skus: [String], _ direct: DirectLine) async throws {
        var sold: [String: Int64] = [:]
        for one in told {
            let state = try await direct("LOOKUP \(one.id)")
            let isTrue =
                switch one.end {
                case .sold: state.contains("state=sold") && state.hasSuffix("lines=1 \(one.sku) \(one.quantity)")
                case .refused: state.contains("state=cancelled") || state.hasPrefix("-NOORDER")
                case .cancelled: state.contains("state=cancelled")
                case .expired: state.contains("state=expired")
                }
            if !isTrue { mistakes.append("told \(one.end), but: \(state)") }
            if one.end == .sold { sold[one.sku, default: 0] += one.quantity }
        }
        for sku in skus {
            let level = try await direct("GET \(sku)")
            if !level.contains(" held=0 sold=\(sold[sku, default: 0]) ") {
                mistakes.append("told that \(sold[sku, default: 0]) are sold, but: \(level)")
            }
        }
    }
}

/// One customer.
private struct Shopper {
    var told: Told
    let stock: StockadeClient
    let direct: DirectLine
    let deadline: Duration

    /// Plays the order to its end.
    ///
    /// - Parameter kind: 0, 1: sold at once; 2: held and confirmed; 3: held and cancelled.
    mutating func order(_ kind: Int) async throws {
        let (stock, deadline) = (stock, deadline)
        let order = NewOrder(id: told.id, items: [.init(told.sku, told.quantity)])
        guard kind >= 2 else {
            let answer = try await certain(unchanged: "-NOORDER") {
                try await stock.deduct(order, deadline: deadline).map { _ in .sold }
            }
            if case .done(let state) = answer { told.end = state == .sold ? .sold : .cancelled }
            return
        }
        let reservation = try await certain(unchanged: "-NOORDER") {
            try await stock.reserve(order, for: .hours(1), deadline: deadline).map { _ in .held }
        }
        guard case .done(var state) = reservation else { return }
        while state == .held {
            let answer = try await certain(unchanged: "state=held") {
                kind == 2
                    ? try await stock.confirm(order: order.id, deadline: deadline).map { _ in .sold }
                    : try await stock.cancel(order: order.id, deadline: deadline).map { _ in .cancelled }
            }
            guard case .done(let next) = answer else {
                return told.mistakes.append("a hold is a promise, but \(told.id): \(answer)")
            }
            state = next
        }
        told.end = state == .sold ? .sold : state == .expired ? .expired : .cancelled
    }

    /// Makes a call; if its outcome is unknown, settles it, however often that takes.
    ///
    /// - Parameter unchanged: what LOOKUP says of the order as it was before the call.
    private mutating func certain(
        unchanged: String, _ call: () async throws -> Answer<OrderState>
    ) async throws -> Answer<OrderState> {
        while true {
            do {
                return try await call()
            } catch StockadeError.outcomeUnknown {
                told.wasUnknown = true
                while true {
                    switch try? await stock.settle(order: told.id) {
                    case .known(let order): return .done(order.state)
                    case .neverHappened: return .refused(.order(.cancelled))
                    case nil: continue
                    }
                }
            } catch StockadeError.deadlineExceeded {
                // Nothing was changed, and the call may simply be made again. (An earlier call of the same order
                // that was unknown may still be on its way, and change it now.)
                let state = try await direct("LOOKUP \(told.id)")
                if !told.wasUnknown && !state.contains(unchanged) {
                    told.mistakes.append("\(told.id) was changed, but the client said that nothing was: \(state)")
                }
            }
        }
    }
}
