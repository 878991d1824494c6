// The other half of a checkout: whoever takes the money. Like the stock server it is asked by the order's id, so that
// a question may be asked again; like any network it may not answer. FakePayments stands in for one here.

/// A payment provider, as far as a checkout needs it.
public protocol Payments: Sendable {
    /// Charges an order once. Asked again with the same order, it says what became of the first time.
    func charge(order: String, card: String) async throws(PaymentError) -> PaymentOutcome

    /// What became of an order's charge; `nil`: there was none.
    func outcome(of order: String) async throws(PaymentError) -> PaymentOutcome?

    /// Pays back what was charged. Asked again, it pays back nothing more.
    func refund(order: String) async throws(PaymentError)
}

/// How a charge ended.
public enum PaymentOutcome: Sendable, Equatable {
    case paid
    case declined(reason: String)
    case refunded
}

/// The provider did not answer the question.
public enum PaymentError: Error, Sendable, Equatable, CustomStringConvertible {
    /// It was not reached: nothing was charged.
    case unavailable
    /// It was asked and did not answer in time: the card may have been charged.
    case timedOut

    public var description: String {
        switch self {
        case .unavailable: "the payment provider is not reachable"
        case .timedOut: "the payment provider did not answer"
        }
    }
}

/// A payment provider in memory, whose customers choose by their card what goes wrong:
///
/// | card | the first charge | asked again |
/// |---|---|---|
/// | `declined` | is declined | is declined |
/// | `slow` | is taken, but the answer is lost | is known to be taken |
/// | `down` | finds nobody | is taken |
/// | any other | is taken | is known to be taken |
public actor FakePayments: Payments {
    private var outcomes: [String: PaymentOutcome] = [:]
    private var met: Set<String> = []
    /// Charges that were taken and not paid back.
    public private(set) var charges = 0
    /// As long as it is set, nobody is answered.
    private var isSilent = false

    public init() {}

    /// Makes the provider answer nobody, or everybody again.
    public func fallSilent(_ silent: Bool) {
        isSilent = silent
    }

    public func charge(order: String, card: String) async throws(PaymentError) -> PaymentOutcome {
        if isSilent { throw .timedOut }
        if let outcome = outcomes[order] { return outcome }
        let isFirst = met.insert(order).inserted
        if card == "down", isFirst { throw .unavailable }
        if card == "declined" {
            outcomes[order] = .declined(reason: "card-declined")
            return .declined(reason: "card-declined")
        }
        outcomes[order] = .paid
        charges += 1
        if card == "slow" { throw .timedOut }
        return .paid
    }

    public func outcome(of order: String) async throws(PaymentError) -> PaymentOutcome? {
        if isSilent { throw .timedOut }
        return outcomes[order]
    }

    public func refund(order: String) async throws(PaymentError) {
        if isSilent { throw .timedOut }
        guard outcomes[order] == .paid else { return }
        outcomes[order] = .refunded
        charges -= 1
    }
}
