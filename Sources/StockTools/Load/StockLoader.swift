// Warm-up: the stock of a file put into a server. A SKU that the server has already is left as it is, so that the same
// file can be loaded twice, or again after it broke off: nothing that was sold in between is undone.

import StockConnection
import StockInput

/// What became of a file.
public struct LoadReport: Equatable, Sendable {
    /// Records of the file, its header not counted.
    public var rows = 0
    public var created = 0
    /// SKUs that the server had already.
    public var existing = 0
    /// Rows that say nothing that could be loaded.
    public var bad = 0
    /// Rows that the server refused.
    public var refused = 0
    /// The newest event, once all is on the server's disk.
    public var sequence: UInt64?

    /// Every row is on the server.
    public var isComplete: Bool { bad == 0 && refused == 0 }
}

/// A row that was not loaded.
public struct LoadProblem: Equatable, Sendable {
    public var line: Int
    public var problem: String
}

/// Loads one file. Memory does not grow with the file.
public struct StockLoader: ~Copyable {
    private let source: ByteSource
    private let connection: Connection
    private let report: (LoadProblem) -> Void
    private let progress: (LoadReport, _ bytesRead: Int64) -> Void
    public private(set) var summary = LoadReport()

    /// - Parameters:
    ///   - report: told of each row that is not loaded.
    ///   - progress: called every few thousand rows.
    public init(
        _ source: ByteSource, on connection: Connection, report: @escaping (LoadProblem) -> Void,
        progress: @escaping (LoadReport, Int64) -> Void = { _, _ in }
    ) {
        self.source = source
        self.connection = connection
        self.report = report
        self.progress = progress
    }

    /// Sends all rows and waits until they are on the server's disk. `summary` counts what was done, also when an
    /// error ends it.
    public mutating func run() throws {
        var reader = CSVReader(source)
        var pipeline = RequestPipeline(connection)
        var columns: StockColumns?
        reading: while true {
            switch try reader.next() {
            case .end:
                break reading
            case .malformed(let line, let problem):
                summary.rows += 1
                reject(line, problem)
            case .record(let line):
                if columns == nil {
                    let first = (0..<reader.fieldCount).map { reader.text($0) }
                    let found = try StockColumns(first: first, file: source.name)
                    columns = found
                    if found.hasHeader { continue reading }
                }
                summary.rows += 1
                guard let columns else { continue reading }
                switch Result(catching: { () throws(BadRow) in try columns.request(reader) }) {
                case .success(let request): try pipeline.send(request, tag: line) { try take($1, line: $0) }
                case .failure(let bad): reject(line, bad.problem)
                }
            }
            if summary.rows % 4_096 == 0 { progress(summary, source.bytesRead) }
        }
        try pipeline.finish { try take($1, line: $0) }
        try settle()
        progress(summary, source.bytesRead)
    }

    private mutating func reject(_ line: Int, _ problem: String) {
        summary.bad += 1
        report(LoadProblem(line: line, problem: problem))
    }

    private mutating func take(_ reply: ReplyLine, line: Int) throws {
        switch reply.word {
        case "CREATED": summary.created += 1
        case "EXISTS": summary.existing += 1
        case "SYNTAX", "RANGE", "TOOLONG":
            summary.refused += 1
            report(LoadProblem(line: line, problem: "the server refused it: \(reply)"))
        default:
            throw ToolError(refusal: reply)
        }
    }

    /// Asks for the disk: what the summary counts as loaded is not lost any more.
    private mutating func settle() throws {
        let reply = try connection.request("DURABLE", by: .after(.seconds(60))).head
        guard reply.word == "DURABLE" else { throw ToolError(refusal: reply) }
        summary.sequence = reply["seq"].flatMap { UInt64($0) }
    }
}

extension ToolError {
    /// A refusal that ends the work.
    init(refusal reply: ReplyLine) {
        switch reply.word {
        case "NOAUTH", "DENIED": self.init(.denied, "the server wants a password (--password-file): \(reply)")
        case "FULL", "BUSY", "READONLY", "SLOWDOWN": self.init(.tryLater, "the server takes no more now: \(reply)")
        default: self.init(.unreachable, "the server answered what was not expected: \(reply)")
        }
    }
}
