// A request as a person types it. The console sends lines as they stand and lets the server judge them; it looks only
// at what it must know itself: is there anything to send, is a secret in it, does the server hang up after it?

import StockWire

/// One line of input.
public struct RequestText: Equatable, Sendable {
    /// Without line end and without spaces around it.
    public let line: String

    /// - Returns: nil when nothing is to be sent: for a blank line and for a comment, which begins with `#`.
    public init?(_ text: some StringProtocol) {
        let isGap: (Character) -> Bool = { $0 == " " || $0 == "\r" || $0 == "\n" || $0 == "\r\n" || $0 == "\t" }
        // Tabs inside are left to the server; around a line they are what an editor put there.
        var trimmed = text.drop(while: isGap)
        while let last = trimmed.last, isGap(last) { trimmed.removeLast() }
        guard let first = trimmed.first, first != "#" else { return nil }
        line = String(trimmed)
    }

    /// The request that the words of a command line make.
    ///
    /// - Throws: for words that would not arrive as they were meant. An empty word is nearly always a shell variable
    ///   that is not set, and a request without it can mean much more: `CONFIRM o-1` sells all of an order.
    public init(arguments: [String]) throws(ArgumentError) {
        for (index, argument) in arguments.enumerated() {
            if argument.isEmpty { throw ArgumentError(description: "word \(index + 1) of the request is empty") }
            if argument.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) {
                throw ArgumentError(description: "word \(index + 1) of the request has a line end in it")
            }
        }
        guard let request = RequestText(arguments.joined(separator: " ")) else {
            throw ArgumentError(description: "there is no request in these words")
        }
        self = request
    }

    /// Why words make no request.
    public struct ArgumentError: Error, CustomStringConvertible {
        public let description: String
    }

    var words: [Substring] { line.split(separator: " ") }

    /// What it asks for; nil when the server will not know it either.
    public var verb: Verb? { words.first.flatMap(Verb.init(spelled:)) }

    /// A secret stands in it: it is not for the history, nor for messages. A misspelled `AUTH` may carry one too, but
    /// nobody can know that.
    public var carriesSecret: Bool {
        switch verb {
        case .auth: true
        case .hello: words.dropFirst().contains { $0.uppercased() == "AUTH" }
        default: false
        }
    }

    /// The server closes the connection after its reply.
    public var endsConnection: Bool { verb == .quit || verb == .shutdown }
}

extension Verb {
    /// The verb with that name, in any mixture of cases.
    public init?(spelled word: some StringProtocol) {
        let capitals = word.uppercased()
        guard let verb = Verb.allCases.first(where: { "\($0.name)" == capitals }) else { return nil }
        self = verb
    }
}
