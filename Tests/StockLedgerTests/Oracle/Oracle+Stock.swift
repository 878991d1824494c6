// The oracle's stock commands: what a SKU has, and how the shop changes it.

extension Oracle {
    // MARK: Create and drop

    mutating func create(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let name = try request.token()
        let onhand = try request.number(in: limits.unsigned)
        let floor = try request.optionalNumber("floor", in: limits.signed)
        let limit = try request.optionalNumber("limit", in: 0...limits.quantity)
        let opens = try request.optionalTime("opens")
        let closes = try request.optionalTime("closes")
        try request.finish()

        if let place = live[name] { throw Refusal("-EXISTS \(name) onhand=\(skus[place].onhand)") }

        var sku = SKU(name: name, onhand: onhand, loaded: onhand)
        sku.floor = floor ?? 0
        sku.limit = limit ?? 0
        sku.opens = opens ?? 0
        sku.closes = closes ?? 0
        live[name] = skus.count
        skus.append(sku)
        return "+CREATED \(name) seq=\(nextSeq())"
    }

    mutating func drop(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let name = try request.token()
        try request.finish()

        let place = try place(of: name)
        guard skus[place].held == 0 else { throw Refusal("-INUSE \(name) held=\(skus[place].held)") }

        skus[place].isDropped = true
        skus[place].used = [:]
        skus[place].kept = [:]
        live[name] = nil
        return "+DROPPED \(name) seq=\(nextSeq())"
    }

    // MARK: Change what is there

    mutating func adjust(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let id = try request.token()
        let name = try request.token()
        let delta = try request.number(in: limits.signed)
        _ = try request.optionalToken("reason")
        let isForced = try request.optionalFlag("force") ?? false
        try request.finish()
        guard delta != 0 else { throw .range }

        if let known = try operation(id) {
            guard case .adjustment(let place, delta) = known.content, isSameSKU(place, name) else {
                throw conflict(id)
            }
            let onhand = live[name] == place ? " onhand=\(skus[place].onhand)" : ""
            return "+ADJUSTED \(id)\(onhand) seq=\(known.seq) replay=1"
        }
        let place = try place(of: name)
        try checkRange(place, adding: delta)
        try checkLaw(place, adding: delta, isForced: isForced)

        load(place, delta)
        if isForced { skus[place].excused = skus[place].shortfall }
        operations[id] = Operation(content: .adjustment(sku: place, delta: delta), seq: nextSeq(), at: now)
        return "+ADJUSTED \(id) onhand=\(skus[place].onhand) seq=\(seq)"
    }

    mutating func count(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let name = try request.token()
        let onhand = try request.number(in: limits.unsigned)
        let expected = try request.optionalNumber("if", in: limits.signed)
        let id = try request.optionalToken("id")
        let isForced = try request.optionalFlag("force") ?? false
        guard (expected == nil) != (id == nil) else { throw .syntax }
        try request.finish()

        if let id, let known = try operation(id) {
            guard case .count(let place, onhand) = known.content, isSameSKU(place, name) else {
                throw conflict(id)
            }
            guard live[name] == place else { throw Refusal("-NOSKU \(name)") }
            return stockLine(place) + " replay=1"
        }
        let place = try place(of: name)
        if let expected, expected != skus[place].onhand {
            throw Refusal("-MISMATCH \(name) onhand=\(skus[place].onhand)")
        }
        let delta = onhand - skus[place].onhand
        try checkRange(place, adding: delta)
        try checkLaw(place, adding: delta, isForced: isForced)

        load(place, delta)
        if isForced { skus[place].excused = skus[place].shortfall }
        seq += 1
        if let id {
            operations[id] = Operation(content: .count(sku: place, onhand: onhand), seq: seq, at: now)
        }
        return stockLine(place)
    }

    mutating func transfer(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let id = try request.token()
        let from = try request.token()
        let to = try request.token()
        let quantity = try request.quantity()
        guard from != to else { throw .syntax }
        try request.finish()

        if let known = try operation(id) {
            guard case .transfer(let source, let target, quantity) = known.content,
                isSameSKU(source, from), isSameSKU(target, to)
            else { throw conflict(id) }
            return "+TRANSFERRED \(id) seq=\(known.seq) replay=1"
        }
        let source = try place(of: from)
        let target = try place(of: to)
        try checkRange(target, adding: quantity)
        let free = max(0, skus[source].onhand - skus[source].held - max(skus[source].floor, 0))
        guard quantity <= free else {
            throw Refusal("-INSUFFICIENT \(from) want=\(quantity) available=\(free) held=\(skus[source].held)")
        }

        load(source, -quantity)
        load(target, quantity)
        operations[id] = Operation(
            content: .transfer(from: source, to: target, quantity: quantity), seq: nextSeq(), at: now)
        return "+TRANSFERRED \(id) seq=\(seq)"
    }

    mutating func configure(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let name = try request.token()
        let floor = try request.optionalNumber("floor", in: limits.signed)
        let limit = try request.optionalNumber("limit", in: 0...limits.quantity)
        let opens = try request.optionalTime("opens")
        let closes = try request.optionalTime("closes")
        let isPaused = try request.optionalFlag("paused")
        try request.finish()

        let place = try place(of: name)
        var sku = skus[place]
        sku.floor = floor ?? sku.floor
        sku.limit = limit ?? sku.limit
        sku.opens = opens ?? sku.opens
        sku.closes = closes ?? sku.closes
        sku.isPaused = isPaused ?? sku.isPaused
        // A floor that only brings a SKU nearer to the law passes, as any change towards it does.
        guard sku.shortfall <= skus[place].shortfall else {
            throw Refusal("-INSUFFICIENT \(name) floor=\(sku.floor) onhand=\(sku.onhand) held=\(sku.held)")
        }

        skus[place] = sku
        seq += 1
        return stockLine(place)
    }

    // MARK: Look

    func get(_ request: OracleRequest) throws(Refusal) -> String {
        var request = request
        let name = try request.token()
        try request.finish()
        return stockLine(try place(of: name))
    }

    func getMany(_ request: OracleRequest) throws(Refusal) -> [String] {
        var request = request
        var names = [try request.token()]
        while request.hasArguments { names.append(try request.token()) }
        try request.finish()
        return ["*\(names.count)"] + names.map { name in live[name].map(stockLine) ?? "-NOSKU \(name)" }
    }

    /// All SKUs in order of creation, as if a page had room for them.
    func listStock(_ request: OracleRequest) throws(Refusal) -> [String] {
        var request = request
        let prefix = try request.optionalToken("prefix") ?? ""
        try request.finish()
        let places = skus.indices.filter { !skus[$0].isDropped && skus[$0].name.hasPrefix(prefix) }
        return ["*\(places.count + 1)"] + places.map(stockLine) + ["+END"]
    }

    func stockLine(_ place: Int) -> String {
        let sku = skus[place]
        var line = "+STOCK \(sku.name) available=\(sku.available) held=\(sku.held) sold=\(sku.sold)"
        line += " onhand=\(sku.onhand) floor=\(sku.floor) limit=\(sku.limit)"
        if sku.opens != 0 { line += " opens=\(sku.opens)" }
        if sku.closes != 0 { line += " closes=\(sku.closes)" }
        if sku.isPaused { line += " paused=1" }
        return line + " status=\(status(of: sku)) seq=\(seq)"
    }

    private func status(of sku: SKU) -> String {
        if isUpcoming(sku) { return "upcoming" }
        if isOver(sku) { return "ended" }
        if sku.isPaused { return "paused" }
        if sku.available > 0 { return "selling" }
        return sku.held > 0 ? "held-out" : "sold-out"
    }

    func isUpcoming(_ sku: SKU) -> Bool { sku.opens != 0 && now < sku.opens }
    func isOver(_ sku: SKU) -> Bool { sku.closes != 0 && now >= sku.closes }

    // MARK: Leaves

    /// The operation under this id; nil if the id is unknown. An order's id is a conflict.
    private mutating func operation(_ id: String) throws(Refusal) -> Operation? {
        if order(id) != nil { throw conflict(id) }
        return operations[id]
    }

    /// Whether a repeated request names the SKU that it named the first time: what was sent counts, not whether
    /// the SKU was dropped and created again since.
    private func isSameSKU(_ place: Int, _ name: String) -> Bool { skus[place].name == name }

    private mutating func load(_ place: Int, _ delta: Int64) {
        skus[place].onhand += delta
        skus[place].loaded += delta
    }

    private func checkRange(_ place: Int, adding delta: Int64) throws(Refusal) {
        guard limits.signed.contains(skus[place].onhand + delta),
            limits.signed.contains(skus[place].loaded + delta)
        else { throw .range }
    }

    private func checkLaw(_ place: Int, adding delta: Int64, isForced: Bool) throws(Refusal) {
        let sku = skus[place]
        if delta >= 0 || isForced { return }
        guard sku.onhand + delta - sku.held >= min(sku.floor, 0) else {
            throw Refusal(
                "-INSUFFICIENT \(sku.name) want=\(-delta) available=\(sku.available) held=\(sku.held)")
        }
    }
}
