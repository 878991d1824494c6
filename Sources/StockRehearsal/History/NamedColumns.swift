// The files of a rehearsal: named columns, and what is said about lines that cannot be used.

import StockInput

/// A line of a file that cannot be used, and why.
public struct BadLine: Equatable, Sendable, CustomStringConvertible {
    /// The first line of a file, its header, is 1.
    public let line: Int
    public let problem: String

    public var description: String { "line \(line): \(problem)" }
}

/// A file of named columns, record by record.
struct NamedColumns {
    /// Calls `body` with the values of `columns`, in their order, for each record after the header. The file may have
    /// its columns in any order, and others beside them; empty lines are passed over.
    ///
    /// - Returns: the lines that cannot be used: by their form, or by what `body` threw at them.
    /// - Throws: `.badFile` when the header lacks one of the columns, or the file is of another kind; `.noFile` when
    ///   it cannot be read to its end.
    static func read(
        _ source: ByteSource, columns: [String], body: (_ values: [String]) throws(LineProblem) -> Void
    ) throws(RehearsalError) -> [BadLine] {
        var reader = CSVReader(source)
        guard case .record = try reader.step() else { throw .missing(columns, columns.first) }
        let width = reader.fieldCount
        let names = (0..<width).map { reader.text($0) }
        var places: [Int] = []
        for column in columns {
            guard let place = names.firstIndex(of: column) else { throw .missing(columns, column) }
            places.append(place)
        }
        var bad: [BadLine] = []
        while true {
            switch try reader.step() {
            case .end: return bad
            case .malformed(let line, let problem): bad.append(BadLine(line: line, problem: problem))
            case .record(let line):
                do throws(LineProblem) {
                    guard reader.fieldCount == width else {
                        throw LineProblem("\(reader.fieldCount) columns, where the first line has \(width)")
                    }
                    try body(places.map { reader.text($0) })
                } catch {
                    bad.append(BadLine(line: line, problem: error.text))
                }
            }
        }
    }
}

extension CSVReader {
    fileprivate mutating func step() throws(RehearsalError) -> Item {
        do throws(ToolError) { return try next() } catch { throw RehearsalError(error) }
    }
}

extension RehearsalError {
    fileprivate static func missing(_ columns: [String], _ column: String?) -> RehearsalError {
        .badFile("its first line must name the columns \(columns.joined(separator: ",")); '\(column ?? "")' is missing")
    }
}

/// Why a line cannot be used.
struct LineProblem: Error {
    let text: String
    init(_ text: String) { self.text = text }

    /// `value` as a token of the protocol: a space becomes `_`, for tokens have none.
    ///
    /// - Throws: when other bytes are in it that no token has, or it is longer than `FileToken.longest`.
    static func token(_ value: String, _ what: String) throws(LineProblem) -> String {
        let bytes = value.utf8.map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "_") : $0 }
        guard !bytes.isEmpty else { throw LineProblem("no \(what)") }
        guard bytes.count <= FileToken.longest else { throw LineProblem("\(what) of more than \(FileToken.longest) bytes") }
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "=") }) else {
            throw LineProblem("\(what) with a character that the protocol's words do not have (only '!' to '~' without '=')")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What a file may name.
enum FileToken {
    /// Bytes; the protocol's 128 less room for the prefix of a run and the numbers of parts and returns.
    static let longest = 80
}
