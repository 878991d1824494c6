// What the console knows about requests, for completion and hints. Nothing is written down twice: it is taken from the
// usage lines that the server itself gives with `-SYNTAX`.

import StockWire

/// The arguments of one verb.
public struct VerbGuide: Equatable, Sendable {
    /// Words of the usage: `id`, `[sku qty]...`, `[buyer=b]`.
    public let arguments: [String]

    public init(_ verb: Verb) {
        // "expected: TRANSFER id from to qty, from another than to"
        let usage = "\(verb.usage)".drop { $0 != " " }.prefix { $0 != "," }
        arguments = Array(Self.groups(usage).dropFirst())
    }

    /// Splits at the spaces outside brackets.
    private static func groups(_ text: some StringProtocol) -> [String] {
        var groups: [String] = []
        var group = ""
        var depth = 0
        for character in text {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if character == " ", depth == 0 {
                if !group.isEmpty { groups.append(group) }
                group = ""
            } else {
                group.append(character)
            }
        }
        return group.isEmpty ? groups : groups + [group]
    }

    /// `buyer=` for `[buyer=b]`; `if=` and `id=` for `if=onhand|id=id`.
    public var options: [String] { arguments.flatMap(Self.options(of:)) }

    private static func options(of argument: String) -> [String] {
        argument.split { "[]|".contains($0) }.compactMap { part in
            part.firstIndex(of: "=").map { String(part[...$0]) }
        }
    }

    /// What is still to come after `words`, which stand behind the verb.
    public func remaining(after words: [Substring]) -> String {
        var rest: [String] = []
        var positional = words.count { !$0.contains("=") }
        for argument in arguments {
            let options = Self.options(of: argument)
            if !options.isEmpty {
                if !options.contains(where: { option in words.contains { $0.lowercased().hasPrefix(option) } }) {
                    rest.append(argument)
                }
            } else if argument.hasSuffix("...") {
                // The pairs before it count too: `sku qty [sku qty]...` after `a 1 b` wants a qty.
                let group = argument.dropLast(3).filter { $0 != "[" && $0 != "]" }.split(separator: " ")
                let started = positional % max(1, group.count)
                positional = 0
                if started > 0 { rest.append(contentsOf: group.dropFirst(started).map(String.init)) }
                rest.append(argument)
            } else if positional > 0 {
                positional -= 1
            } else {
                rest.append(argument)
            }
        }
        return rest.joined(separator: " ")
    }
}

/// Completes and hints the lines of a conversation.
public enum LineAdvice {
    /// What the conversation itself understands.
    static let ownWords = ["HELP", "EXIT"]

    /// Verbs at the beginning, the verb's options behind it, and verbs behind `HELP`.
    public static func completion(of line: String) -> Completion {
        let words = line.split(separator: " ")
        let typed = line.last.map { $0 != " " } == true ? words.last.map(String.init) ?? "" : ""
        let before = typed.isEmpty ? words[...] : words.dropLast()
        guard let first = before.first else { return matches(verbs + ownWords, typed) }
        if first.uppercased() == "HELP" { return before.count == 1 ? matches(verbs, typed) : Completion() }
        guard let verb = Verb(spelled: first) else { return Completion() }
        let used = before.compactMap { word in word.firstIndex(of: "=").map { word[...$0].lowercased() } }
        return matches(VerbGuide(verb).options.filter { !used.contains($0) }, typed)
    }

    /// What may follow, with a space before it where one is missing; empty for unknown verbs.
    public static func hint(for line: String) -> String {
        let words = line.split(separator: " ")
        guard let first = words.first, words.count > 1 || line.last == " ", let verb = Verb(spelled: first) else {
            return ""
        }
        let rest = VerbGuide(verb).remaining(after: Array(words.dropFirst()))
        return rest.isEmpty || line.last == " " ? rest : " " + rest
    }

    private static let verbs = Verb.allCases.map { "\($0.name)" }

    private static func matches(_ words: [String], _ typed: String) -> Completion {
        let start = typed.uppercased()
        return Completion(candidates: words.filter { $0.uppercased().hasPrefix(start) }.sorted(), typed: typed.count)
    }
}
