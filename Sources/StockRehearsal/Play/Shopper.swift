// One client of a rehearsal, without its connection: which request comes next, and what a reply means. It keeps one
// request in flight, so the orders of a buyer, who stays with one shopper, happen in the order of the file.

import StockConnection

/// The orders of one client, on their way from RESERVE to CONFIRM, and its goods that come back.
struct Shopper {
    /// What all shoppers of a rehearsal share.
    struct Rules {
        let run: String
        let prefix: String
        let abandon: Share
        let retry: Share
        let chance: Chance
        /// Seconds.
        let hold: Int
        /// Milliseconds.
        let abandonedHold: Int

        init(_ options: RehearsalOptions) {
            (run, prefix) = (options.run, options.skuPrefix)
            (abandon, retry, chance) = (options.abandon, options.retry, Chance(seed: options.seed))
            (hold, abandonedHold) = (options.hold, options.abandonedHold)
        }
    }

    /// One request for all of `lines`.
    struct Purchase {
        let id: String
        let buyer: String
        let lines: [OrderHistory.Line]
        let isAbandoned: Bool
    }

    enum Step {
        case reserve(Purchase)
        case confirm(Purchase)
        /// Becomes returns and a restock once it is its turn, for it depends on what was sold until then.
        case giveBack(OrderHistory.Line, order: String, buyer: String)
        case handIn(id: String, order: String, sku: String, units: Int64)
        case restock(id: String, sku: String, units: Int64)
        /// The request once more; it must be answered like the first time.
        case again(request: String, firstReply: ReplyLine, mayHaveExpired: Bool)
    }

    /// What became of the request in flight.
    enum Verdict: Equatable {
        case done
        /// Nothing was done; the same request is to be sent later.
        case later
        /// The server cannot play.
        case hopeless
    }

    private let rules: Rules
    /// In the order of the file.
    private let orders: [OrderHistory.Order]
    private var begun = 0
    /// What the present order still needs, the next one last.
    private var steps: [Step] = []
    private var book = SalesBook()
    private var returnNumber = 0
    /// The request in flight.
    private var current: (step: Step, request: String)?
    /// The request in flight may have been carried out before: its first reply was lost.
    private var isUncertain = false

    init(_ orders: [OrderHistory.Order], rules: Rules) {
        self.orders = orders
        self.rules = rules
    }

    // MARK: Asking

    /// Orders that have nothing more to do.
    var finished: Int { current == nil && steps.isEmpty ? begun : begun - 1 }

    /// Nothing is in flight, and nothing is left of the orders that were begun.
    var isBetweenOrders: Bool { current == nil && steps.isEmpty }

    /// When the next order is due, in milliseconds of the file's time; nil after the last.
    var nextOffset: Int64? { begun < orders.count ? orders[begun].offset : nil }

    /// The next request, now in flight; nil when nothing is to be asked at `position` of the file's time.
    ///
    /// - Parameter now: Unix milliseconds, for `born=`.
    mutating func next(at position: Int64, now: Int64) -> String? {
        while true {
            if let step = steps.popLast() {
                guard let request = request(for: step, now: now) else { continue }
                current = (step, request)
                isUncertain = false
                return request
            }
            guard let offset = nextOffset, offset <= position else { return nil }
            begin(orders[begun])
            begun += 1
        }
    }

    var currentRequest: String? { current?.request }

    /// The request in flight, to be sent once more because its reply was lost.
    mutating func resend() -> String? {
        isUncertain = true
        return current?.request
    }

    private mutating func begin(_ order: OrderHistory.Order) {
        let isAbandoned = rules.chance.happens(rules.abandon, to: "abandon \(order.id)")
        returnNumber = 0
        var plan: [Step] = order.parts.enumerated().map { part, lines in
            let id = "\(rules.run)/\(OrderHistory.id(of: order.id, part: part))"
            return .reserve(Purchase(id: id, buyer: order.buyer, lines: lines, isAbandoned: isAbandoned))
        }
        plan += order.returns.map { .giveBack($0, order: order.id, buyer: order.buyer) }
        steps = plan.reversed()
    }

    /// nil for a step that only makes others.
    private mutating func request(for step: Step, now: Int64) -> String? {
        switch step {
        case .reserve(let purchase):
            let pairs = purchase.lines.map { "\(rules.prefix)\($0.sku) \($0.quantity)" }.joined(separator: " ")
            let ttl = purchase.isAbandoned ? "\(rules.abandonedHold)ms" : "\(rules.hold)s"
            let buyer = purchase.buyer.isEmpty ? "" : " buyer=\(purchase.buyer)"
            return "RESERVE \(purchase.id) \(ttl) \(pairs)\(buyer) born=\(now)"
        case .confirm(let purchase):
            return "CONFIRM \(purchase.id)"
        case .giveBack(let line, let order, let buyer):
            var left = line.quantity
            var plan: [Step] = []
            for match in book.take(line.quantity, of: line.sku, from: buyer) {
                left -= match.units
                plan.append(.handIn(id: returnID(order), order: match.order, sku: line.sku, units: match.units))
            }
            if left > 0 { plan.append(.restock(id: returnID(order), sku: line.sku, units: left)) }
            steps += plan.reversed()
            return nil
        case .handIn(let id, let order, let sku, let units):
            return "RETURN \(id) \(order) \(rules.prefix)\(sku) \(units)"
        case .restock(let id, let sku, let units):
            return "ADJUST \(id) \(rules.prefix)\(sku) \(units) reason=return"
        case .again(let request, _, _):
            return request
        }
    }

    private mutating func returnID(_ order: String) -> String {
        returnNumber += 1
        return "\(rules.run)/\(order)-return-\(returnNumber)"
    }

    // MARK: Being answered

    /// Takes the reply to the request in flight into the books.
    mutating func take(_ reply: ReplyLine, into account: inout Account) -> Verdict {
        guard let (step, request) = current else { return .done }
        switch reply.text.prefix(while: { $0 != " " }) {
        case "-BUSY", "-SLOWDOWN": return .later
        case "-NOAUTH", "-DENIED", "-READONLY", "-UNKNOWN": return .hopeless
        default: break
        }
        current = nil
        let isFirst = isUncertain || !reply.isReplay
        switch (step, String(reply.word)) {
        case (.again(_, let first, let mayHaveExpired), let word):
            let isAlike =
                reply.text.first == first.text.first && word == first.word && reply.positional == first.positional
                && reply.isReplay && reply["seq"] == first["seq"]
            if isAlike || (mayHaveExpired && word == "EXPIRED") {
                account.repeatWasAlike()
            } else {
                account.wrong(reply, to: request)
            }
        case (.reserve(let purchase), "HELD") where !reply.isRefusal && isFirst:
            account.hold(purchase.lines, isAbandoned: purchase.isAbandoned)
            if !purchase.isAbandoned { steps.append(.confirm(purchase)) }
            perhapsAgain(request, reply, mayHaveExpired: purchase.isAbandoned)
        case (.reserve(let purchase), "EXPIRED") where isUncertain && purchase.isAbandoned:
            // It was held, the reply was lost, and meanwhile it ran out.
            account.hold(purchase.lines, isAbandoned: true)
        case (.reserve(let purchase), let word) where reply.isRefusal:
            account.refuse(word, of: purchase.lines, because: skuNamed(by: reply))
        case (.confirm(let purchase), "SOLD") where !reply.isRefusal && isFirst:
            account.sell(purchase.lines)
            let units = purchase.lines.reduce(into: [:]) { $0[$1.sku, default: 0] += $1.quantity }
            book.add(order: purchase.id, buyer: purchase.buyer, units: units)
            perhapsAgain(request, reply)
        case (.confirm(let purchase), "EXPIRED"):
            account.refuse("EXPIRED", of: purchase.lines, because: nil)
        case (.handIn(_, _, let sku, let units), "RETURNED") where !reply.isRefusal && isFirst:
            account.giveBack(units, of: sku)
            perhapsAgain(request, reply)
        case (.restock(_, let sku, let units), "ADJUSTED") where !reply.isRefusal && isFirst:
            account.restock(units, of: sku)
            perhapsAgain(request, reply)
        default:
            account.wrong(reply, to: request)
        }
        return .done
    }

    /// Chance asks by verb and id without the run, so that a seed makes the same choice in each run.
    private mutating func perhapsAgain(_ request: String, _ reply: ReplyLine, mayHaveExpired: Bool = false) {
        let words = request.split(separator: " ", maxSplits: 2)
        guard words.count > 1, rules.chance.happens(rules.retry, to: "\(words[0]) \(words[1].dropFirst(rules.run.count))")
        else { return }
        steps.append(.again(request: request, firstReply: reply, mayHaveExpired: mayHaveExpired))
    }

    /// The SKU in a refusal such as `-SOLDOUT sku want=…`, by its name in the file.
    private func skuNamed(by reply: ReplyLine) -> String? {
        guard let name = reply.positional.first, name.hasPrefix(rules.prefix) else { return nil }
        return String(name.dropFirst(rules.prefix.count))
    }
}
