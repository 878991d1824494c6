// The checkout itself, without HTTP: hold the goods, take the payment, sell or give back. Two parties can fail to
// answer, the stock server and the payment provider; whatever happens, the same call with the same order may simply
// be made again, because both know an order by its id. That is all there is to being correct here: no outbox, no
// scheduled job, no state of our own.

import StockadeClient

/// How a checkout ended.
public enum Ending: Sendable, Equatable {
    /// Paid and sold.
    case sold
    /// The stock says no, and the customer has not been charged (or has been paid back).
    case refused(Refusal)
    /// The payment provider says no; the goods are on sale again.
    case declined(reason: String)
    /// It is not known yet: ask again with the same order. The goods stay held meanwhile.
    case open(why: String)
    /// Nothing was changed, and it may be tried again later.
    case unavailable(why: String)
    /// The order can never be placed: its id or its items are not of a form that the server takes.
    case invalid(why: String)
}

/// Places orders.
public struct Checkout: Sendable {
    private let stock: StockadeClient
    private let payments: any Payments
    private let holdTime: HoldTime

    /// - Parameter holdTime: how long goods wait for their payment.
    public init(stock: StockadeClient, payments: any Payments, holdTime: HoldTime = .minutes(15)) {
        self.stock = stock
        self.payments = payments
        self.holdTime = holdTime
    }

    /// Takes an order as far as it goes now. Called again with the same order it goes on from there.
    public func place(_ order: NewOrder, card: String) async -> Ending {
        let reservation: Answer<Hold>
        do { reservation = try await stock.reserve(order, for: holdTime) } catch { return Ending(error) }
        // From here on money may be at stake, so whatever fails leaves the matter open.
        do {
            switch reservation {
            case .done(let hold) where hold.isConfirmed: return .sold
            case .done(let hold): return try await pay(hold, card: card)
            case .refused(.order(.expired)), .refused(.order(.cancelled)): return try await reopen(order.id)
            case .refused(let refusal): return .refused(refusal)
            }
        } catch {
            return .open(why: "\(error)")
        }
    }

    private func pay(_ hold: Hold, card: String) async throws -> Ending {
        switch try await payments.charge(order: hold.order, card: card) {
        case .paid: return try await deliver(hold)
        case .refunded: return .refused(.order(.cancelled))
        case .declined(let reason):
            // If this fails, nothing is lost: the hold runs out by itself.
            _ = try? await hold.cancel(reason: "payment-declined")
            return .declined(reason: reason)
        }
    }

    /// The customer has paid. If the hold has run out meanwhile the goods are taken again, or the money goes back.
    private func deliver(_ hold: Hold) async throws -> Ending {
        switch try await hold.confirm(late: true) {
        case .done: return .sold
        case .refused(let refusal):
            try await payments.refund(order: hold.order)
            return .refused(refusal)
        }
    }

    /// An order that is asked for again after its hold has ended: what was said about its payment?
    private func reopen(_ order: String) async throws -> Ending {
        switch try await payments.outcome(of: order) {
        case .paid: return try await deliver(stock.hold(order: order))
        case .declined(let reason): return .declined(reason: reason)
        case .refunded, nil: return .refused(.order(.expired))
        }
    }

    /// Shows an order; `nil`: there is none.
    public func look(at order: String) async throws(StockadeError) -> Order? {
        try await stock.lookup(order: order).value
    }
}

extension Ending {
    /// Of all that can go wrong with a reservation, one error leaves a question open; after the others nothing has
    /// changed.
    init(_ error: StockadeError) {
        switch error {
        case .outcomeUnknown(_, let why): self = .open(why: why)
        case .invalid(let why): self = .invalid(why: why)
        default: self = .unavailable(why: error.description)
        }
    }
}
