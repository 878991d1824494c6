// What the clients of a test know about their orders: what they asked, and what they were told. From this
// follows which states an order may be in after a crash: exactly one when everything was answered, a few when
// a request was still on its way. The server's own counters are compared with sums over these orders.

import StockConnection

/// The clients' side of the story.
struct OrderBook {
    enum State: String { case absent, held, sold, cancelled }

    enum Verb: String { case deduct = "DEDUCT", reserve = "RESERVE", confirm = "CONFIRM", cancel = "CANCEL" }

    struct Order {
        let id: String
        /// The request that opens it; sent again, it is a retry.
        let opening: String
        /// Units by SKU.
        let units: [String: Int64]
        /// The states it may be in, as far as replies tell.
        var possible: Set<State> = [.absent]
        /// Sent, in this order, and not yet answered.
        var unanswered: [Verb] = []
        /// Those that were not answered before the server went away.
        var unclear: [Verb] = []
        /// What replies said that it was, and from which event on.
        var told: [(sequence: Int64, state: State)] = []

        var openingVerb: Verb { opening.hasPrefix("DEDUCT") ? .deduct : .reserve }
    }

    /// Units that were there before the first sale, by SKU.
    let opening: [String: Int64]
    private(set) var orders: [Order] = []
    /// The newest sequence number that any reply has shown: from then on it must never be lost.
    private(set) var newestSequence: Int64 = 0

    init(opening: [String: Int64]) { self.opening = opening }

    // MARK: Asking

    /// Begins an order and gives its index.
    mutating func add(_ verb: Verb, lines: [(sku: String, quantity: Int64)], buyer: String) -> Int {
        let id = "o-\(orders.count)"
        var units: [String: Int64] = [:]
        for line in lines { units[line.sku, default: 0] += line.quantity }
        let pairs = lines.map { "\($0.sku) \($0.quantity)" }.joined(separator: " ")
        let ttl = verb == .reserve ? "1h " : ""
        orders.append(Order(id: id, opening: "\(verb.rawValue) \(id) \(ttl)\(pairs) buyer=\(buyer)", units: units))
        return orders.count - 1
    }

    /// The request that `verb` is for an order, noted as sent.
    mutating func request(_ verb: Verb, for index: Int) -> String {
        orders[index].unanswered.append(verb)
        let order = orders[index]
        return verb == order.openingVerb ? order.opening : "\(verb.rawValue) \(order.id)"
    }

    // MARK: Being told

    /// Notes a reply to `verb`.
    ///
    /// - Throws: `Failure` when it is no possible answer.
    mutating func note(_ reply: Reply, to verb: Verb, for index: Int) throws {
        let line = reply.head
        newestSequence = max(newestSequence, line.number("seq") ?? 0)
        guard let position = orders[index].unanswered.firstIndex(of: verb) else {
            throw Failure("a reply nobody waits for: \(line)")
        }
        orders[index].unanswered.remove(at: position)
        switch line.word {
        case "SOLD" where verb != .reserve || !line.isRefusal: orders[index].possible = [.sold]
        case "HELD" where verb == .reserve: orders[index].possible = [.held]
        case "CANCELLED": orders[index].possible = [.cancelled]
        case "INSUFFICIENT", "SOLDOUT", "NOORDER":
            // A retry on another connection may have been sold since: that answer stands.
            if orders[index].possible != [.sold] { orders[index].possible = [.absent] }
        default: throw Failure("to '\(verb.rawValue) \(orders[index].id)' the server answered: \(line)")
        }
        if let sequence = line.number("seq"), let state = orders[index].possible.first {
            orders[index].told.append((sequence, state))
        }
    }

    /// The server has gone: whatever was not answered may have happened or not.
    mutating func noteCrash() {
        for index in orders.indices {
            for verb in orders[index].unanswered {
                orders[index].possible.formUnion(orders[index].possible.flatMap { Self.outcomes(of: verb, from: $0) })
            }
            orders[index].unclear = orders[index].unanswered
            orders[index].unanswered = []
        }
    }

    /// After a power cut the server stands at an earlier event: what was told of later ones must not have happened, what
    /// was told of earlier ones must, and what was not answered may.
    mutating func rewind(to sequence: Int64) {
        newestSequence = min(newestSequence, sequence)
        for index in orders.indices {
            let kept = orders[index].told.filter { $0.sequence <= sequence }
            let hasLost = kept.count < orders[index].told.count
            orders[index].told = kept
            orders[index].possible = [kept.max { $0.sequence < $1.sequence }?.state ?? .absent]
            // A client sends its next request for an order after the one before it: when a later event is lost, what was
            // still on its way then came later still.
            guard !hasLost else { continue }
            for verb in orders[index].unclear {
                orders[index].possible.formUnion(orders[index].possible.flatMap { Self.outcomes(of: verb, from: $0) })
            }
        }
    }

    private static func outcomes(of verb: Verb, from state: State) -> [State] {
        switch (verb, state) {
        case (.deduct, .absent): [.sold]
        case (.reserve, .absent): [.held]
        case (.confirm, .held): [.sold]
        case (.cancel, .held), (.cancel, .absent): [.cancelled]
        default: [state]
        }
    }

    // MARK: Comparing

    /// Looks every order up, compares it with what was promised, and the counters of every SKU with the sum of
    /// the orders. From here on the orders are known for certain.
    ///
    /// - Throws: `Failure` that names the first difference.
    mutating func compare(with connection: Connection) throws {
        let replies = try connection.pipeline(orders.map { "LOOKUP \($0.id)" })
        for (index, reply) in replies.enumerated() {
            let state = try Self.state(in: reply.head, of: orders[index])
            guard orders[index].possible.contains(state) else {
                let possible = orders[index].possible.map(\.rawValue).sorted().joined(separator: " or ")
                throw Failure("'\(orders[index].opening)' must be \(possible), but: \(reply)")
            }
            orders[index].possible = [state]
            orders[index].unclear = []
            // Before all that is to come.
            orders[index].told = state == .absent ? [] : [(sequence: Int64(0), state: state)]
        }
        try compareCounters(with: connection)
    }

    /// Sends every opening request again. What is sold or held must be answered as a replay, what is not there
    /// may be sold now.
    mutating func retryAll(on connection: Connection) throws {
        let before = orders.map(\.possible)
        let lines = orders.indices.map { request(orders[$0].openingVerb, for: $0) }
        for (index, reply) in try connection.pipeline(lines).enumerated() {
            try note(reply, to: orders[index].openingVerb, for: index)
            let line = reply.head
            let isRight =
                switch before[index] {
                case [.sold], [.held]: line.isReplay && !line.isRefusal && orders[index].possible == before[index]
                case [.cancelled]: line.isRefusal && line.word == "CANCELLED"
                default: !line.isReplay
                }
            guard isRight else { throw Failure("the retry of '\(lines[index])', \(before[index]), was answered: \(line)") }
        }
        try compareCounters(with: connection)
    }

    private func compareCounters(with connection: Connection) throws {
        for (sku, opening) in opening.sorted(by: { $0.key < $1.key }) {
            let line = try connection.request("GET \(sku)").head
            let held = units(of: sku, in: .held)
            let sold = units(of: sku, in: .sold)
            guard line.number("held") == held, line.number("sold") == sold, line.number("onhand") == opening - sold,
                line.number("available") == opening - sold - held, opening - sold - held >= 0
            else { throw Failure("the orders hold \(held) and have sold \(sold) of \(opening), but: \(line)") }
            guard let sequence = line.number("seq"), sequence >= newestSequence else {
                throw Failure("sequence \(newestSequence) was shown to a client, but: \(line)")
            }
        }
    }

    private func units(of sku: String, in state: State) -> Int64 {
        orders.reduce(0) { $0 + ($1.possible == [state] ? $1.units[sku] ?? 0 : 0) }
    }

    /// The state in a reply to LOOKUP, whose lines must be the order's.
    private static func state(in line: ReplyLine, of order: Order) throws -> State {
        if line.isRefusal, line.word == "NOORDER" { return .absent }
        guard line.word == "ORDER", line.positional == [order.id[...]], let state = State(rawValue: String(line["state"] ?? "")),
            let lines = line.orderLines
        else { throw Failure("to 'LOOKUP \(order.id)' the server answered: \(line)") }
        var units: [String: Int64] = [:]
        for (sku, quantity) in lines { units[String(sku), default: 0] += quantity }
        // A cancel that overtook its reserve has no lines.
        guard units == order.units || (state == .cancelled && units.isEmpty) else {
            throw Failure("'\(order.opening)' has other lines: \(line)")
        }
        return state
    }
}
