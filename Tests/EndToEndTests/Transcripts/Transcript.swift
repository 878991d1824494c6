// A dialogue with a freshly started server, as text (Protocol/transcripts): what clients send and, to the byte,
// what they get. This file reads the format; it knows nothing of sockets. Anything it does not know is an
// error: a directive with a typing mistake must not turn into a line of prose that tests nothing.

/// One transcript file, read.
struct Transcript {
    /// The file's name without its folder.
    let name: String
    /// The sentence of its first line: what the dialogue shows.
    let title: String
    /// Further flags for `serve`.
    let flags: [String]
    /// The content of a password file, when one is to be given to the server.
    let secret: String?
    let steps: [Step]

    struct Step {
        /// Counted from 1.
        let line: Int
        let action: Action
    }

    enum Action: Equatable {
        /// Requests in one write.
        case send(Int, [String])
        case sendRaw(Int, [UInt8])
        case expect(Int, LinePattern)
        case expectClosed(Int)
        case close(Int)
        case halfClose(Int)
        /// The request is sent again until its reply is the one given.
        case awaitReply(Int, String, [LinePattern])
        /// SIGKILL and start again; SIGTERM and start again.
        case kill, terminate
    }

    /// Raw bytes are line framing; such a dialogue cannot be played as arrays.
    var hasRawBytes: Bool {
        steps.contains { if case .sendRaw = $0.action { true } else { false } }
    }

    /// Reads a transcript.
    ///
    /// - Throws: `Failure`, naming file and line.
    init(name: String, text: String) throws {
        var parser = Parser()
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            do {
                try parser.read(line, number: index + 1)
            } catch let failure as Failure {
                throw Failure("\(name):\(index + 1): \(failure.description)")
            }
        }
        do {
            try parser.finish()
        } catch let failure as Failure {
            throw Failure("\(name): \(failure.description)")
        }
        (self.name, title, flags, secret) = (name, parser.title ?? "", parser.flags, parser.secret)
        steps = parser.steps
    }
}

/// Reads a transcript line by line.
private struct Parser {
    var title: String?
    var flags: [String] = []
    var secret: String?
    var steps: [Transcript.Step] = []
    /// The line before this one belonged to the step that stands last, and may be continued.
    private var continues = false

    mutating func read(_ line: Substring, number: Int) throws {
        if number == 1 {
            guard line.hasPrefix("# "), line.count > 2 else { throw Failure("the first line must be '# ' and what the dialogue shows") }
            title = String(line.dropFirst(2))
            return
        }
        if line.isEmpty || line == "#" || line.hasPrefix("# ") {
            continues = false
            return
        }
        if line.hasPrefix("!") { return try readSetting(line) }
        guard let colon = line.firstIndex(of: ":") else { throw Failure("unknown line '\(line)'") }
        let content = try Self.content(line[line.index(after: colon)...])
        let (verb, connection) = try Self.verb(line[..<colon])
        switch verb {
        case "C": try readClient(content, connection, number)
        case "R": append(.sendRaw(connection, try Self.unescape(content)), number)
        case "S": try readServer(content, connection, number)
        case "U":
            guard !content.isEmpty else { throw Failure("U: needs a request") }
            append(.awaitReply(connection, content, []), number, mayContinue: true)
        default:
            guard line == "K:" || line == "T:" else { throw Failure("\(verb): stands alone") }
            append(verb == "K" ? .kill : .terminate, number)
        }
    }

    func finish() throws {
        guard title != nil else { throw Failure("empty file") }
        guard !steps.isEmpty else { throw Failure("no dialogue in it") }
        for step in steps {
            if case .awaitReply(_, _, let patterns) = step.action, patterns.isEmpty {
                throw Failure("line \(step.line): U: needs the S: lines of its reply")
            }
        }
    }

    private mutating func readSetting(_ line: Substring) throws {
        guard steps.isEmpty else { throw Failure("settings stand before the dialogue") }
        if line.hasPrefix("!secret ") {
            guard secret == nil else { throw Failure("a second !secret") }
            secret = String(line.dropFirst("!secret ".count))
        } else if line.hasPrefix("! --") {
            flags += line.dropFirst(2).split(separator: " ").map(String.init)
        } else {
            throw Failure("unknown setting '\(line)'")
        }
    }

    private mutating func readClient(_ content: String, _ connection: Int, _ number: Int) throws {
        switch content {
        case "<close>": append(.close(connection), number)
        case "<half-close>": append(.halfClose(connection), number)
        default:
            // Unknown placeholders show here, not only when the line is played.
            let everyNumber = Dictionary(uniqueKeysWithValues: (0...9).map { ("t\($0)", "0") })
            _ = try Placeholder.expand(content, now: 0, numbers: everyNumber)
            if continues, let last = steps.last, case .send(connection, let lines) = last.action {
                steps[steps.count - 1] = .init(line: last.line, action: .send(connection, lines + [content]))
            } else {
                append(.send(connection, [content]), number, mayContinue: true)
            }
        }
    }

    private mutating func readServer(_ content: String, _ connection: Int, _ number: Int) throws {
        if content == "<closed>" { return append(.expectClosed(connection), number) }
        guard !content.isEmpty else { throw Failure("no reply line is empty") }
        let pattern = try LinePattern(content)
        if continues, let last = steps.last, case .awaitReply(connection, let request, let patterns) = last.action {
            steps[steps.count - 1] = .init(line: last.line, action: .awaitReply(connection, request, patterns + [pattern]))
        } else {
            append(.expect(connection, pattern), number)
        }
    }

    private mutating func append(_ action: Transcript.Action, _ number: Int, mayContinue: Bool = false) {
        steps.append(.init(line: number, action: action))
        continues = mayContinue
    }

    /// What follows the colon: nothing, or one space and the content.
    private static func content(_ rest: Substring) throws -> String {
        if rest.isEmpty { return "" }
        guard rest.hasPrefix(" ") else { throw Failure("a space belongs after the colon") }
        return String(rest.dropFirst())
    }

    /// `C`, `C2` … `C9`, and the like for R, S and U; K and T.
    private static func verb(_ text: Substring) throws -> (String, connection: Int) {
        let unknown = Failure("unknown directive '\(text):'")
        guard let letter = text.first, "CRSUKT".contains(letter) else { throw unknown }
        let rest = text.dropFirst()
        if rest.isEmpty { return (String(letter), 1) }
        guard "CRSU".contains(letter), rest.count == 1, let connection = Int(rest), (2...9).contains(connection) else { throw unknown }
        return (String(letter), connection)
    }

    /// The escapes `\r \n \t \0 \xHH \\`.
    private static func unescape(_ text: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "0"): bytes.append(0)
            case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "x"):
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                    throw Failure("\\x needs two hexadecimal digits")
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: throw Failure("unknown escape; known are \\r \\n \\t \\0 \\xHH \\\\")
            }
        }
        return bytes
    }
}
