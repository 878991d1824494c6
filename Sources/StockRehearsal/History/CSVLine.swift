// One line of a file of comma-separated values. Fields may stand in quotes, and a quote in quotes is written twice;
// a field does not go over the end of its line, so a broken line spoils nothing but itself.

/// The fields of one line.
struct CSVLine {
    let fields: [String]

    private enum State { case start, plain, quoted, closed }

    /// - Parameter line: the bytes of the line, without its end.
    /// - Returns: nil when a quote is not closed, or something follows a closing quote.
    init?(_ line: ArraySlice<UInt8>) {
        var fields: [String] = []
        var field: [UInt8] = []
        var state = State.start
        for byte in line {
            switch (state, byte) {
            case (.quoted, UInt8(ascii: "\"")):
                state = .closed
            case (.quoted, _):
                field.append(byte)
            case (_, UInt8(ascii: ",")):
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
                state = .start
            case (.start, UInt8(ascii: "\"")):
                state = .quoted
            case (.closed, UInt8(ascii: "\"")):
                field.append(byte)
                state = .quoted
            case (.closed, _):
                return nil
            default:
                field.append(byte)
                state = .plain
            }
        }
        if state == .quoted { return nil }
        self.fields = fields + [String(decoding: field, as: UTF8.self)]
    }
}

/// A line of a file that cannot be used, and why.
public struct BadLine: Equatable, Sendable, CustomStringConvertible {
    /// The first line of a file, its header, is 1.
    public let line: Int
    public let problem: String

    public var description: String { "line \(line): \(problem)" }
}

/// A file of named columns, line by line.
struct CSVTable {
    /// Calls `body` with the values of `columns`, in their order, for each line after the header. The file may have
    /// its columns in any order, and others beside them; empty lines are passed over.
    ///
    /// - Returns: the lines that cannot be used: by their form, or by what `body` threw at them.
    /// - Throws: `.badFile` when the header lacks one of the columns.
    static func read(
        _ bytes: [UInt8], columns: [String], body: (_ line: Int, _ values: [String]) throws(LineProblem) -> Void
    ) throws(RehearsalError) -> [BadLine] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var header = lines.popFirst() ?? []
        if header.starts(with: mark) { header = header.dropFirst(mark.count) }
        let names = CSVLine(withoutReturn(header))?.fields ?? []
        var places: [Int] = []
        for column in columns {
            guard let place = names.firstIndex(of: column) else {
                throw .badFile("its first line must name the columns \(columns.joined(separator: ",")); '\(column)' is missing")
            }
            places.append(place)
        }
        var bad: [BadLine] = []
        for (index, raw) in lines.enumerated() {
            let line = withoutReturn(raw)
            if line.isEmpty { continue }
            do throws(LineProblem) {
                guard let fields = CSVLine(line)?.fields else { throw LineProblem("its quotes do not match") }
                guard fields.count == names.count else {
                    throw LineProblem("\(fields.count) columns, where the first line has \(names.count)")
                }
                try body(index + 2, places.map { fields[$0] })
            } catch {
                bad.append(BadLine(line: index + 2, problem: error.text))
            }
        }
        return bad
    }

    private static func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
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
