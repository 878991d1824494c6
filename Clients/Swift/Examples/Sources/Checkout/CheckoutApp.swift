// Puts the parts together: one service group runs the client and the web server, and stops them in the right order:
// first the web server, which ends its requests, then the client that they used.

import Hummingbird
import Logging
import StockadeClient

/// Makes the service.
///
/// - Parameters:
///   - stock: not yet running; the application runs it.
///   - port: 0 takes any that is free.
public func makeCheckoutApp(
    stock: StockadeClient, payments: any Payments, holdTime: HoldTime = .minutes(15), port: Int = 8080,
    logger: Logger = Logger(label: "checkout")
) -> some ApplicationProtocol {
    let router = Router()
    CheckoutRoutes(checkout: Checkout(stock: stock, payments: payments, holdTime: holdTime)).add(to: router)
    return Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), services: [stock],
        logger: logger)
}
