// Why a SKU drifts. The history since the last agreement has every order and every adjustment that changed the counter;
// what is looked for among them is the smallest set without which both records would agree.

import StockArchive
import StockModel

/// A change of the counter, as the history has it.
public struct HistoryEntry: Equatable, Sendable {
    public var sequence: Int64
    /// ISO 8601, UTC.
    public var time: String
    public var kind: String
    public var id: String?
    public var order: String?
    public var buyer: String?
    /// By how much the counter changed.
    public var change: Int64
    public var reason: String?

    /// Changes belong together when they are of one order, or of one operation.
    var owner: String { order ?? id ?? "event \(sequence)" }
}

/// What the history says about one drift.
public struct Explanation: Equatable, Sendable {
    public enum Finding: Equatable, Sendable {
        /// The shop's record leaves the units of open orders out: it counts what is available.
        case holdsTakenOff
        /// The shop's record has the units of open orders in: it counts what is on hand.
        case holdsLeftIn
        /// The shop's record stands where the counter stood before the newest of the changes: it has not seen them.
        case behind
        /// The shop's record has seen all but these; with `alternatives` others that would fit as well.
        case missed(alternatives: Int)
        /// No change that is known makes the difference: something changed in the shop's record alone.
        case elsewhere
    }

    public var finding: Finding
    /// What explains the drift, oldest first; the first of them if there are many.
    public var entries: [HistoryEntry]
    /// How many explain it.
    public var entryCount: Int
    /// Changes of the counter that were looked at, and their sum.
    public var examined: Int
    public var change: Int64
    /// The event at which both agreed last; 0 if they never did.
    public var agreedAt: Int64
    /// The history was longer than was looked at, or began after the agreement.
    public var isHistoryCut: Bool
}

/// Explains the drifts of one comparison.
public struct Explainer: ~Copyable {
    /// Changes of one SKU that are looked at, the newest first.
    static let depth = 10_000
    /// Entries that an explanation names.
    static let named = 12

    private let kind: CountKind
    private let historyFrom: Int64
    private let agreement: Statement
    private let history: Statement
    private let holds: Statement

    public init(_ kind: CountKind, on reader: borrowing ArchiveReader) throws {
        self.kind = kind
        historyFrom = Int64(clamping: reader.position.historyFrom)
        let columns = """
            seq, time, kind, id, "order", buyer, onhand_after - onhand_before, held_after - held_before,
            sold_after - sold_before, reason
            """
        let agreement = try Agreements.last(kind, in: reader)
        let history = try reader.prepare(
            """
            SELECT \(columns) FROM sku_history WHERE ordinal = ?1 AND place >= ?2 AND onhand_after IS NOT NULL
                AND time_ms >= (SELECT time FROM entry WHERE place >= ?2 ORDER BY place LIMIT 1)
            ORDER BY time_ms DESC, place DESC
            """)
        let holds = try reader.prepare(
            """
            SELECT \(columns) FROM sku_history WHERE ordinal = ? AND kind = 'reserved'
                AND EXISTS (SELECT 1 FROM record WHERE record.number = sku_history.seq AND record.state = 1)
            ORDER BY time_ms DESC, place DESC
            """)
        self.agreement = agreement
        self.history = history
        self.holds = holds
    }

    /// What explains a drift.
    public func explain(_ drift: Difference) throws -> Explanation? {
        guard drift.kind == .drift, let ordinal = drift.ordinal, let there = drift.there, let here = drift.here else {
            return nil
        }
        agreement.bind(ordinal, at: 1)
        let agreedAt = try agreement.step() ? agreement.integer(0) : 0
        agreement.reset()
        if let finding = holdsFinding(drift, there) {
            let entries = try readHolds(ordinal, units: drift.held)
            return Explanation(
                finding: finding, entries: Array(entries.prefix(Self.named).reversed()), entryCount: entries.count,
                examined: entries.count, change: entries.reduce(0) { $0 &+ $1.change }, agreedAt: agreedAt,
                isHistoryCut: false)
        }
        let (entries, isCut) = try read(since: agreedAt &+ 1, ordinal)
        // What is below zero is shown as nothing available; the changes are looked at as they were.
        let value = kind == .available ? drift.onhand &- drift.held &- drift.floor : here
        var explanation = Self.search(entries, from: value, to: there)
        explanation.agreedAt = agreedAt
        explanation.isHistoryCut = isCut || (agreedAt &+ 1 < historyFrom && historyFrom > 1)
        return explanation
    }

    private func holdsFinding(_ drift: Difference, _ there: Int64) -> Explanation.Finding? {
        guard drift.held > 0 else { return nil }
        let taken = drift.onhand &- drift.held
        switch kind {
        case .onhand where there == taken || there == max(0, taken &- drift.floor): return .holdsTakenOff
        case .available where there == drift.onhand || there == max(0, drift.onhand &- drift.floor): return .holdsLeftIn
        default: return nil
        }
    }

    /// Changes of the counter, the newest first.
    private func read(since: Int64, _ ordinal: Int64) throws -> (entries: [HistoryEntry], isCut: Bool) {
        history.reset()
        history.bind(ordinal, at: 1)
        history.bind(since &* 1_024, at: 2)
        defer { history.reset() }
        var entries: [HistoryEntry] = []
        while try history.step() {
            let change = kind.change(onhand: history.integer(6), held: history.integer(7), sold: history.integer(8))
            guard change != 0 else { continue }
            if entries.count == Self.depth { return (entries, true) }
            entries.append(Self.entry(history, change: change))
        }
        return (entries, false)
    }

    /// The reservations that are still open, the newest first, until they hold all `units`.
    private func readHolds(_ ordinal: Int64, units: Int64) throws -> [HistoryEntry] {
        holds.reset()
        holds.bind(ordinal, at: 1)
        defer { holds.reset() }
        var entries: [HistoryEntry] = []
        var found: Int64 = 0
        while found < units, entries.count < Self.depth, try holds.step() {
            let entry = Self.entry(holds, change: holds.integer(7))
            found &+= entry.change
            entries.append(entry)
        }
        return entries
    }

    private static func entry(_ row: borrowing Statement, change: Int64) -> HistoryEntry {
        func text(_ column: Int32) -> String? { row.isNull(column) ? nil : row.text(column) }
        return HistoryEntry(
            sequence: row.integer(0), time: row.text(1), kind: row.text(2), id: text(3), order: text(4), buyer: text(5),
            change: change, reason: text(9))
    }

    // MARK: The search

    /// The smallest set of changes that makes `value` into `wanted` when it is taken back: the newest few, all changes
    /// of one order, or those of two.
    ///
    /// Complexity: O(entries).
    static func search(_ entries: [HistoryEntry], from value: Int64, to wanted: Int64) -> Explanation {
        let total = entries.reduce(0) { $0 &+ $1.change }
        var found: (finding: Explanation.Finding, places: [Int])?
        var before = value
        for (index, entry) in entries.enumerated() {
            before = before &- entry.change
            if before == wanted {
                found = (.behind, Array(0...index))
                break
            }
        }
        if let missed = missed(entries, drift: value &- wanted), missed.places.count < found?.places.count ?? .max {
            found = (.missed(alternatives: missed.alternatives), missed.places)
        }
        let places = (found?.places ?? []).sorted(by: >)
        return Explanation(
            finding: found?.finding ?? .elsewhere, entries: places.suffix(named).map { entries[$0] },
            entryCount: places.count, examined: entries.count, change: total, agreedAt: 0, isHistoryCut: false)
    }

    private static func missed(
        _ entries: [HistoryEntry], drift: Int64
    ) -> (places: [Int], alternatives: Int)? {
        var groups: [String: Int] = [:]
        var sums: [(sum: Int64, places: [Int])] = []
        for (index, entry) in entries.enumerated() {
            if let group = groups[entry.owner] {
                sums[group].sum &+= entry.change
                sums[group].places.append(index)
            } else {
                groups[entry.owner] = sums.count
                sums.append((entry.change, [index]))
            }
        }
        let single = sums.filter { $0.sum == drift }
        if let newest = single.first { return (newest.places, single.count - 1) }
        var known: [Int64: Int] = [:]
        for (index, group) in sums.enumerated() where group.sum != 0 {
            if let other = known[drift &- group.sum] { return (sums[other].places + group.places, 0) }
            if known[group.sum] == nil { known[group.sum] = index }
        }
        return nil
    }
}
