// What the parser makes of a client's bytes. A request is a view: its tokens point into the bytes that were parsed
// and its lists into the parser's scratch, so it is good until the parser is called again or the bytes move.

import StockModel

/// One request, in either framing.
public enum Request {
    /// For the ledger.
    case command(Command)
    case mget(skus: TokenList)
    /// A page; `after` is the token of an earlier page, `count` is 1…`Limits.pageEntries`.
    case skus(prefix: Token?, after: UInt64?, count: Int)
    case holds(sku: Token?, buyer: Token?, after: UInt64?, count: Int)

    case ping(word: Token?)
    case durable
    case snapshot
    case verify
    case stats(section: Token?)
    case clock
    case auth(Login)
    case quit
    case shutdown

    /// `version`: 2 or 3; `nil`: as it is (a connection begins with 2).
    case hello(version: Int?, login: Login?)
    case client(ClientRequest)
    /// The client asks for a description of the commands: an empty array will do.
    case commandList
    /// As `commandList`, but only how many there are.
    case commandCount
    /// `SELECT 0`, the only database.
    case select
    case configGet(patterns: TokenList)
}

/// What `AUTH` and `HELLO … AUTH` carry. The secret is never a token: it may be any bytes, and it is never echoed.
public struct Login {
    public var user: Token?
    public var secret: UnsafeRawBufferPointer
}

/// The parts of `CLIENT` that clients use when they connect.
public enum ClientRequest {
    /// A name or a property of the client's library, which needs no more than `+OK`.
    case noted
    /// The number of this connection.
    case id
    /// The name of this connection; it has none, whatever it said.
    case name
}

/// A run of words of one request, each of which has passed the token rule.
@frozen
public struct TokenList {
    @usableFromInline let words: UnsafePointer<Word>
    public let count: Int

    @inlinable
    init(words: UnsafePointer<Word>, count: Int) {
        self.words = words
        self.count = count
    }

    @inlinable
    public subscript(index: Int) -> Token {
        Token(base: words[index].base, count: words[index].count)
    }
}

/// What the parser found at the front of a connection's unread bytes; `consumed` counts the bytes it took.
public enum Parsed {
    case request(Request, verb: Verb, consumed: Int)
    /// A blank line or an empty array: no reply.
    case ignored(consumed: Int)
    /// Answer, and go on behind it.
    case refused(ParseRefusal, consumed: Int)
    /// Nothing is consumed until more bytes have come.
    case incomplete
    /// Answer, flush and close: nobody can say where the next request begins.
    case fatal(ParseRefusal)
}

/// A `-` reply that the ledger is not asked for: `-CODE word explanation`.
public struct ParseRefusal {
    /// `syntax`, `range`, `unknown` or `tooLong`.
    public var code: RefusalCode
    /// The verb of `-UNKNOWN`, when it passed the token rule.
    public var word: Token?
    /// May be empty.
    public var explanation: StaticString
}

/// How far an incomplete request has been looked at, kept by its connection between calls of the parser. It makes a
/// request that comes in byte by byte cost as much as one that comes at once. Offsets count from the request's first
/// byte, so the bytes may move in memory meanwhile.
public struct ParseProgress {
    /// Bytes that need not be looked at again; 0: nothing is known.
    var scanned = 0
    /// Arguments of an array that are still to come, from `scanned` on.
    var argumentsLeft = 0
    /// Bytes of its arguments before `scanned`.
    var argumentBytes = 0

    public init() {}
}
