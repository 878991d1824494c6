// What an `S:` line of a transcript means: literal text with holes in it. `<ms>` is any decimal number, `<any>`
// any run of bytes, `<t1>` a number that is the same wherever that name stands in the file.

/// The pattern of one reply line.
struct LinePattern: Equatable {
    enum Part: Equatable {
        case literal([UInt8])
        case number
        case anything
        /// A number with a name, `t` and a digit.
        case named(String)
    }

    let text: String
    let parts: [Part]

    /// - Throws: `Failure` for a `<…>` that is none of the patterns.
    init(_ text: String) throws {
        self.text = text
        var parts: [Part] = []
        for piece in try Placeholder.split(text) {
            switch piece {
            case .text(let literal): parts.append(.literal(Array(literal.utf8)))
            case .placeholder("ms"): parts.append(.number)
            case .placeholder("any"): parts.append(.anything)
            case .placeholder(let name) where Placeholder.isNumberName(name): parts.append(.named(name))
            case .placeholder(let name):
                guard let run = Placeholder.run(name) else { throw Failure("unknown pattern <\(name)>") }
                parts.append(.literal(Array(run.utf8)))
            }
        }
        self.parts = parts
    }

    /// Does the whole of `line` match? Numbers met for the first time are added to `numbers`, which is left as
    /// it was when the line does not match.
    func matches(_ line: String, numbers: inout [String: String]) -> Bool {
        guard let found = Self.match(parts[...], Array(line.utf8)[...], numbers) else { return false }
        numbers = found
        return true
    }

    private static func match(
        _ parts: ArraySlice<Part>, _ line: ArraySlice<UInt8>, _ numbers: [String: String]
    ) -> [String: String]? {
        guard let part = parts.first else { return line.isEmpty ? numbers : nil }
        let rest = parts.dropFirst()
        switch part {
        case .literal(let bytes):
            return line.starts(with: bytes) ? match(rest, line.dropFirst(bytes.count), numbers) : nil
        case .anything:
            for length in 0...line.count {
                if let found = match(rest, line.dropFirst(length), numbers) { return found }
            }
            return nil
        case .number, .named:
            let digits = line.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !digits.isEmpty else { return nil }
            var numbers = numbers
            if case .named(let name) = part {
                let value = String(decoding: digits, as: UTF8.self)
                if let known = numbers[name], known != value { return nil }
                numbers[name] = value
            }
            return match(rest, line.dropFirst(digits.count), numbers)
        }
    }
}

/// The `<…>` of a transcript's lines.
enum Placeholder {
    enum Piece: Equatable {
        case text(String)
        case placeholder(String)
    }

    /// Cuts a line at its placeholders.
    static func split(_ line: String) throws -> [Piece] {
        var pieces: [Piece] = []
        var rest = line[...]
        while let open = rest.firstIndex(of: "<") {
            guard let close = rest[open...].firstIndex(of: ">") else { throw Failure("a '<' without its '>'") }
            if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
            pieces.append(.placeholder(String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        return pieces
    }

    /// `t` and one digit.
    static func isNumberName(_ name: String) -> Bool {
        name.count == 2 && name.first == "t" && name.dropFirst().allSatisfy { ("0"..."9").contains($0) }
    }

    /// `x*200`: that many times the character before the star.
    static func run(_ name: String) -> String? {
        guard let character = name.first, name.dropFirst().first == "*", let count = Int(name.dropFirst(2)),
            (0...1_000_000).contains(count)
        else { return nil }
        return String(repeating: character, count: count)
    }

    /// `now`, `now+1h`, `now-2d` as an offset in milliseconds.
    static func offsetFromNow(_ name: String) -> Int64? {
        guard name.hasPrefix("now") else { return nil }
        let rest = name.dropFirst("now".count)
        guard let sign = rest.first else { return 0 }
        guard sign == "+" || sign == "-" else { return nil }
        let digits = rest.dropFirst().prefix { ("0"..."9").contains($0) }
        let units: [Substring: Int64] = ["ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "": 1_000]
        guard let count = Int64(digits), count < 1_000_000_000, let unit = units[rest.dropFirst(1 + digits.count)] else { return nil }
        return sign == "-" ? -count * unit : count * unit
    }

    /// What a `C:` line sends: its placeholders replaced.
    ///
    /// - Throws: `Failure` for an unknown placeholder, or a number that no reply has given yet.
    static func expand(_ line: String, now: Int64, numbers: [String: String]) throws -> String {
        try split(line).map { piece in
            switch piece {
            case .text(let text): return text
            case .placeholder(let name):
                if let offset = offsetFromNow(name) { return "\(now + offset)" }
                if let run = run(name) { return run }
                guard isNumberName(name) else { throw Failure("unknown placeholder <\(name)>") }
                guard let number = numbers[name] else { throw Failure("no reply has given <\(name)> yet") }
                return number
            }
        }.joined()
    }
}
