// The words that a request may begin with. They are dense numbers, so that the server can count and time each of
// them in a plain array, and each knows how it is spelled and what it expects behind it.

/// What a request asks for; its name on the wire is `name`, in any mixture of cases.
public enum Verb: UInt8, CaseIterable, Sendable {
    // Orders
    case deduct, reserve, confirm, cancel, extend, giveBack, lookup, holds
    // Stock
    case create, adjust, count, configure, transfer, drop, get, mget, skus
    // The server
    case ping, durable, snapshot, verify, stats, clock, auth, quit, shutdown
    // What stock clients of Redis say when they connect
    case hello, client, command, select, config

    /// As it is spelled on the wire: 3…9 capital letters.
    public var name: StaticString {
        switch self {
        case .deduct: "DEDUCT"
        case .reserve: "RESERVE"
        case .confirm: "CONFIRM"
        case .cancel: "CANCEL"
        case .extend: "EXTEND"
        case .giveBack: "RETURN"
        case .lookup: "LOOKUP"
        case .holds: "HOLDS"
        case .create: "CREATE"
        case .adjust: "ADJUST"
        case .count: "COUNT"
        case .configure: "CONFIGURE"
        case .transfer: "TRANSFER"
        case .drop: "DROP"
        case .get: "GET"
        case .mget: "MGET"
        case .skus: "SKUS"
        case .ping: "PING"
        case .durable: "DURABLE"
        case .snapshot: "SNAPSHOT"
        case .verify: "VERIFY"
        case .stats: "STATS"
        case .clock: "CLOCK"
        case .auth: "AUTH"
        case .quit: "QUIT"
        case .shutdown: "SHUTDOWN"
        case .hello: "HELLO"
        case .client: "CLIENT"
        case .command: "COMMAND"
        case .select: "SELECT"
        case .config: "CONFIG"
        }
    }

    /// What is said when a request with this verb has too few words, too many, or an option that it does not know.
    var usage: StaticString {
        switch self {
        case .deduct: "expected: DEDUCT id sku qty [sku qty]... [buyer=b] [born=ms]"
        case .reserve: "expected: RESERVE id ttl sku qty [sku qty]... [buyer=b] [born=ms]"
        case .confirm: "expected: CONFIRM id [sku qty]... [late=1]"
        case .cancel: "expected: CANCEL id [born=ms] [reason=word]"
        case .extend: "expected: EXTEND id ttl"
        case .giveBack: "expected: RETURN rid id [sku qty]..."
        case .lookup: "expected: LOOKUP id"
        case .holds: "expected: HOLDS [sku=s] [buyer=b] [after=token] [count=n]"
        case .create: "expected: CREATE sku onhand [floor=n] [limit=n] [opens=ms] [closes=ms]"
        case .adjust: "expected: ADJUST id sku delta [reason=word] [force=1]"
        case .count: "expected: COUNT sku onhand if=onhand|id=id [force=1]"
        case .configure: "expected: CONFIGURE sku [floor=n] [limit=n] [opens=ms] [closes=ms] [paused=0|1], one at least"
        case .transfer: "expected: TRANSFER id from to qty, from another than to"
        case .drop: "expected: DROP sku"
        case .get: "expected: GET sku"
        case .mget: "expected: MGET sku..."
        case .skus: "expected: SKUS [prefix=p] [after=token] [count=n]"
        case .ping: "expected: PING [word]"
        case .durable: "expected: DURABLE"
        case .snapshot: "expected: SNAPSHOT"
        case .verify: "expected: VERIFY"
        case .stats: "expected: STATS [section]"
        case .clock: "expected: CLOCK"
        case .auth: "expected: AUTH [user] secret"
        case .quit: "expected: QUIT"
        case .shutdown: "expected: SHUTDOWN"
        case .hello: "expected: HELLO [2|3 [AUTH user secret] [SETNAME name]]"
        case .client: "expected: CLIENT SETINFO|SETNAME|GETNAME|ID|NO-EVICT|NO-TOUCH ..."
        case .command: "expected: COMMAND [COUNT|DOCS|INFO|LIST ...]"
        case .select: "expected: SELECT 0"
        case .config: "expected: CONFIG GET pattern..."
        }
    }
}
