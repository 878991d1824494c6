// The checkout over HTTP. The request carries an idempotency key, which becomes the order's id everywhere: whoever
// sees no answer sends the same request again, and nothing happens twice.
//
//   done        200                 the order is paid and sold
//   refused     409                 and why, in a word that a program can read; 402 when it is the payment
//   unknown     202, Retry-After    send the same request again
//   no server   503, Retry-After    the same; nothing has changed
//   malformed   400

import HTTPTypes
import Hummingbird
import StockadeClient

/// The body of `POST /orders`.
struct OrderRequest: Decodable {
    struct Item: Decodable {
        var sku: String
        var quantity: Int64?
    }

    var buyer: String?
    var items: [Item]
    var card: String
    /// When the customer first sent it, in Unix milliseconds; the same in every repetition. With it, a repetition that
    /// comes a week late is refused too, though the server has long forgotten the order.
    var placedAt: Int64?
}

/// The body of every answer about an order.
struct OrderReply: ResponseCodable, Equatable {
    var order: String
    /// `sold`, `refused`, `declined`, `open`; of `GET`, the order's state on the server.
    var state: String
    var reason: String?
    var sku: String?
    var available: Int64?
    var items: [String: Int64]?
}

struct CheckoutRoutes: Sendable {
    /// Seconds after which an open question may be asked again.
    static let patience = 1

    let checkout: Checkout

    func add(to router: Router<some RequestContext>) {
        router.post("orders") { request, context in try await place(request, context) }
        router.get("orders/:id") { _, context in try await show(context.parameters.require("id")) }
    }

    private func place(
        _ request: Request, _ context: some RequestContext
    ) async throws -> EditedResponse<OrderReply> {
        guard let key = request.headers.first(where: { $0.name.canonicalName == "idempotency-key" })?.value else {
            throw HTTPError(.badRequest, message: "the header Idempotency-Key is missing")
        }
        let body = try await request.decode(as: OrderRequest.self, context: context)
        let order = NewOrder(
            id: key, items: body.items.map { OrderItem($0.sku, $0.quantity ?? 1) }, buyer: body.buyer,
            born: body.placedAt.map(Moment.init(unixMilliseconds:)))
        let ending = await checkout.place(order, card: body.card)
        // The customer is told what to do, the operator why.
        switch ending {
        case .open(let why): context.logger.notice("order \(key) is open: \(why)")
        case .unavailable(let why): context.logger.notice("order \(key) was not taken: \(why)")
        case .sold, .refused, .declined, .invalid: break
        }
        return try Self.answer(ending, to: key)
    }

    private func show(_ id: String) async throws -> OrderReply {
        do {
            guard let order = try await checkout.look(at: id) else { throw HTTPError(.notFound) }
            let items = order.items.reduce(into: [:]) { $0[$1.sku, default: 0] += $1.quantity }
            return OrderReply(order: id, state: order.state.rawValue, items: items)
        } catch let error as StockadeError {
            if case .invalid(let why) = error { throw HTTPError(.badRequest, message: why) }
            throw Self.later
        }
    }

    static func answer(_ ending: Ending, to order: String) throws -> EditedResponse<OrderReply> {
        switch ending {
        case .sold: EditedResponse(status: .ok, response: OrderReply(order: order, state: "sold"))
        case .refused(let refusal):
            EditedResponse(status: .conflict, response: OrderReply(order: order, refused: refusal))
        case .declined(let reason):
            EditedResponse(
                status: .init(code: 402, reasonPhrase: "Payment Required"),
                response: OrderReply(order: order, state: "declined", reason: reason))
        case .open:
            EditedResponse(
                status: .accepted, headers: [.retryAfter: "\(patience)"],
                response: OrderReply(order: order, state: "open"))
        case .unavailable: throw later
        case .invalid(let why): throw HTTPError(.badRequest, message: why)
        }
    }

    private static var later: HTTPError {
        HTTPError(.serviceUnavailable, headers: [.retryAfter: "\(patience)"], message: "nothing was done, try again")
    }
}

extension OrderReply {
    /// A customer's "no" as a word for programs, with what they need to show a sentence.
    init(order: String, refused refusal: Refusal) {
        self.init(order: order, state: "refused")
        switch refusal {
        case .soldOut(let sku): (reason, self.sku, available) = ("sold-out", sku, 0)
        case .insufficient(let sku, let left, _): (reason, self.sku, available) = ("too-few", sku, left)
        case .quota(let sku, let used, let limit):
            (reason, self.sku, available) = ("buyer-limit", sku, max(0, limit - used))
        case .buyerNeeded(let sku): (reason, self.sku) = ("buyer-needed", sku)
        case .upcoming(let sku, _): (reason, self.sku) = ("not-yet", sku)
        case .ended(let sku): (reason, self.sku) = ("ended", sku)
        case .paused(let sku): (reason, self.sku) = ("paused", sku)
        case .noSuchSKU(let sku): (reason, self.sku) = ("no-such-article", sku)
        case .order(let state): reason = state.rawValue
        case .conflict: reason = "key-used-for-another-order"
        case .stale: reason = "too-old"
        default: reason = "refused"
        }
    }
}
