// The shop's own books: what was sold, given back and refused, kept from the replies alone and with none of the
// server's code, so that they can stand against its counters at the end.

import StockConnection

/// What the replies of a rehearsal add up to.
public struct Account: Sendable {
    /// One SKU. Units.
    public struct SKU: Equatable, Sendable {
        public let opening: Int64
        /// In confirmed orders, returns not taken off.
        public var sold: Int64 = 0
        /// Given back by RETURN.
        public var returned: Int64 = 0
        /// Given back by ADJUST: no earlier order had it.
        public var restocked: Int64 = 0
        /// Held in orders that were never confirmed.
        public var abandoned: Int64 = 0
        /// Asked for in orders that were refused because of this SKU.
        public var refused: Int64 = 0

        public init(opening: Int64) { self.opening = opening }

        /// What the server must have on hand when no order is open.
        public var onhand: Int64 { opening - sold + returned + restocked }
        /// What the server must count as sold.
        public var netSold: Int64 { sold - returned }
    }

    /// By their names in the file.
    public private(set) var skus: [String: SKU]
    public private(set) var held = 0
    public private(set) var sold = 0
    public private(set) var abandoned = 0
    public private(set) var returns = 0
    public private(set) var restocks = 0
    /// Orders by the word that refused them: `SOLDOUT`.
    public private(set) var refused: [String: Int] = [:]
    /// Requests that were sent a second time on purpose, and were answered alike.
    public private(set) var repeated = 0
    /// Requests whose reply never came: sent again on a new connection.
    public internal(set) var resent = 0
    /// Requests that the server asked to send later.
    public internal(set) var postponed = 0
    /// Replies that must not be.
    public private(set) var wrongReplies = 0
    /// The first of them, each with its request.
    public private(set) var wrongExamples: [String] = []

    static let mostExamples = 10

    public init(opening: [String: Int64]) { skus = opening.mapValues { SKU(opening: $0) } }

    public var refusedOrders: Int { refused.values.reduce(0, +) }

    /// The sum of one counter over all SKUs.
    public func total(_ counter: KeyPath<SKU, Int64>) -> Int64 { skus.values.reduce(0) { $0 &+ $1[keyPath: counter] } }

    mutating func hold(_ lines: [OrderHistory.Line], isAbandoned: Bool) {
        held += 1
        guard isAbandoned else { return }
        abandoned += 1
        for line in lines { skus[line.sku]?.abandoned += line.quantity }
    }

    mutating func sell(_ lines: [OrderHistory.Line]) {
        sold += 1
        for line in lines { skus[line.sku]?.sold += line.quantity }
    }

    /// - Parameter sku: the one that the refusal names, if it does.
    mutating func refuse(_ word: String, of lines: [OrderHistory.Line], because sku: String?) {
        refused[word, default: 0] += 1
        guard let sku else { return }
        for line in lines where line.sku == sku { skus[sku]?.refused += line.quantity }
    }

    mutating func giveBack(_ units: Int64, of sku: String) {
        returns += 1
        skus[sku]?.returned += units
    }

    mutating func restock(_ units: Int64, of sku: String) {
        restocks += 1
        skus[sku]?.restocked += units
    }

    mutating func repeatWasAlike() { repeated += 1 }

    mutating func wrong(_ reply: ReplyLine, to request: String) {
        wrongReplies += 1
        guard wrongExamples.count < Self.mostExamples else { return }
        wrongExamples.append("\(request.prefix(120)): \(reply.text.prefix(120))")
    }
}
