// The counters of a SKU: CREATE, ADJUST, COUNT, CONFIGURE, TRANSFER, DROP, GET.

import StockModel

extension Ledger {
    func get(_ sku: Token) -> Outcome {
        let ordinal = stocks.find(sku)
        guard ordinal != 0 else { return .refused(.noSKU(sku)) }
        return .stock(view(ofSKU: ordinal), replay: false)
    }

    mutating func create(
        _ sku: Token, onhand: Int64, _ asked: StockSettings, _ admission: Admission, _ events: inout EventBuffer
    ) -> Outcome {
        let found = stocks.find(sku)
        guard found == 0 else { return .refused(.exists(sku: sku, onhand: stocks[found].pointee.onhand)) }
        if let refusal = refusal(admission) { return .refused(refusal) }
        guard stocks.count < options.maximumSKUs, stocks.hasRoom else { return .refused(.full(.skus)) }
        guard memoryInUse <= options.maximumMemory else { return .refused(.full(.memory)) }
        // From here on the state changes.

        let settings = SettingsAfter().changed(by: asked)
        let ordinal = add(sku, onhand: onhand, settings)
        events.append(.created(ordinal: ordinal, sku: sku, onhand: onhand, settings: settings))
        return .created(sku: sku, sequence: sequence)
    }

    mutating func adjust(
        _ id: Token, _ sku: Token, delta: Int64, reason: Token?, force: Bool, _ admission: Admission,
        _ events: inout EventBuffer
    ) -> Outcome {
        let hash = hash(of: id)
        let known = known(id, hash, admission, &events)
        guard known == 0 else {
            let record = records[known]
            guard record.header.pointee.state == .adjusted, record.header.pointee.at == delta,
                stocks.key(record.lines[0].ordinal) == sku
            else { return conflict(id, known) }
            let stock = stocks[record.lines[0].ordinal]
            return .adjusted(
                id: id, onhand: stock.pointee.isDropped ? nil : stock.pointee.onhand,
                sequence: record.header.pointee.sequence, replay: true)
        }
        if let refusal = refusalOfNewID(admission) { return .refused(refusal) }
        let ordinal = stocks.find(sku)
        guard ordinal != 0 else { return .refused(.noSKU(sku)) }
        if let refusal = refusalOfChange(ordinal, sku, by: delta, force: force) { return .refused(refusal) }
        // From here on the state changes.

        change(ordinal, by: delta)
        remember(operation: .adjusted, id, hash, value: delta, from: ordinal)
        events.append(.adjusted(id: id, line: line(ordinal, delta), forced: force, reason: reason))
        return .adjusted(id: id, onhand: stocks[ordinal].pointee.onhand, sequence: sequence, replay: false)
    }

    mutating func count(
        _ sku: Token, onhand: Int64, _ condition: CountCondition, force: Bool, _ admission: Admission,
        _ events: inout EventBuffer
    ) -> Outcome {
        var id: Token?
        var hash: UInt64 = 0
        if case .once(let key) = condition {
            id = key
            hash = hashKey.hash(key)
            let known = known(key, hash, admission, &events)
            if known != 0 {
                let record = records[known]
                guard record.header.pointee.state == .counted, record.header.pointee.at == onhand,
                    stocks.key(record.lines[0].ordinal) == sku
                else { return conflict(key, known) }
                let ordinal = record.lines[0].ordinal
                guard !stocks[ordinal].pointee.isDropped else { return .refused(.noSKU(sku)) }
                return .stock(view(ofSKU: ordinal), replay: true)
            }
        }
        if let refusal = id == nil ? refusal(admission) : refusalOfNewID(admission) { return .refused(refusal) }
        let ordinal = stocks.find(sku)
        guard ordinal != 0 else { return .refused(.noSKU(sku)) }
        let before = stocks[ordinal].pointee.onhand
        if case .ifOnhand(let expected) = condition {
            guard expected == before else { return .refused(.mismatch(sku: sku, onhand: before)) }
        }
        if let refusal = refusalOfChange(ordinal, sku, by: onhand &- before, force: force) { return .refused(refusal) }
        // From here on the state changes.

        change(ordinal, by: onhand &- before)
        if let id { remember(operation: .counted, id, hash, value: onhand, from: ordinal) } else { advance() }
        events.append(.counted(id: id, line: line(ordinal, onhand &- before), forced: force))
        return .stock(view(ofSKU: ordinal), replay: false)
    }

    /// Whether onhand may change by `delta`: within the counters' range, and not away from the law
    /// `onhand − held ≥ min(floor, 0)` unless forced.
    private func refusalOfChange(_ ordinal: UInt32, _ sku: Token, by delta: Int64, force: Bool) -> Refusal? {
        let stock = stocks[ordinal]
        let onhand = stock.pointee.onhand &+ delta
        let loaded = stock.pointee.loaded &+ delta
        guard abs(onhand) <= Limits.counter, abs(loaded) <= Limits.counter else {
            return .counterOutOfRange(sku: sku)
        }
        if delta >= 0 || force || onhand &- stock.pointee.held >= min(stock.pointee.floor, 0) { return nil }
        return .insufficient(
            sku: sku, want: 0 &- delta, available: stock.pointee.available, held: stock.pointee.held)
    }

    mutating func configure(
        _ sku: Token, _ asked: StockSettings, _ admission: Admission, _ events: inout EventBuffer
    ) -> Outcome {
        if let refusal = refusal(admission) { return .refused(refusal) }
        let ordinal = stocks.find(sku)
        guard ordinal != 0 else { return .refused(.noSKU(sku)) }
        let stock = stocks[ordinal]
        let settings = stock.pointee.settings.changed(by: asked)
        let (before, after) = (min(stock.pointee.floor, 0), min(settings.floor, 0))
        guard after <= before || stock.pointee.onhand &- stock.pointee.held >= after else {
            return .refused(
                .floorBroken(
                    sku: sku, floor: settings.floor, onhand: stock.pointee.onhand, held: stock.pointee.held))
        }
        // From here on the state changes.

        set(ordinal, settings)
        events.append(.configured(ordinal: ordinal, settings: settings))
        return .stock(view(ofSKU: ordinal), replay: false)
    }

    mutating func transfer(
        _ id: Token, from: Token, to: Token, quantity: Int64, _ admission: Admission, _ events: inout EventBuffer
    ) -> Outcome {
        let hash = hash(of: id)
        let known = known(id, hash, admission, &events)
        guard known == 0 else {
            let record = records[known]
            guard record.header.pointee.state == .transferred, record.lines[0].asked == quantity,
                stocks.key(record.lines[0].ordinal) == from, stocks.key(record.lines[1].ordinal) == to
            else { return conflict(id, known) }
            return .transferred(id: id, sequence: record.header.pointee.sequence, replay: true)
        }
        if let refusal = refusalOfNewID(admission) { return .refused(refusal) }
        let source = stocks.find(from)
        guard source != 0 else { return .refused(.noSKU(from)) }
        let target = stocks.find(to)
        guard target != 0 else { return .refused(.noSKU(to)) }
        guard stocks[source].pointee.loaded &- quantity >= -Limits.counter else {
            return .refused(.counterOutOfRange(sku: from))
        }
        guard stocks[target].pointee.onhand &+ quantity <= Limits.counter,
            stocks[target].pointee.loaded &+ quantity <= Limits.counter
        else { return .refused(.counterOutOfRange(sku: to)) }
        let free = stocks[source].pointee.free
        guard quantity <= free else {
            return .refused(
                .insufficient(
                    sku: from, want: quantity, available: max(0, free), held: stocks[source].pointee.held))
        }
        // From here on the state changes.

        move(quantity, from: source, to: target)
        remember(operation: .transferred, id, hash, value: quantity, from: source, to: target)
        events.append(.transferred(id: id, from: line(source, quantity), to: line(target, quantity)))
        return .transferred(id: id, sequence: sequence, replay: false)
    }

    mutating func drop(_ sku: Token, _ admission: Admission, _ events: inout EventBuffer) -> Outcome {
        if let refusal = refusal(admission) { return .refused(refusal) }
        let ordinal = stocks.find(sku)
        guard ordinal != 0 else { return .refused(.noSKU(sku)) }
        guard stocks[ordinal].pointee.held == 0 else {
            return .refused(.inUse(sku: sku, held: stocks[ordinal].pointee.held))
        }
        // From here on the state changes.

        removeSKU(ordinal)
        events.append(.dropped(ordinal: ordinal))
        return .dropped(sku: sku, sequence: sequence)
    }
}

extension SettingsAfter {
    /// These settings with those that a request names changed.
    func changed(by asked: StockSettings) -> SettingsAfter {
        SettingsAfter(
            floor: asked.floor ?? floor, limit: asked.limit ?? limit, opens: asked.opens ?? opens,
            closes: asked.closes ?? closes, paused: asked.paused ?? paused)
    }
}
