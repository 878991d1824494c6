// The checkout over HTTP, with the real ledger behind it (StockadeTestServer), a payment provider that is told what
// to do, and networks that fail to order.

import Checkout
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import StockadeClient
import StockadeTesting
import Testing

/// One checkout service and the two parties that it talks to.
struct Shop: Sendable {
    let http: any TestClientProtocol
    let server: StockadeTestServer
    let payments: FakePayments

    /// What an HTTP request was answered.
    struct Answer: Equatable {
        var status: Int
        var state: String?
        var reason: String?
        var retryAfter: String?
    }

    /// `POST /orders`.
    func buy(_ key: String?, _ body: String) async throws -> Answer {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let key, let name = HTTPField.Name("Idempotency-Key") { headers[name] = key }
        return try await http.execute(
            uri: "/orders", method: .post, headers: headers, body: ByteBuffer(string: body)
        ) { response in
            let json = try? JSONSerialization.jsonObject(with: Data(response.body.readableBytesView)) as? [String: Any]
            return Answer(
                status: response.status.code, state: json?["state"] as? String, reason: json?["reason"] as? String,
                retryAfter: response.headers[.retryAfter])
        }
    }

    /// Two phones, paid with `card`.
    func buyPhones(_ key: String?, card: String = "visa") async throws -> Answer {
        try await buy(key, #"{"buyer":"ann","items":[{"sku":"phone","quantity":2}],"card":"\#(card)"}"#)
    }

    /// `GET /orders/id`: status and body.
    func look(_ id: String) async throws -> (Int, String) {
        try await http.execute(uri: "/orders/\(id)", method: .get) { ($0.status.code, String(buffer: $0.body)) }
    }

    /// The counters of the phones.
    var phones: String {
        server.send("GET phone").split(separator: " ")
            .filter { $0.hasPrefix("available=") || $0.hasPrefix("held=") || $0.hasPrefix("sold=") }
            .joined(separator: " ")
    }
}

/// Runs `body` with a shop that has three phones.
func withShop(_ body: @Sendable (Shop) async throws -> Void) async throws {
    try await StockadeTestServer.withServer { server in
        server.send("CREATE phone 3")
        var configuration = StockadeClient.Configuration()
        // So that the tests of what does not answer take no five seconds.
        configuration.deadline = .milliseconds(800)
        configuration.stallLimit = .milliseconds(200)
        configuration.longestPause = .milliseconds(50)
        configuration.failuresUntilUnavailable = 3
        let payments = FakePayments()
        let app = makeCheckoutApp(
            stock: StockadeClient(ServerAddress(server.address), configuration: configuration), payments: payments,
            logger: Logger(label: "checkout", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await app.test(.router) { http in
            try await body(Shop(http: http, server: server, payments: payments))
        }
        #expect(server.brokenLaw() == nil)
    }
}

@Suite("The checkout", .timeLimit(.minutes(2)))
struct CheckoutTests {
    @Test("A paid order is sold, and shown")
    func sold() async throws {
        try await withShop { shop async throws in
            #expect(try await shop.buyPhones("o-1") == .init(status: 200, state: "sold"))
            #expect(shop.phones == "available=1 held=0 sold=2")
            let (status, body) = try await shop.look("o-1")
            #expect(status == 200 && body.contains(#""state":"sold""#) && body.contains(#""phone":2"#))
            let (unknown, _) = try await shop.look("o-9")
            #expect(unknown == 404)
        }
    }

    @Test("What the stock refuses is a conflict with a reason, and costs nothing")
    func refused() async throws {
        try await withShop { shop async throws in
            _ = try await shop.buyPhones("o-1")
            #expect(try await shop.buyPhones("o-2") == .init(status: 409, state: "refused", reason: "too-few"))
            shop.server.send("DEDUCT o-3 phone 1")
            #expect(try await shop.buyPhones("o-4") == .init(status: 409, state: "refused", reason: "sold-out"))
            let nosuch = try await shop.buy("o-5", #"{"items":[{"sku":"moon"}],"card":"visa"}"#)
            #expect(nosuch == .init(status: 409, state: "refused", reason: "no-such-article"))
            #expect(await shop.payments.charges == 1)
        }
    }

    @Test("A declined payment puts the goods back on sale, and stays declined")
    func declined() async throws {
        try await withShop { shop async throws in
            let declined = Shop.Answer(status: 402, state: "declined", reason: "card-declined")
            #expect(try await shop.buyPhones("o-1", card: "declined") == declined)
            #expect(shop.phones == "available=3 held=0 sold=0")
            #expect(try await shop.buyPhones("o-1", card: "visa") == declined)
            #expect(try await shop.buyPhones("o-2") == .init(status: 200, state: "sold"))
            #expect(await shop.payments.charges == 1)
        }
    }

    @Test("The same key twice is one order and one payment; with other goods it is refused")
    func sameKey() async throws {
        try await withShop { shop async throws in
            #expect(try await shop.buyPhones("o-1").status == 200)
            #expect(try await shop.buyPhones("o-1").status == 200)
            let other = try await shop.buy("o-1", #"{"buyer":"ann","items":[{"sku":"phone"}],"card":"visa"}"#)
            #expect(other == .init(status: 409, state: "refused", reason: "key-used-for-another-order"))
            #expect(shop.phones == "available=1 held=0 sold=2")
            #expect(await shop.payments.charges == 1)
        }
    }

    @Test("Two requests with the same key at the same moment are one order")
    func sameKeyTogether() async throws {
        try await withShop { shop async throws in
            async let one = shop.buyPhones("o-1")
            async let two = shop.buyPhones("o-1")
            let statuses = try await [one.status, two.status]
            #expect(statuses == [200, 200])
            #expect(shop.phones == "available=1 held=0 sold=2")
            #expect(await shop.payments.charges == 1)
        }
    }

    @Test("While it is not known whether the customer has paid, the goods stay held; asked again, the order is sold")
    func paymentUnknown() async throws {
        try await withShop { shop async throws in
            let open = Shop.Answer(status: 202, state: "open", retryAfter: "1")
            #expect(try await shop.buyPhones("o-1", card: "slow") == open)
            #expect(shop.phones == "available=1 held=2 sold=0")
            await shop.payments.fallSilent(true)
            #expect(try await shop.buyPhones("o-1", card: "slow") == open)
            #expect(shop.phones == "available=1 held=2 sold=0")
            await shop.payments.fallSilent(false)
            #expect(try await shop.buyPhones("o-1", card: "slow").status == 200)
            #expect(shop.phones == "available=1 held=0 sold=2")
            #expect(await shop.payments.charges == 1)
        }
    }

    @Test("A payment that turns up after the hold has run out takes the goods again, or goes back")
    func latePayment() async throws {
        try await withShop { shop async throws in
            for key in ["o-1", "o-2"] { _ = try await shop.buy(key, #"{"items":[{"sku":"phone"}],"card":"slow"}"#) }
            _ = try await shop.buy("o-3", #"{"items":[{"sku":"phone"}],"card":"down"}"#)
            shop.server.advance(by: .seconds(3_600))
            #expect(shop.phones == "available=3 held=0 sold=0")
            shop.server.send("DEDUCT o-4 phone 2")
            #expect(try await shop.buy("o-1", #"{"items":[{"sku":"phone"}],"card":"slow"}"#).status == 200)
            let late = try await shop.buy("o-2", #"{"items":[{"sku":"phone"}],"card":"slow"}"#)
            #expect(late == .init(status: 409, state: "refused", reason: "sold-out"))
            let unpaid = try await shop.buy("o-3", #"{"items":[{"sku":"phone"}],"card":"down"}"#)
            #expect(unpaid == .init(status: 409, state: "refused", reason: "expired"))
            #expect(await shop.payments.charges == 1)
            #expect(shop.phones == "available=0 held=0 sold=3")
        }
    }

    @Test("A reply that the network loses is nobody's concern")
    func lostReplies() async throws {
        try await withShop { shop async throws in
            shop.server.order(.dropReply, on: "RESERVE")
            shop.server.order(.reset, on: "CONFIRM")
            #expect(try await shop.buyPhones("o-1") == .init(status: 200, state: "sold"))
            #expect(shop.phones == "available=1 held=0 sold=2")
        }
    }

    @Test("A paid order whose sale cannot be confirmed is open, and sold when asked again")
    func confirmationUnknown() async throws {
        try await withShop { shop async throws in
            shop.server.order(.dropReply, on: "CONFIRM", count: 10_000)
            shop.server.order(.dropReply, on: "LOOKUP", count: 10_000)
            #expect(try await shop.buyPhones("o-1") == .init(status: 202, state: "open", retryAfter: "1"))
            shop.server.clearFaults()
            var again = try await shop.buyPhones("o-1")
            // Until a connection has answered again, the client does not wait for the server.
            while again.status == 503 { again = try await shop.buyPhones("o-1") }
            #expect(again == .init(status: 200, state: "sold"))
            #expect(shop.phones == "available=1 held=0 sold=2")
            #expect(await shop.payments.charges == 1)
        }
    }

    @Test("Without a stock server nothing is charged, and the customer is asked to come back")
    func serverAway() async throws {
        try await withShop { shop async throws in
            await shop.server.stop()
            let answer = try await shop.buyPhones("o-1")
            #expect(answer.status == 503 && answer.retryAfter == "1")
            let (status, _) = try await shop.look("o-1")
            #expect(status == 503)
            #expect(await shop.payments.charges == 0)
        }
    }

    @Test("What can never be an order is a bad request")
    func malformed() async throws {
        try await withShop { shop async throws in
            #expect(try await shop.buyPhones(nil).status == 400)
            #expect(try await shop.buyPhones("two words").status == 400)
            #expect(try await shop.buy("o-1", "{").status == 400)
            #expect(try await shop.buy("o-1", #"{"items":[],"card":"visa"}"#).status == 400)
            #expect(try await shop.buy("o-1", #"{"items":[{"sku":"phone","quantity":0}],"card":"visa"}"#).status == 400)
            #expect(shop.phones == "available=3 held=0 sold=0")
        }
    }
}
