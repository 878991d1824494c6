// A second, slow server in a few pages: what `protocol.md` says about stock and
// orders, written down for obviousness with dictionaries and arrays, from text
// line to text line. It imports nothing and knows nothing of the real ledger,
// so where the two disagree, one of them has misread the protocol.
//
// Read this file first: the state, the clock and the dispatch. Stock commands
// are in Oracle+Stock, promises in Oracle+Promises, what becomes of them in
// Oracle+Orders, and the laws that must hold after every step in Oracle+Laws.

struct Oracle {
    // MARK: State

    /// One SKU. Created again under its old name it is a new one, with a new place in `skus`.
    struct SKU {
        let name: String
        var isDropped = false

        var onhand: Int64
        var held: Int64 = 0
        var sold: Int64 = 0
        /// Everything that ever came in: only CREATE, ADJUST, COUNT and TRANSFER change it.
        var loaded: Int64
        /// Sold units of orders that are forgotten.
        var settled: Int64 = 0

        var floor: Int64 = 0
        var limit: Int64 = 0
        var opens: Int64 = 0
        var closes: Int64 = 0
        var isPaused = false

        /// Units held and sold per buyer.
        var used: [String: Int64] = [:]
        /// The part of `used` that forgotten orders left behind.
        var kept: [String: Int64] = [:]
        /// How far below the law a forced change has put it.
        var excused: Int64 = 0

        var available: Int64 { max(0, onhand - held - floor) }
        /// How many units `onhand − held ≥ min(floor, 0)` is short of.
        var shortfall: Int64 { max(0, min(floor, 0) - (onhand - held)) }
    }

    enum State: String {
        case held, sold, cancelled, expired, returned
    }

    /// What a DEDUCT (`ttl` nil) or RESERVE asked for: a retry must ask the same.
    struct Asked: Equatable {
        let ttl: Int64?
        let buyer: String?
        let quantities: [String: Int64]
    }

    struct Line {
        /// Place in `skus`.
        let sku: Int
        let asked: Int64
        var sold: Int64 = 0
        var returned: Int64 = 0

        var left: Int64 { sold - returned }
    }

    struct Order {
        let id: String
        /// Nil for an empty cancel.
        let asked: Asked?
        var lines: [Line]
        var state: State
        /// When it began.
        let at: Int64
        var expires: Int64 = 0
        /// Its newest change, and when that was: the end, for an ended order.
        var seq: Int64
        var changedAt: Int64
    }

    /// An id that is not an order's.
    struct Operation {
        enum Content: Equatable {
            case adjustment(sku: Int, delta: Int64)
            case count(sku: Int, onhand: Int64)
            case transfer(from: Int, to: Int, quantity: Int64)
            case returning(order: String, quantities: [String: Int64], isBare: Bool)
        }
        let content: Content
        let seq: Int64
        let at: Int64

        /// The word for it in `-CONFLICT id state=…`.
        var state: String {
            switch content {
            case .adjustment, .count: "adjusted"
            case .transfer: "transferred"
            case .returning: "return"
            }
        }
    }

    let limits: OracleLimits
    /// Milliseconds for which an ended order or operation is remembered at least.
    let retention: Int64

    var now: Int64 = 0
    var seq: Int64 = 0
    /// Every SKU that ever was, in order of creation.
    var skus: [SKU] = []
    /// The places of those that exist, by name.
    var live: [String: Int] = [:]
    /// Orders and operations share one namespace.
    var orders: [String: Order] = [:]
    var operations: [String: Operation] = [:]
    /// When the newest of all forgotten orders and operations ended.
    var newestForgotten: Int64?
    /// What the last request promised, for the laws.
    var promised: (skus: [Int], buyer: String?) = ([], nil)

    init(retention: Int64, limits: OracleLimits = OracleLimits()) {
        self.retention = retention
        self.limits = limits
    }

    // MARK: The clock's requests

    /// Ids of holds that have run out, earliest expiry first; equal ones by id.
    func dueHolds(at now: Int64) -> [String] {
        orders.values
            .filter { $0.state == .held && $0.expires <= now }
            .sorted { ($0.expires, $0.id) < ($1.expires, $1.id) }
            .map(\.id)
    }

    /// Releases all due holds; each takes one sequence number.
    mutating func advance(to now: Int64) {
        for id in dueHolds(at: now) { release(id, at: now) }
        self.now = max(self.now, now)
    }

    /// Releases one hold if it is due. For a test that must follow another's
    /// order among equal expiry times.
    mutating func release(_ id: String, at now: Int64) {
        self.now = max(self.now, now)
        guard let order = orders[id], order.state == .held, order.expires <= self.now else { return }
        giveBack(order, as: .expired)
    }

    /// Whether everything that ended up to this sequence is past its retention.
    func mayForget(endedUpTo last: Int64, at now: Int64) -> Bool {
        let orderTimes = orders.values.filter { isEnded($0, upTo: last) }.map(\.changedAt)
        let operationTimes = operations.values.map(end).filter { $0.seq <= last }.map(\.at)
        return (orderTimes + operationTimes).allSatisfy { $0 + retention <= now }
    }

    /// Forgets every ended order and every operation whose newest sequence is
    /// at most `last`. Takes one sequence number.
    mutating func forget(endedUpTo last: Int64) {
        seq += 1
        let forgotten = operations.filter { end($0.value).seq <= last }
        for order in orders.values where isEnded(order, upTo: last) {
            for line in order.lines { settle(line, buyer: order.asked?.buyer) }
            newestForgotten = max(newestForgotten ?? order.changedAt, order.changedAt)
            orders[order.id] = nil
        }
        for (id, operation) in forgotten {
            newestForgotten = max(newestForgotten ?? operation.at, operation.at)
            operations[id] = nil
        }
    }

    /// When an operation ended. A return lives as long as its order: until then its goods could come back twice.
    func end(_ operation: Operation) -> (seq: Int64, at: Int64) {
        guard case .returning(let id, _, _) = operation.content, let order = orders[id] else {
            return (operation.seq, operation.at)
        }
        return (order.seq, order.changedAt)
    }

    private func isEnded(_ order: Order, upTo last: Int64) -> Bool {
        order.state != .held && order.seq <= last
    }

    private mutating func settle(_ line: Line, buyer: String?) {
        skus[line.sku].settled += line.left
        guard let buyer, !skus[line.sku].isDropped else { return }
        if skus[line.sku].limit == 0 {
            skus[line.sku].used[buyer, default: 0] -= line.left
        } else {
            skus[line.sku].kept[buyer, default: 0] += line.left
        }
    }

    // MARK: Requests

    /// The reply lines, without their line ends. `-SYNTAX` and `-RANGE` stand
    /// without their free text; HOLDS and SKUS give everything as one page.
    mutating func respond(_ line: String, at now: Int64) -> [String] {
        self.now = max(self.now, now)
        promised = ([], nil)
        defer {
            // A forced change excuses a SKU only while it is short.
            for sku in skus.indices { skus[sku].excused = min(skus[sku].excused, skus[sku].shortfall) }
        }
        do throws(Refusal) {
            return try answer(try OracleRequest(line, limits: limits))
        } catch {
            return [error.line]
        }
    }

    private mutating func answer(_ request: OracleRequest) throws(Refusal) -> [String] {
        switch request.verb {
        case "CREATE": [try create(request)]
        case "ADJUST": [try adjust(request)]
        case "COUNT": [try count(request)]
        case "CONFIGURE": [try configure(request)]
        case "TRANSFER": [try transfer(request)]
        case "DROP": [try drop(request)]
        case "GET": [try get(request)]
        case "MGET": try getMany(request)
        case "SKUS": try listStock(request)
        case "DEDUCT": [try deduct(request)]
        case "RESERVE": [try reserve(request)]
        case "CONFIRM": [try confirm(request)]
        case "CANCEL": [try cancel(request)]
        case "EXTEND": [try extend(request)]
        case "RETURN": [try returnUnits(request)]
        case "LOOKUP": [try lookUp(request)]
        case "HOLDS": try listHolds(request)
        default: ["-UNKNOWN"]
        }
    }

    // MARK: Shared by the commands

    mutating func nextSeq() -> Int64 {
        seq += 1
        return seq
    }

    /// The place of a SKU that exists.
    func place(of name: String) throws(Refusal) -> Int {
        guard let place = live[name] else { throw Refusal("-NOSKU \(name)") }
        return place
    }

    /// The order under this id, after its release if that is due; nil if the id
    /// is an operation's or unknown.
    mutating func order(_ id: String) -> Order? {
        release(id, at: now)
        return orders[id]
    }

    func conflict(_ id: String) -> Refusal {
        let state = orders[id]?.state.rawValue ?? operations[id]?.state ?? "unknown"
        let seq = orders[id]?.seq ?? operations[id]?.seq ?? 0
        return Refusal("-CONFLICT \(id) state=\(state) seq=\(seq)")
    }

    /// The order's units come and go; the buyer's count is what is held and sold.
    mutating func move(
        _ sku: Int, for buyer: String?, onhand: Int64 = 0, held: Int64 = 0, sold: Int64 = 0
    ) {
        skus[sku].onhand += onhand
        skus[sku].held += held
        skus[sku].sold += sold
        if let buyer, !skus[sku].isDropped { skus[sku].used[buyer, default: 0] += held + sold }
    }

    /// Ends a held order and gives its units back.
    mutating func giveBack(_ order: Order, as state: State) {
        for line in order.lines { move(line.sku, for: order.asked?.buyer, held: -line.asked) }
        store(order, as: state)
    }

    /// Writes the order down as changed now.
    mutating func store(_ order: Order, as state: State) {
        var order = order
        order.state = state
        order.seq = nextSeq()
        order.changedAt = now
        orders[order.id] = order
    }
}
