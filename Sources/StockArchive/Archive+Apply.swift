// What each event does to the rows: the same as `Ledger+Changes` does to the tables. The counters that an event
// recorded are compared with those of the rows, so that a database and a log that are not of one piece are told.

import StockModel

/// The event that is being folded.
struct Step {
    var kind: EventKind
    var sequence: UInt64
    var time: Int64

    func misfit(_ problem: String) -> ArchiveError { .misfit(sequence: sequence, problem: problem) }
}

extension Archive {
    mutating func apply(_ event: Event, sequence: UInt64, at time: Timestamp) throws(ArchiveError) {
        let step = Step(kind: event.kind, sequence: sequence, time: time.milliseconds)
        guard time >= running.clock else { throw step.misfit("its time lies before that of the event before it") }
        switch event {
        case .created(let ordinal, let sku, let onhand, let settings):
            try create(ordinal, sku, onhand: onhand, settings, step)
        case .configured(let ordinal, let settings):
            try exists(ordinal, step)
            skus[ordinal].row.settings = settings
            skus[ordinal].isConfigured = true
            skus.touch(ordinal)
            try note(step, ordinal, reason: fold.names.copy(settings.text))
        case .dropped(let ordinal):
            try exists(ordinal, step)
            guard skus[ordinal].row.held == 0 else { throw step.misfit("units of the SKU are held") }
            skus[ordinal].row.isDropped = true
            skus[ordinal].isConfigured = true
            skus[ordinal].isDropping = true
            skus.touch(ordinal)
            try note(step, ordinal, reason: nil)
        case .adjusted(let id, let line, let forced, let reason):
            let slot = remember(id, .adjusted, step, value: line.quantity, [line.ordinal])
            let reason = reason.map { fold.names.copy($0) }
            try load(line, by: line.quantity, place: 0, slot, step, forced: forced, reason: reason)
        case .counted(let id, let line, let forced):
            let slot = id.map { remember($0, .counted, step, value: line.after.onhand, [line.ordinal]) }
            try load(line, by: line.quantity, place: 0, slot, step, forced: forced)
        case .transferred(let id, let from, let to):
            guard from.quantity == to.quantity else { throw step.misfit("a transfer moves one quantity") }
            let slot = remember(
                id, .transferred, step, value: from.quantity, [from.ordinal, to.ordinal], asked: from.quantity)
            try load(from, by: 0 &- from.quantity, place: 0, slot, step)
            try load(to, by: to.quantity, place: 1, slot, step)
        case .deducted(let id, let lines, let buyer, let born):
            try take(id, lines, buyer: buyer, born: born, ttl: nil, step)
        case .reserved(let id, let lines, let buyer, let born, let ttl, _):
            try take(id, lines, buyer: buyer, born: born, ttl: ttl, step)
        case .confirmed(let id, let lines, let late):
            try sell(id, lines, late: late, step)
        case .cancelled(let id, let lines, let reason):
            try release(id, lines, .cancelled, reason: reason, step)
        case .expired(let id, let lines):
            try release(id, lines, .expired, reason: nil, step)
        case .emptyCancelled(let id, let born, let reason):
            try rememberEmptyCancel(id, born: born, reason: reason, step)
        case .extended(let id, let expires):
            try prolong(id, until: expires, step)
        case .returned(let key, let order, let lines, let whole, let complete):
            try takeBack(key, order: order, lines, whole: whole, complete: complete, step)
        case .forgot(let through, let endedBy, let count):
            try forget(through: through, endedBy: endedBy, count: count, step)
        }
    }

    // MARK: Stock

    private mutating func create(
        _ ordinal: UInt32, _ sku: Token, onhand: Int64, _ settings: SettingsAfter, _ step: Step
    ) throws(ArchiveError) {
        guard ordinal == skus.newest &+ 1 else { throw step.misfit("ordinal \(ordinal) is not the next") }
        let row = SKURow(
            ordinal: ordinal, key: sku, onhand: onhand, held: 0, sold: 0, settled: 0, loaded: onhand,
            settings: settings, isDropped: false)
        skus.append(row, hashKey: identity.hashKey, isNew: true)
        skus.touch(ordinal)
        running.newestOrdinal = ordinal
        var entry = EntryRow(step, line: 0)
        entry.ordinal = ordinal
        entry.quantity = onhand
        entry.after = CountersAfter(onhand: onhand, held: 0, sold: 0)
        entry.change.onhand = onhand
        entry.reason = settings == SettingsAfter() ? nil : fold.names.copy(settings.text)
        try entries.append(entry)
    }

    /// Units come in or are gone other than by orders.
    private mutating func load(
        _ line: EventLine, by units: Int64, place: Int, _ slot: Int?, _ step: Step, forced: Bool = false,
        reason: Token? = nil
    ) throws(ArchiveError) {
        try exists(line.ordinal, step)
        skus[line.ordinal].row.loaded &+= units
        var entry = EntryRow(step, line: place)
        if let slot { entry.concern(fold.records[slot]) }
        entry.flags = forced ? EntryFlags.forced : 0
        entry.reason = reason
        try move(line, by: CountersAfter(onhand: units, held: 0, sold: 0), step, &entry)
    }

    func exists(_ ordinal: UInt32, _ step: Step) throws(ArchiveError) {
        guard skus.isKnown(ordinal), !skus[ordinal].row.isDropped else {
            throw step.misfit("there is no SKU with the ordinal \(ordinal)")
        }
    }

    /// Changes a SKU's counters, compares them with those that the event recorded, and writes the entry.
    mutating func move(
        _ line: EventLine, by change: CountersAfter, _ step: Step, _ entry: inout EntryRow
    ) throws(ArchiveError) {
        try exists(line.ordinal, step)
        skus[line.ordinal].row.onhand &+= change.onhand
        skus[line.ordinal].row.held &+= change.held
        skus[line.ordinal].row.sold &+= change.sold
        skus.touch(line.ordinal)
        let row = skus[line.ordinal].row
        guard row.onhand == line.after.onhand, row.held == line.after.held, row.sold == line.after.sold else {
            throw step.misfit(
                "\(row.key.text) should have onhand=\(line.after.onhand) held=\(line.after.held) "
                    + "sold=\(line.after.sold) and has onhand=\(row.onhand) held=\(row.held) sold=\(row.sold)")
        }
        entry.ordinal = line.ordinal
        entry.quantity = line.quantity
        entry.after = line.after
        entry.change = change
        try entries.append(entry)
    }

    /// The entry of an event that leaves a SKU's counters as they are.
    private mutating func note(_ step: Step, _ ordinal: UInt32, reason: Token?) throws(ArchiveError) {
        let row = skus[ordinal].row
        var entry = EntryRow(step, line: 0)
        entry.ordinal = ordinal
        entry.after = CountersAfter(onhand: row.onhand, held: row.held, sold: row.sold)
        entry.reason = reason
        try entries.append(entry)
    }
}

extension EntryRow {
    init(_ step: Step, line: Int) {
        self.init(step.kind, sequence: step.sequence, line: line, time: step.time)
    }

    /// Whose id and whose buyer the event is about.
    mutating func concern(_ record: PendingRecord) {
        number = record.number
        id = record.id
        buyer = record.buyer
    }
}

extension SettingsAfter {
    /// As the history shows them; what is 0 is not set and left out.
    var text: String {
        var words: [String] = []
        let values = [("floor", floor), ("limit", limit), ("opens", opens), ("closes", closes)]
        for (name, value) in values where value != 0 {
            words.append("\(name)=\(value)")
        }
        if paused { words.append("paused=1") }
        return words.isEmpty ? "defaults" : words.joined(separator: " ")
    }
}
