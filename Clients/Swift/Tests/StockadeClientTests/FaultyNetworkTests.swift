// Many orders through a network that misbehaves, against the test server. The same sale against the real executable is
// in Tests/EndToEndTests/Client.

import FaultyNetwork
import Foundation
import StockadeClient
import StockadeTesting
import Testing

@Suite("A faulty network", .serialized, .timeLimit(.minutes(20)))
struct FaultyNetworkTests {
    /// STOCKADE_THOROUGH=1 asks for ten times as many.
    private static let orders =
        ProcessInfo.processInfo.environment["STOCKADE_THOROUGH"] == "1" ? 10_000 : 1_000

    @Test(
        "Every order ends done once, refused, or unknown and then settled; stock is conserved",
        arguments: [1, 2] as [UInt64])
    func conservation(_ seed: UInt64) async throws {
        try await StockadeTestServer.withServer { server in
            let port = try #require(server.address.split(separator: ":").last.flatMap { Int($0) })
            let sale = try await FaultySale(orders: Self.orders / 2, port: port, seed: seed) { server.send($0) }
            #expect(sale.mistakes.isEmpty, "\(sale.mistakes.prefix(10))")
            #expect(sale.orders == Self.orders / 2)
            for disaster in Disaster.allCases { #expect(sale.disasters[disaster, default: 0] > 0, "\(disaster)") }
            #expect(sale.sold > 0 && sale.refused > 0)
            #expect(server.brokenLaw() == nil)
            print("seed \(seed): \(sale.unknown) of \(sale.orders) were unknown for a while; \(sale.disasters)")
        }
    }
}
