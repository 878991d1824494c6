// Stock-keeping: what comes in, what is counted, what is shown.

import enum StockModel.Limits

extension StockadeClient {
    /// Makes a SKU, once. `.refused(.exists)` in a second run of a warm-up is as good.
    public func create(
        _ sku: String, onhand: Int64, settings: StockSettings = StockSettings(), deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Creation> {
        let change = Change<Creation>(
            request: try Requests.create(sku, onhand: onhand, settings), subject: .sku(sku)
        ) { line throws(StockadeError) in
            try Creation(line, sku: sku)
        } conclude: { _ in
            nil
        }
        return try await decide(change, within: deadline)
    }

    /// Adds units (a restock) or takes some away, once per `id`.
    ///
    /// - Parameters:
    ///   - delta: not 0.
    ///   - force: even if units are taken away that are promised.
    public func adjust(
        _ sku: String, by delta: Int64, id: String, reason: String? = nil, force: Bool = false,
        deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Adjustment> {
        let change = Change<Adjustment>(
            request: try Requests.adjust(id, sku: sku, by: delta, reason: reason, force: force),
            subject: .new(id: id, born: nil)
        ) { line throws(StockadeError) in
            try Adjustment(line, id: id)
        } conclude: { found in
            Self.conclude(found, of: id, as: "adjusted") {
                Adjustment(id: id, onhand: nil, sequence: $0, isReplay: true)
            }
        }
        return try await decide(change, within: deadline)
    }

    /// Sets `onhand` to what was counted.
    public func count(
        _ sku: String, onhand: Int64, _ condition: CountCondition, force: Bool = false, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<StockLevel> {
        let subject: Change<StockLevel>.Subject =
            switch condition {
            case .ifOnhand: .sku(sku)
            case .once(let id): .new(id: id, born: nil)
            }
        let change = Change<StockLevel>(
            request: try Requests.count(sku, onhand: onhand, condition, force: force), subject: subject
        ) { line throws(StockadeError) in
            try StockLevel(line)
        } conclude: { _ in
            // Even if it is known to have happened, the counters are not: the caller may repeat the call.
            nil
        }
        return try await decide(change, within: deadline)
    }

    /// Changes the settings that are named; 0 (or the moment 0) clears one.
    public func configure(
        _ sku: String, _ settings: StockSettings = StockSettings(), isPaused: Bool? = nil, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<StockLevel> {
        let change = Change<StockLevel>(
            request: try Requests.configure(sku, settings, isPaused: isPaused), subject: .sku(sku)
        ) { line throws(StockadeError) in
            try StockLevel(line)
        } conclude: { _ in
            nil
        }
        return try await decide(change, within: deadline)
    }

    /// Moves free units from one SKU to another in one step, once per `id`.
    public func transfer(
        _ quantity: Int64, from: String, to: String, id: String, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Transfer> {
        let change = Change<Transfer>(
            request: try Requests.transfer(id, from: from, to: to, quantity: quantity),
            subject: .new(id: id, born: nil)
        ) { line throws(StockadeError) in
            try Transfer(line, id: id)
        } conclude: { found in
            Self.conclude(found, of: id, as: "transferred") { Transfer(id: id, sequence: $0, isReplay: true) }
        }
        return try await decide(change, within: deadline)
    }

    /// Removes a SKU of which nothing is held.
    public func drop(_ sku: String, deadline: Duration? = nil) async throws(StockadeError) -> Answer<Removal> {
        let change = Change<Removal>(request: try Requests.drop(sku), subject: .sku(sku)) {
            line throws(StockadeError) in
            try Removal(line, sku: sku)
        } conclude: { _ in
            nil
        }
        return try await decide(change, within: deadline)
    }

    /// Shows a SKU; `.refused(.noSuchSKU)` if there is none.
    public func get(_ sku: String, deadline: Duration? = nil) async throws(StockadeError) -> Answer<StockLevel> {
        try await look(try Requests.get(sku), id: sku, within: deadline) { line throws(StockadeError) in
            try StockLevel(line)
        }
    }

    /// Shows several SKUs, in this order; `nil` for those that do not exist. They are asked for a thousand at a time;
    /// each thousand is a picture of one moment.
    ///
    /// - Parameter deadline: for each thousand.
    public func get(_ skus: [String], deadline: Duration? = nil) async throws(StockadeError) -> [StockLevel?] {
        var levels: [StockLevel?] = []
        levels.reserveCapacity(skus.count)
        var rest = skus[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Limits.pageEntries))
            rest = rest.dropFirst(some.count)
            let lines = try await list(try Requests.get(some), on: main, within: deadline)
            guard lines.count == some.count else { throw .unexpectedReply("*\(lines.count) to MGET of \(some.count)") }
            for line in lines { levels.append(line.begins(with: "-NOSKU") ? nil : try StockLevel(line)) }
        }
        return levels
    }

    /// What `LOOKUP` says about an operation that has an id of its own.
    private static func conclude<Value>(
        _ found: Found, of id: String, as state: String, _ done: (Int64) -> Value
    ) -> Answer<Value>? {
        switch found {
        case .operation(state, let sequence): .done(done(sequence))
        case .operation(let other, _): .refused(.conflict(id: id, state: other))
        case .order(let order): .refused(.conflict(id: id, state: order.state.rawValue))
        case .nothing: nil
        }
    }
}
