// The shop's own record of its stock, from a CSV file or from an SQLite database, brought into order: a scratch database
// sorts it, so that memory does not grow with it.

import Glibc
import StockArchive
import StockInput
import StockModel

/// Where the shop's record is.
public enum ShopRecord: Equatable, Sendable {
    /// A file of `sku,units`; `-` is standard input.
    case csv(path: String)
    /// A query of two columns, SKU and units, on a database that is only looked at.
    case sqlite(path: String, query: String)

    /// Reads `FILE` or `sqlite:FILE?QUERY`.
    public init(_ text: String) throws(ToolError) {
        guard text.hasPrefix("sqlite:") else {
            self = .csv(path: text)
            return
        }
        let rest = text.dropFirst("sqlite:".count)
        guard let mark = rest.firstIndex(of: "?"), mark != rest.startIndex, rest.index(after: mark) != rest.endIndex
        else {
            throw ToolError(.usage, "expected sqlite:FILE?QUERY, as 'sqlite:shop.db?SELECT sku, stock FROM product'")
        }
        self = .sqlite(path: String(rest[..<mark]), query: String(rest[rest.index(after: mark)...]))
    }

    /// What messages and the table `reconciliation` call it.
    public var name: String {
        switch self {
        case .csv(let path): path == "-" ? "standard input" : path
        case .sqlite(let path, _): "sqlite:\(path)"
        }
    }
}

/// A row of the shop's record that says nothing that could be compared.
public struct RecordProblem: Equatable, Sendable {
    /// A line of a file, or the number of a row of an answer.
    public var line: Int
    public var problem: String
}

/// A database of a run's own, in a directory of its own, gone afterwards.
final class ScratchDatabase {
    let database: Database
    private let directory: String

    init() throws(ToolError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/stockade-reconcile-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ToolError(.cannotWrite, "cannot make a directory in \(parent): \(String(cString: strerror(errno)))")
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            database = try Database("\(directory)/scratch.sqlite", .create)
            try database.execute(
                """
                PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
                CREATE TABLE there (sku TEXT PRIMARY KEY, units INTEGER NOT NULL, line INTEGER NOT NULL) WITHOUT ROWID;
                CREATE TABLE difference (
                    sku TEXT PRIMARY KEY, kind INTEGER NOT NULL, ordinal INTEGER, here INTEGER, there INTEGER,
                    onhand INTEGER, held INTEGER, floor INTEGER) WITHOUT ROWID;
                CREATE TABLE equal (ordinal INTEGER PRIMARY KEY, units INTEGER NOT NULL);
                """)
        } catch {
            rmdir(directory)
            throw ToolError(error)
        }
    }

    deinit {
        // The file is open until the last reference is gone; its name can go before.
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink("\(directory)/scratch.sqlite\(suffix)") }
        rmdir(directory)
    }

    // MARK: The shop's side

    /// Fills the table `there`.
    ///
    /// - Parameter report: told of each row that cannot be compared.
    /// - Returns: how many rows were taken and how many were not.
    func take(
        _ record: ShopRecord, counting kind: CountKind, report: (RecordProblem) -> Void
    ) throws -> (rows: Int, bad: Int) {
        var rows = 0
        var bad = 0
        let insert = try database.prepare("INSERT INTO there VALUES (?, ?, ?)")
        func reject(_ line: Int, _ problem: String) {
            bad += 1
            report(RecordProblem(line: line, problem: problem))
        }
        func add(_ sku: ArraySlice<UInt8>, _ units: ArraySlice<UInt8>, _ line: Int) throws {
            guard FieldValue.isToken(sku) else { return reject(line, BadRow.sku(sku).problem) }
            guard let number = FieldValue.integer(units), abs(number) <= Limits.counter else {
                return reject(line, "'\(String(decoding: units, as: UTF8.self).printable)' is not a number of units")
            }
            do {
                try sku.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress else { return }
                    insert.bind(Token(base: base, count: bytes.count), at: 1)
                    insert.bind(number, at: 2)
                    insert.bind(Int64(line), at: 3)
                    try insert.run()
                }
                rows += 1
            } catch ArchiveError.sqlite(let code, _, _) where code & 0xFF == 19 {
                // 19 is SQLITE_CONSTRAINT: the name is there.
                reject(line, "\(String(decoding: sku, as: UTF8.self)) stands twice; the first counts")
            }
        }
        try database.execute("BEGIN")
        switch record {
        case .csv(let path): try readFile(path, kind, reject, add)
        case .sqlite(let path, let query): try readAnswer(path, query, add)
        }
        try database.execute("COMMIT")
        return (rows, bad)
    }

    private func readFile(
        _ path: String, _ kind: CountKind, _ reject: (Int, String) -> Void,
        _ add: (ArraySlice<UInt8>, ArraySlice<UInt8>, Int) throws -> Void
    ) throws {
        let source = try ByteSource(path: path)
        var reader = CSVReader(source)
        var columns: ColumnMap?
        while true {
            switch try reader.next() {
            case .end: return
            case .malformed(let line, let problem): reject(line, problem)
            case .record(let line):
                if columns == nil {
                    let first = (0..<reader.fieldCount).map { reader.text($0) }
                    let found = try Self.columns(first, kind, file: source.name)
                    columns = found
                    if found.hasHeader { continue }
                }
                guard let places = columns?.places, let sku = places[0], let units = places[1] else { continue }
                try add(reader.field(sku), reader.field(units), line)
            }
        }
    }

    /// A shop's export has many columns; only two of them matter here, so that no other is refused.
    private static func columns(_ first: [String], _ kind: CountKind, file: String) throws(ToolError) -> ColumnMap {
        let words = first.map { $0.trimmed.lowercased() }
        let units = [kind.rawValue, "units", "quantity", "qty", "stock"]
        let map = try ColumnMap(
            [.init(names: ["sku"], isNeeded: true), .init(names: units, isNeeded: true)],
            passingOver: words, first: first, file: file)
        guard map.hasHeader || FieldValue.integer(Array((first.count > 1 ? first[1] : "").utf8)[...]) != nil else {
            throw ToolError(
                .badInput,
                "\(file): its first line is neither 'sku,\(kind.rawValue)' nor a SKU and a number; a header names a "
                    + "column sku and one of \(units.joined(separator: ", "))")
        }
        return map
    }

    private func readAnswer(
        _ path: String, _ query: String, _ add: (ArraySlice<UInt8>, ArraySlice<UInt8>, Int) throws -> Void
    ) throws {
        guard access(path, R_OK) == 0 else {
            throw ToolError(.noInput, "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        do {
            let shop = try Database(path, .read)
            let statement = try shop.prepare(query)
            guard statement.columnCount == 2 else {
                throw ToolError(.badInput, "the query has \(statement.columnCount) columns; it must have two: SKU, units")
            }
            var row = 0
            while try statement.step() {
                row += 1
                try add(Array(statement.text(0).utf8)[...], Array(statement.text(1).utf8)[...], row)
            }
        } catch let error as ArchiveError {
            switch error {
            case .busy: throw ToolError(.tryLater, "\(path) is locked by another program")
            case .sqlite(_, let message, _), .damaged(_, let message): throw ToolError(.badInput, "\(path): \(message)")
            default: throw ToolError(error)
            }
        }
    }
}
