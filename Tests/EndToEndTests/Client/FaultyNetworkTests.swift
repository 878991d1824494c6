// The Swift client and the real server, with a proxy between them that splits, delays, swallows, cuts, resets and
// half-closes. The sale and its audit are those of Clients/Swift/Tests/FaultyNetwork.

import FaultyNetwork
import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("The Swift client through a faulty network", .timeLimit(.minutes(30)))
    struct FaultyNetworkTests {
        /// STOCKADE_THOROUGH=1 plays all ten thousand.
        private static let orders =
            ProcessInfo.processInfo.environment["STOCKADE_THOROUGH"] == "1" ? 10_000 : 500

        @Test("Every order ends done once, refused, or unknown and then settled, and the server says the same, also after kill -9")
        func conservation() async throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            let server = try ServerProcess(directory: data)
            guard case .tcp(_, let port) = server.address else { throw Failure("no TCP address") }
            let direct = try Direct(server.address)
            let sale = try await FaultySale(orders: Self.orders, port: Int(port), seed: 5) { try await direct.ask($0) }
            #expect(sale.mistakes.isEmpty, "\(sale.mistakes.prefix(10))\n\(server.stderr)")
            #expect(sale.orders == Self.orders)
            for disaster in Disaster.allCases { #expect(sale.disasters[disaster, default: 0] > 0, "\(disaster)") }
            #expect(sale.sold > 0 && sale.refused > 0)
            #expect(try await direct.ask("VERIFY").hasPrefix("+VERIFIED "))
            print("\(sale.unknown) of \(sale.orders) were unknown for a while; \(sale.disasters)")

            let levels = try await direct.levels()
            try server.kill()
            let again = try ServerProcess(directory: data)
            #expect(try await Direct(again.address).levels() == levels)
            #expect(try again.terminate() == .exited(0))
        }
    }
}

/// A connection beside the proxy, for one task at a time.
private actor Direct {
    private let connection: Connection

    init(_ address: Address) throws { connection = try Connection(to: address, timeout: EndToEnd.patience) }

    func ask(_ line: String) throws -> String { try connection.request(line).head.text }

    /// The counters of the sale's SKUs, without the ledger's newest sequence.
    func levels() throws -> [String] {
        try (0..<5).map { try connection.request("GET sku-\($0)").head.text.replacing(/\ seq=\d+/, with: "") }
    }
}
