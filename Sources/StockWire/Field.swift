// Every argument that a request can have: its range, and what is said to a client whose argument is not of the form
// (`-SYNTAX`) or of the form but out of range (`-RANGE`).

import StockModel

/// One kind of argument. Those that are options are spelled `name=value`.
enum Field: UInt8, CaseIterable {
    // Words under the token rule
    case sku, id, buyer, reason, prefix, word, user
    // Numbers
    case quantity, onhand, delta, floor, limit, opens, closes, born, ifOnhand, ttl, count, after, version, database
    // Yes or no
    case force, late, paused
    case secret

    /// How it is spelled before the `=`, for those that can be options.
    var optionName: StaticString? {
        switch self {
        case .sku: "SKU"
        case .id: "ID"
        case .buyer: "BUYER"
        case .reason: "REASON"
        case .prefix: "PREFIX"
        case .floor: "FLOOR"
        case .limit: "LIMIT"
        case .opens: "OPENS"
        case .closes: "CLOSES"
        case .born: "BORN"
        case .ifOnhand: "IF"
        case .count: "COUNT"
        case .after: "AFTER"
        case .force: "FORCE"
        case .late: "LATE"
        case .paused: "PAUSED"
        case .word, .user, .quantity, .onhand, .delta, .ttl, .version, .database, .secret: nil
        }
    }

    /// The numbers that it may be.
    @inline(__always)
    var range: ClosedRange<Int64> {
        switch self {
        case .quantity: 1...Limits.quantity
        case .onhand: 0...Limits.counter
        case .delta, .floor, .ifOnhand: -Limits.counter...Limits.counter
        case .limit: 0...Limits.buyerLimit
        case .opens, .closes, .born: 0...Limits.timestamp
        case .ttl: Limits.shortestHold...Limits.longestHold
        case .count: 1...Int64(Limits.pageEntries)
        case .version: 2...3
        case .database: 0...0
        case .after: 0...(Int64.max - 1)
        case .force, .late, .paused: 0...1
        case .sku, .id, .buyer, .reason, .prefix, .word, .user, .secret: 0...0
        }
    }

    /// Whether a sign may stand before the number.
    @inline(__always)
    var isSigned: Bool {
        switch self {
        case .delta, .floor, .ifOnhand: true
        default: false
        }
    }

    /// What is expected, for `-SYNTAX`.
    var form: StaticString {
        switch self {
        case .sku: "expected: a sku of 1 to 128 bytes from ! to ~ without ="
        case .id: "expected: an id of 1 to 128 bytes from ! to ~ without ="
        case .buyer: "expected: a buyer of 1 to 128 bytes from ! to ~ without ="
        case .reason: "expected: a reason of 1 to 128 bytes from ! to ~ without ="
        case .prefix: "expected: a prefix of 1 to 128 bytes from ! to ~ without ="
        case .word: "expected: a word of 1 to 128 bytes from ! to ~ without ="
        case .user: "expected: a user of 1 to 128 bytes from ! to ~ without ="
        case .quantity: "expected: a quantity, digits only"
        case .onhand: "expected: units on hand, digits only"
        case .delta: "expected: a delta, digits with an optional sign"
        case .floor: "expected: a floor, digits with an optional sign"
        case .limit: "expected: a limit, digits only"
        case .opens: "expected: opens in Unix milliseconds, digits only"
        case .closes: "expected: closes in Unix milliseconds, digits only"
        case .born: "expected: born in Unix milliseconds, digits only"
        case .ifOnhand: "expected: units on hand after if=, digits with an optional sign"
        case .ttl: "expected: a duration, digits and then ms, s, m, h or d (none: seconds)"
        case .count: "expected: a count of entries, digits only"
        case .after: "expected: the token of an earlier page"
        case .version: "expected: a protocol version, 2 or 3"
        case .database: "expected: a database number, 0"
        case .force: "expected: force=0 or force=1"
        case .late: "expected: late=0 or late=1"
        case .paused: "expected: paused=0 or paused=1"
        case .secret: "expected: a secret of at most 1024 bytes"
        }
    }

    /// What is allowed, for `-RANGE`.
    var bounds: StaticString {
        switch self {
        case .quantity: "a quantity is 1 to 1000000000000"
        case .onhand: "units on hand are 0 to 9000000000000000"
        case .delta: "a delta is 1 to 9000000000000000, up or down"
        case .floor: "a floor is -9000000000000000 to 9000000000000000"
        case .limit: "a limit is 0 to 1000000000000"
        case .opens: "opens is 0 to 9000000000000000"
        case .closes: "closes is 0 to 9000000000000000"
        case .born: "born is 0 to 9000000000000000"
        case .ifOnhand: "units on hand after if= are -9000000000000000 to 9000000000000000"
        case .ttl: "a duration is 1ms to 30d"
        case .count: "a count of entries is 1 to 1000"
        case .after: "that page token was never given"
        case .version: "the protocol versions are 2 and 3"
        case .database: "there is one database, 0"
        case .sku, .id, .buyer, .reason, .prefix, .word, .user, .force, .late, .paused, .secret: ""
        }
    }
}

/// Why a request was not understood.
enum Complaint: Error {
    /// Too few words, too many, or an option that the verb does not have.
    case usage
    case form(Field)
    case optionTwice
    case range(Field)
    case tooManyPairs
    case tooManySKUs
    /// The pairs of one SKU sum up to more than one line may have.
    case sumOfPairs

    /// - Parameter verb: whose usage is told.
    func refusal(of verb: Verb) -> ParseRefusal {
        switch self {
        case .usage: ParseRefusal(code: .syntax, word: nil, explanation: verb.usage)
        case .form(let field): ParseRefusal(code: .syntax, word: nil, explanation: field.form)
        case .optionTwice: ParseRefusal(code: .syntax, word: nil, explanation: "expected: each option once")
        case .range(let field): ParseRefusal(code: .range, word: nil, explanation: field.bounds)
        case .tooManyPairs: ParseRefusal(code: .range, word: nil, explanation: "an order has at most 1024 pairs")
        case .tooManySKUs: ParseRefusal(code: .range, word: nil, explanation: "MGET takes at most 1000 skus")
        case .sumOfPairs:
            ParseRefusal(
                code: .range, word: nil, explanation: "the pairs of one sku sum up to 1000000000000 at most")
        }
    }
}
