// The log applied again. An event says what happened, so nothing is decided anew; but every event is checked against
// the state that it meets, and the counters it recorded against those that it leaves. A log that does not fit is
// refused, whatever made it so.

import StockModel

/// An event of the log that does not fit the state it is applied to: the log is damaged, or the program is.
public struct ReplayError: Error, Equatable, CustomStringConvertible {
    public let sequence: UInt64
    public let problem: String

    public var description: String { "event \(sequence) does not fit what came before it: \(problem)" }
}

/// Looks ahead among decoded events that are being applied. Most of the time of a replay is waiting for memory: the slot of
/// the index that says whether an id is known, the counters of a SKU. Those of the next events are waited for together.
public struct ReplayAhead: ~Copyable {
    private var left = 0

    public init() {}

    /// To be called before each event is applied, whose sequence this is not asked. It changes nothing but the time that
    /// this takes.
    ///
    /// - Parameters:
    ///   - index: of the event that comes next.
    ///   - upcoming: it, and what comes behind it. They stay where they are until all of them were applied, and none of
    ///     other events is announced meanwhile.
    @inline(__always)
    public mutating func step(to index: Int, of upcoming: UpcomingEvents, _ ledger: inout Ledger) {
        if left == 0 { left = ledger.expect(upcoming, from: index) }
        left = max(0, left &- 1)
    }
}

extension Ledger {
    /// Events are going to be applied until `endReplay`. The digest is counted when they are, a SKU's part once.
    public mutating func beginReplay() { isReplaying = true }

    public mutating func endReplay() {
        expectNothing()
        countTouched()
        isReplaying = false
    }

    /// Announces the next events, and says how many they are.
    @usableFromInline
    mutating func expect(_ upcoming: UpcomingEvents, from first: Int) -> Int {
        expectNothing()
        let count = min(ExpectedKeys.capacity, upcoming.events.count &- first)
        for index in first..<(first &+ count) {
            guard let id = upcoming.events[index].id else { continue }
            let ordinal = upcoming.events[index].firstOrdinal
            expect(id, upcoming.idHashes[index], ordinal: stocks.isKnown(ordinal) ? ordinal : 0)
        }
        fetchExpectedEvents()
        return count
    }

    /// Applies the event numbered `sequence`, which must follow the newest.
    ///
    /// - Throws: `ReplayError`; the ledger must not be used any more then.
    public mutating func apply(_ event: Event, sequence number: UInt64, at time: Timestamp) throws(ReplayError) {
        guard number == sequence &+ 1 else { throw misfit("it follows event \(sequence)") }
        guard time >= clock else { throw misfit("its time lies before that of the event before it") }
        clock = time
        switch event {
        case .created(let ordinal, let sku, let onhand, let settings):
            guard stocks.find(sku) == 0 else { throw misfit("the SKU exists") }
            guard ordinal == stocks.newest &+ 1, stocks.hasRoom else { throw misfit("ordinal \(ordinal) is not the next") }
            _ = add(sku, onhand: onhand, settings)
        case .adjusted(let id, let line, _, _):
            let hash = try newID(id)
            try change(existing(line.ordinal), by: line.quantity, after: line.after)
            remember(operation: .adjusted, id, hash, value: line.quantity, from: line.ordinal)
        case .counted(let id, let line, _):
            let hash = try id.map { id throws(ReplayError) in try newID(id) }
            try change(existing(line.ordinal), by: line.quantity, after: line.after)
            if let id, let hash {
                remember(operation: .counted, id, hash, value: line.after.onhand, from: line.ordinal)
            } else {
                advance()
            }
        case .configured(let ordinal, let settings):
            set(try existing(ordinal), settings)
        case .transferred(let id, let from, let to):
            let hash = try newID(id)
            guard from.quantity == to.quantity, from.quantity >= 1, from.quantity <= Limits.quantity,
                from.ordinal != to.ordinal
            else { throw misfit("a transfer moves one quantity from one SKU to another") }
            try change(existing(from.ordinal), by: 0 &- from.quantity, after: from.after)
            try change(existing(to.ordinal), by: to.quantity, after: to.after)
            remember(operation: .transferred, id, hash, value: from.quantity, from: from.ordinal, to: to.ordinal)
        case .dropped(let ordinal):
            guard stocks[try existing(ordinal)].pointee.held == 0 else { throw misfit("units of the SKU are held") }
            removeSKU(ordinal)
        case .deducted(let id, let lines, let buyer, let born):
            try take(id, lines, buyer: buyer, born: born, ttl: nil)
        case .reserved(let id, let lines, let buyer, let born, let ttl, let expires):
            guard expires == time + ttl else { throw misfit("its expiry is not its time and its ttl") }
            try take(id, lines, buyer: buyer, born: born, ttl: ttl)
        case .confirmed(let id, let lines, let late):
            let (found, hash) = try order(id, in: late ? .expired : .held)
            try choose(lines, of: records[found], whole: true, \.asked)
            sell(found, hash, late: late)
            try compare(lines)
        case .cancelled(let id, let lines, _):
            let (found, hash) = try order(id, in: .held)
            try choose(lines, of: records[found], whole: true, \.asked)
            release(found, hash, .cancelled)
            try compare(lines)
        case .expired(let id, let lines):
            let (found, hash) = try order(id, in: .held)
            guard records[found].header.pointee.moment <= time.milliseconds else { throw misfit("it is not due") }
            try choose(lines, of: records[found], whole: true, \.asked)
            release(found, hash, .expired)
            try compare(lines)
        case .emptyCancelled(let id, _, _):
            rememberEmptyCancel(id, try newID(id))
        case .extended(let id, let expires):
            let (found, hash) = try order(id, in: .held)
            guard expires > time else { throw misfit("its expiry is over") }
            prolong(found, hash, until: expires)
        case .returned(let key, let id, let lines, let whole, let complete):
            let keyHash = try newID(key)
            let (found, hash) = try order(id, in: .sold)
            try choose(lines, of: records[found], whole: false, \.kept)
            _ = takeBack(key, keyHash, order: found, hash, whole: whole)
            try compare(lines)
            guard (records[found].header.pointee.state == .returned) == complete else {
                throw misfit("it does not leave the order \(complete ? "empty" : "with something left")")
            }
        case .forgot(let through, let endedBy, let count):
            let forgotten = forget(through: through)
            guard forgotten.count == count, forgotten.endedBy == endedBy else {
                throw misfit("\(forgotten.count) ids were there to forget, not \(count)")
            }
        }
        invariant(sequence == number, "each event takes one number")
    }

    private func misfit(_ problem: String) -> ReplayError {
        ReplayError(sequence: sequence &+ 1, problem: problem)
    }

    private func existing(_ ordinal: UInt32) throws(ReplayError) -> UInt32 {
        guard stocks.isKnown(ordinal), !stocks[ordinal].pointee.isDropped else {
            throw misfit("there is no SKU with the ordinal \(ordinal)")
        }
        return ordinal
    }

    private mutating func newID(_ id: Token) throws(ReplayError) -> UInt64 {
        let hash = hash(of: id)
        guard records.find(id, hash) == 0 else { throw misfit("the id \(id.text) is known") }
        guard records.hasRoom, buyers.hasRoom else { throw misfit("there are more ids than fit in memory") }
        return hash
    }

    private mutating func order(
        _ id: Token, in state: IDState
    ) throws(ReplayError) -> (reference: Arena.Reference, hash: UInt64) {
        let hash = hash(of: id)
        let found = records.find(id, hash)
        guard found != 0, records[found].header.pointee.state == state else {
            throw misfit("the order \(id.text) is not \(state)")
        }
        return (found, hash)
    }

    private mutating func change(
        _ ordinal: UInt32, by delta: Int64, after: CountersAfter
    ) throws(ReplayError) {
        change(ordinal, by: delta)
        guard stocks[ordinal].pointee.after == after else { throw wrongCounters(ordinal, after) }
    }

    private mutating func take(
        _ id: Token, _ lines: EventLines, buyer: Token?, born: Timestamp?, ttl: Int64?
    ) throws(ReplayError) {
        let hash = try newID(id)
        for (index, line) in lines.enumerated() {
            resolved[index] = try existing(line.ordinal)
            guard line.quantity >= 1, line.quantity <= Limits.quantity else {
                throw misfit("a line of \(line.quantity) units")
            }
            (shownLines + index).initialize(to: OrderLine(sku: stocks.key(line.ordinal), quantity: line.quantity))
        }
        let asked = OrderLines(start: shownLines, count: lines.count)
        NewOrder.with(id: id, lines: asked, buyer: buyer, born: born) { take($0, hash, ttl: ttl) }
        try compare(lines)
    }

    /// Takes over which units an event is about. `whole`: it names every line of the order; else only those that move.
    private func choose(
        _ lines: EventLines, of record: Record, whole: Bool, _ have: (LineRecord) -> Int64
    ) throws(ReplayError) {
        guard whole ? lines.count == record.lineCount : lines.count <= record.lineCount else {
            throw misfit("it has other lines than its order")
        }
        var next = 0
        for index in 0..<record.lineCount {
            let line = record.lines[index]
            var units: Int64 = 0
            if next < lines.count && lines[next].ordinal == line.ordinal {
                units = lines[next].quantity
                next += 1
            }
            guard units >= 0, units <= have(line) else { throw misfit("more units than its order has") }
            setChosen(index, line.ordinal, units)
        }
        guard next == lines.count else { throw misfit("it has other lines than its order") }
    }

    /// Compares the lines that a change has left in `eventLines` with those that the log recorded.
    private func compare(_ lines: EventLines) throws(ReplayError) {
        for (index, line) in lines.enumerated() {
            let mine = eventLines[index]
            guard mine.ordinal == line.ordinal, mine.quantity == line.quantity, mine.after == line.after else {
                throw wrongCounters(line.ordinal, line.after)
            }
        }
    }

    private func wrongCounters(_ ordinal: UInt32, _ after: CountersAfter) -> ReplayError {
        let mine = stocks[ordinal].pointee.after
        return misfit(
            "\(stocks.key(ordinal).text) should have onhand=\(after.onhand) held=\(after.held) sold=\(after.sold) "
                + "and has onhand=\(mine.onhand) held=\(mine.held) sold=\(mine.sold)")
    }
}
