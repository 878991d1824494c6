// `checkout [STOCKADE-ADDRESS [HTTP-PORT]]`: the checkout service with a payment provider that is played.

import Checkout
import Hummingbird
import Logging
import StockadeClient

@main
struct CheckoutService {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let address = ServerAddress(arguments.first ?? "127.0.0.1")
        let port = arguments.dropFirst().first.flatMap(UInt16.init) ?? 8080
        let stock = StockadeClient(address, logger: Logger(label: "stockade"))
        try await makeCheckoutApp(stock: stock, payments: FakePayments(), port: Int(port)).runService()
    }
}
