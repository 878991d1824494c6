// From words to a request. Each verb takes its words in the order of its usage line; what is not of the form is
// thrown as a complaint, what is of the form but out of range is noted and told if all the rest is of the form.

import StockModel

extension RequestParser {
    /// What the words of a whole request mean.
    @inline(__always)
    mutating func meaning(consumed: Int) -> Parsed {
        guard wordCount > 0 else { return .ignored(consumed: consumed) }
        let first = words[0]
        guard let verb = verbs.find(first.base, count: first.count, readable: readableEnd - first.base) else {
            let echo = isToken(first) ? Token(base: first.base, count: first.count) : nil
            return .refused(ParseRefusal(code: .unknown, word: echo, explanation: ""), consumed: consumed)
        }
        outOfRange = nil
        options.has = 0
        do throws(Complaint) {
            let request = try self.request(verb)
            if let outOfRange { throw outOfRange }
            return .request(request, verb: verb, consumed: consumed)
        } catch {
            return .refused(error.refusal(of: verb), consumed: consumed)
        }
    }

    @inline(__always)
    private mutating func request(_ verb: Verb) throws(Complaint) -> Request {
        switch verb {
        case .deduct:
            return .command(.deduct(try newOrder(pairsFrom: 2)))
        case .reserve:
            try atLeast(3)
            let ttl = try ttl(2)
            return .command(.reserve(try newOrder(pairsFrom: 3), ttl: ttl))
        case .confirm:
            let lines = try pairs(from: 2, needed: false, options: Options.mask(.late))
            return .command(.confirm(id: try token(1, .id), lines: lines, late: options.flag(.late) ?? false))
        case .cancel:
            try options(from: 2, allowed: Options.mask(.born, .reason))
            return .command(
                .cancel(id: try token(1, .id), born: options.time(.born), reason: options.token(.reason)))
        case .extend:
            try exactly(3)
            return .command(.extend(id: try token(1, .id), ttl: try ttl(2)))
        case .giveBack:
            try atLeast(3)
            let key = try token(1, .id)
            let order = try token(2, .id)
            return .command(.giveBack(key: key, order: order, lines: try pairs(from: 3, needed: false, options: 0)))
        case .lookup:
            try exactly(2)
            return .command(.lookup(id: try token(1, .id)))
        case .get:
            try exactly(2)
            return .command(.get(sku: try token(1, .sku)))
        default:
            return try rarerRequest(verb)
        }
    }

    /// The promise of DEDUCT and RESERVE: its id is the first argument.
    @inline(__always)
    private mutating func newOrder(pairsFrom index: Int) throws(Complaint) -> NewOrder {
        let lines = try pairs(from: index, needed: true, options: Options.mask(.buyer, .born))
        let id = try token(1, .id)
        let order = orders + orderCount
        orderCount &+= 1
        order.initialize(
            to: NewOrder.Content(id: id, lines: lines, buyer: options.token(.buyer), born: options.time(.born)))
        return NewOrder(order)
    }

    /// The verbs that are not on the way of every order, out of line to keep that way short.
    @inline(never)
    private mutating func rarerRequest(_ verb: Verb) throws(Complaint) -> Request {
        switch verb {
        case .create: return .command(try create())
        case .adjust: return .command(try adjust())
        case .count: return .command(try count())
        case .configure: return .command(try configure())
        case .transfer: return .command(try transfer())
        case .drop:
            try exactly(2)
            return .command(.drop(sku: try token(1, .sku)))
        case .mget:
            let skus = try tokens(from: 1, .sku)
            // All are shown in one turn, so they are as many as a page has.
            guard skus.count <= Limits.pageEntries else { throw .tooManySKUs }
            return .mget(skus: skus)
        case .skus:
            try options(from: 1, allowed: Options.mask(.prefix, .after, .count))
            return .skus(prefix: options.token(.prefix), after: options.pageToken, count: options.pageCount)
        case .holds:
            try options(from: 1, allowed: Options.mask(.sku, .buyer, .after, .count))
            return .holds(
                sku: options.token(.sku), buyer: options.token(.buyer), after: options.pageToken,
                count: options.pageCount)
        case .ping:
            return .ping(word: try optionalToken(1, .word))
        case .stats:
            return .stats(section: try optionalToken(1, .word))
        case .durable:
            try exactly(1)
            return .durable
        case .snapshot:
            try exactly(1)
            return .snapshot
        case .verify:
            try exactly(1)
            return .verify
        case .clock:
            try exactly(1)
            return .clock
        case .quit:
            try exactly(1)
            return .quit
        case .shutdown:
            try exactly(1)
            return .shutdown
        case .auth, .hello, .client, .command, .select, .config:
            return try sessionRequest(verb)
        case .deduct, .reserve, .confirm, .cancel, .extend, .giveBack, .lookup, .get:
            invariant(false, "the orders' verbs are parsed before the rarer ones")
            throw .usage
        }
    }

    private mutating func create() throws(Complaint) -> Command {
        try options(from: 3, allowed: Options.mask(.floor, .limit, .opens, .closes))
        return .create(sku: try token(1, .sku), onhand: try number(2, .onhand), settings: options.settings)
    }

    private mutating func adjust() throws(Complaint) -> Command {
        try options(from: 4, allowed: Options.mask(.reason, .force))
        let id = try token(1, .id)
        let sku = try token(2, .sku)
        let delta = try number(3, .delta)
        if delta == 0 { note(.range(.delta)) }
        return .adjust(
            id: id, sku: sku, delta: delta, reason: options.token(.reason), force: options.flag(.force) ?? false)
    }

    private mutating func count() throws(Complaint) -> Command {
        try options(from: 3, allowed: Options.mask(.ifOnhand, .id, .force))
        let condition: CountCondition
        switch (options.number(.ifOnhand), options.token(.id)) {
        case (let onhand?, nil): condition = .ifOnhand(onhand)
        case (nil, let id?): condition = .once(id: id)
        default: throw .usage
        }
        return .count(
            sku: try token(1, .sku), onhand: try number(2, .onhand), condition: condition,
            force: options.flag(.force) ?? false)
    }

    private mutating func configure() throws(Complaint) -> Command {
        try options(from: 2, allowed: Options.mask(.floor, .limit, .opens, .closes, .paused))
        guard options.has != 0 else { throw .usage }
        return .configure(sku: try token(1, .sku), settings: options.settings)
    }

    private mutating func transfer() throws(Complaint) -> Command {
        try exactly(5)
        let id = try token(1, .id)
        let from = try token(2, .sku)
        let to = try token(3, .sku)
        guard from != to else { throw .usage }
        return .transfer(id: id, from: from, to: to, quantity: try number(4, .quantity))
    }
}
