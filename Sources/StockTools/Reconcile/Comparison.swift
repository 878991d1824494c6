// Both records, each sorted by SKU, gone through side by side: what agrees, what drifts, what only one of them has.
// Everything of ours is of one sequence.

import StockArchive
import StockModel

/// How one SKU differs.
public struct Difference: Equatable, Sendable {
    public enum Kind: Int64, Sendable {
        /// Both have it, with other numbers.
        case drift
        /// The shop's record does not have it. It is reported, never repaired: a file that was cut off must not empty
        /// a shop.
        case onlyHere
        /// Only the shop's record has it.
        case onlyThere
    }

    public var kind: Kind
    public var sku: String
    /// As it is counted, `nil` where there is none.
    public var here: Int64?
    public var there: Int64?
    var ordinal: Int64?
    var onhand: Int64 = 0
    var held: Int64 = 0
    var floor: Int64 = 0
}

/// What a comparison found.
public struct ComparisonSummary: Equatable, Sendable {
    /// Rows of the shop's record, and those of them that cannot be compared.
    public var rows = 0
    public var bad = 0
    public var equal = 0
    public var drifting = 0
    public var onlyHere = 0
    public var onlyThere = 0
    /// Our side is that of this event.
    public var sequence: UInt64 = 0

    public var differences: Int { drifting + onlyHere + onlyThere }
    public var compared: Int { equal + drifting }
}

/// One comparison; it keeps its results in a scratch database until it goes away.
public final class Comparison {
    public let kind: CountKind
    public let record: ShopRecord
    public private(set) var summary = ComparisonSummary()
    let scratch: ScratchDatabase

    /// Reads the shop's record.
    ///
    /// - Parameter report: told of each row that cannot be compared.
    public init(with record: ShopRecord, counting kind: CountKind, report: (RecordProblem) -> Void) throws {
        self.kind = kind
        self.record = record
        scratch = try ScratchDatabase()
        (summary.rows, summary.bad) = try scratch.take(record, counting: kind, report: report)
    }

    /// Compares it with what `reader` sees.
    public func run(on reader: borrowing ArchiveReader, progress: (Int) -> Void = { _ in }) throws {
        summary.sequence = reader.position.sequence
        let database = scratch.database
        try database.execute("BEGIN")
        let here = try reader.prepare(
            "SELECT name, ordinal, onhand, held, sold, floor FROM sku WHERE NOT dropped ORDER BY name")
        let there = try database.prepare("SELECT sku, units FROM there ORDER BY sku")
        let equal = try database.prepare("INSERT INTO equal VALUES (?, ?)")
        let insert = try database.prepare("INSERT INTO difference VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        var hasHere = try here.step()
        var hasThere = try there.step()
        while hasHere || hasThere {
            let order = try Self.order(hasHere ? here.token(0) : nil, hasThere ? there.token(0) : nil)
            let value = kind.value(
                onhand: here.integer(2), held: here.integer(3), sold: here.integer(4), floor: here.integer(5))
            let (ours, theirs) = (kind.shown(value), there.integer(1))
            if order == 0, ours == theirs {
                summary.equal += 1
                equal.bind(here.integer(1), at: 1)
                equal.bind(ours, at: 2)
                try equal.run()
            } else {
                let found: Difference.Kind = order == 0 ? .drift : order < 0 ? .onlyHere : .onlyThere
                count(found)
                insert.bind(try order <= 0 ? here.token(0) : there.token(0), at: 1)
                insert.bind(found.rawValue, at: 2)
                insert.bind(order <= 0 ? here.integer(1) : nil, at: 3)
                insert.bind(order <= 0 ? ours : nil, at: 4)
                insert.bind(order >= 0 ? theirs : nil, at: 5)
                insert.bind(order <= 0 ? here.integer(2) : 0, at: 6)
                insert.bind(order <= 0 ? here.integer(3) : 0, at: 7)
                insert.bind(order <= 0 ? here.integer(5) : 0, at: 8)
                try insert.run()
            }
            if order <= 0 { hasHere = try here.step() }
            if order >= 0 { hasThere = try there.step() }
            let done = summary.equal + summary.differences
            if done % 10_000 == 0 { progress(done) }
        }
        try database.execute("COMMIT")
    }

    /// Hands out the differences in the order of their SKUs, drifts first.
    public func forEachDifference(_ body: (Difference) throws -> Void) throws {
        let statement = try scratch.database.prepare(
            "SELECT sku, kind, ordinal, here, there, onhand, held, floor FROM difference ORDER BY kind, sku")
        while try statement.step() {
            guard let kind = Difference.Kind(rawValue: statement.integer(1)) else { continue }
            func value(_ column: Int32) -> Int64? { statement.isNull(column) ? nil : statement.integer(column) }
            try body(
                Difference(
                    kind: kind, sku: statement.text(0), here: value(3), there: value(4), ordinal: value(2),
                    onhand: statement.integer(5), held: statement.integer(6), floor: statement.integer(7)))
        }
    }

    private func count(_ kind: Difference.Kind) {
        switch kind {
        case .drift: summary.drifting += 1
        case .onlyHere: summary.onlyHere += 1
        case .onlyThere: summary.onlyThere += 1
        }
    }

    /// As SQLite orders text: by bytes. What is not there comes after everything.
    private static func order(_ a: Token?, _ b: Token?) -> Int {
        guard let a else { return b == nil ? 0 : 1 }
        guard let b else { return -1 }
        for index in 0..<min(a.count, b.count) where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
        return a.count == b.count ? 0 : a.count < b.count ? -1 : 1
    }
}
