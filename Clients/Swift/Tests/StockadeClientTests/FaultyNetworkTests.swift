// Many orders through a network that misbehaves. Whatever it does, each order ends done once, refused, or unknown and
// then settled; what the client was told is added up and compared with what the ledger counted.

import Foundation
import StockadeClient
import StockadeTesting
import Testing

/// What one order came to, by what the client was told.
private struct Told: Sendable {
    enum End: Sendable, Equatable { case sold, refused, cancelled, expired }
    var id: String
    var sku: String
    var quantity: Int64
    var end: End
    var wasUnknown: Bool
}

@Suite("A faulty network", .serialized, .timeLimit(.minutes(20)))
struct FaultyNetworkTests {
    /// STOCKADE_THOROUGH=1 asks for ten times as many.
    private static let orders =
        ProcessInfo.processInfo.environment["STOCKADE_THOROUGH"] == "1" ? 10_000 : 1_000

    @Test("Every order ends done once, refused, or unknown and then settled; stock is conserved", arguments: [1, 2] as [UInt64])
    func conservation(_ seed: UInt64) async throws {
        let orders = Self.orders / 2
        let skus = (0..<5).map { "sku-\($0)" }
        try await StockadeTestServer.withServer { server in
            // About three in four orders can be had, so that refusals and successes mix.
            for sku in skus { server.send("CREATE \(sku) \(orders * 3 / 10)") }
            let proxy = try await FaultyProxy(to: server, seed: seed)
            var configuration = StockadeClient.Configuration()
            configuration.stallLimit = .milliseconds(100)
            configuration.shortestPause = .milliseconds(1)
            configuration.longestPause = .milliseconds(10)
            configuration.failuresUntilUnavailable = .max
            // Few at a time, so that each connection, which ends after a few pieces, carries few orders.
            configuration.maximumInFlight = 4
            let told = try await StockadeClient.withClient(
                .tcp(host: "127.0.0.1", port: proxy.port), configuration: configuration
            ) { stock in
                try await withThrowingTaskGroup(of: Told.self) { group in
                    var random = SeededRandom(seed: seed)
                    var all: [Told] = []
                    for number in 0..<orders {
                        if number >= 32, let one = try await group.next() { all.append(one) }
                        let sku = skus[Int.random(in: 0..<skus.count, using: &random)]
                        let quantity = Int64.random(in: 1...3, using: &random)
                        let kind = Int.random(in: 0..<4, using: &random)
                        // Some customers are in a hurry.
                        let deadline = Duration.milliseconds(Int.random(in: 5...500, using: &random))
                        group.addTask {
                            try await Self.order("o-\(number)", sku, quantity, kind, stock, server, deadline)
                        }
                    }
                    for try await one in group { all.append(one) }
                    return all
                }
            }
            // What is still on its way arrives before anything is added up, and must change nothing.
            try await proxy.drain()
            let disasters = proxy.disasters
            #expect(told.count == orders)
            for disaster in Disaster.allCases { #expect(disasters[disaster, default: 0] > 0, "\(disaster)") }
            var sold: [String: Int64] = [:]
            for one in told {
                let state = server.send("LOOKUP \(one.id)")
                switch one.end {
                case .sold:
                    sold[one.sku, default: 0] += one.quantity
                    #expect(state.contains("state=sold"), "\(one): \(state)")
                    #expect(state.hasSuffix("lines=1 \(one.sku) \(one.quantity)"), "\(one): \(state)")
                case .refused: #expect(state.contains("state=cancelled") || state.hasPrefix("-NOORDER"), "\(one): \(state)")
                case .cancelled: #expect(state.contains("state=cancelled"), "\(one): \(state)")
                case .expired: #expect(state.contains("state=expired"), "\(one): \(state)")
                }
            }
            for sku in skus {
                let level = server.send("GET \(sku)")
                #expect(level.contains(" held=0 sold=\(sold[sku, default: 0]) "), "\(level), told \(sold[sku, default: 0])")
            }
            #expect(server.brokenLaw() == nil)
            #expect(told.contains { $0.end == .sold } && told.contains { $0.end == .refused })
            print("seed \(seed): \(told.filter(\.wasUnknown).count) of \(orders) were unknown for a while; \(disasters)")
        }
    }

    /// One order, to its end.
    ///
    /// - Parameter kind: 0, 1: sold at once; 2: held and confirmed; 3: held and cancelled.
    private static func order(
        _ id: String, _ sku: String, _ quantity: Int64, _ kind: Int, _ stock: StockadeClient,
        _ server: StockadeTestServer, _ deadline: Duration
    ) async throws -> Told {
        var told = Told(id: id, sku: sku, quantity: quantity, end: .refused, wasUnknown: false)
        let new = NewOrder(id: id, items: [.init(sku, quantity)])
        guard kind >= 2 else {
            switch try await certain(id, &told, stock, { server.send("LOOKUP \(id)").hasPrefix("-NOORDER") }, { try await stock.deduct(new, deadline: deadline).map { _ in .sold } }) {
            case .done(let state): told.end = state == .sold ? .sold : .cancelled
            case .refused: break
            }
            return told
        }
        switch try await certain(id, &told, stock, { server.send("LOOKUP \(id)").hasPrefix("-NOORDER") }, { try await stock.reserve(new, for: .hours(1), deadline: deadline).map { _ in .held } }) {
        case .refused: return told
        case .done(.cancelled):
            told.end = .cancelled
            return told
        case .done: break
        }
        var state = OrderState.held
        while state == .held {
            let answer = try await certain(id, &told, stock, { server.send("LOOKUP \(id)").contains("state=held") }) {
                kind == 2
                    ? try await stock.confirm(order: id, deadline: deadline).map { _ in .sold }
                    : try await stock.cancel(order: id, deadline: deadline).map { _ in .cancelled }
            }
            guard case .done(let next) = answer else {
                Issue.record("a hold is a promise, but \(id): \(answer)")
                return told
            }
            state = next
        }
        told.end = state == .sold ? .sold : .cancelled
        return told
    }

    /// Makes a call; if its outcome is unknown, settles it, however often that takes.
    ///
    /// - Parameter isUnchanged: whether the ledger shows the order as it was before the call.
    private static func certain(
        _ id: String, _ told: inout Told, _ stock: StockadeClient, _ isUnchanged: () -> Bool,
        _ call: () async throws -> Answer<OrderState>
    ) async throws -> Answer<OrderState> {
        while true {
            do {
                return try await call()
            } catch StockadeError.outcomeUnknown {
                told.wasUnknown = true
                while true {
                    switch try? await stock.settle(order: id) {
                    case .known(let order): return .done(order.state)
                    case .neverHappened: return .refused(.order(.cancelled))
                    case nil: continue
                    }
                }
            } catch StockadeError.deadlineExceeded {
                // Nothing was changed, and the call may simply be made again. (An earlier call of the same order
                // that was unknown may still be on its way, and change it now.)
                #expect(told.wasUnknown || isUnchanged(), "\(id) was changed, but the client said that nothing was")
            }
        }
    }
}
