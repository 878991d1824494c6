// Step 3 of a request's way: what each verb does. Nearly all requests are commands, which the ledger decides; the
// others look at the ledger, or are about the connection or the server itself.

import CLinux
import StockLedger
import StockModel
import StockWire

/// What comes after a request was answered.
enum AfterAnswer {
    case answered
    /// It may have taken a large part of the turn: the clock is looked at.
    case answeredAtLength
    /// The reply just written waits for the disk, whatever the mode.
    case answeredWhenDurable
    /// The reply comes later; nothing behind it is looked at before.
    case awaited
    /// That was the connection's last request.
    case finished
}

extension Server {
    /// Answers one request, and times one in a few.
    @inline(__always)
    mutating func answer(_ request: Request, _ verb: Verb, _ connection: ConnectionPointer) -> AfterAnswer {
        let isTimed = statistics.timesNext
        statistics.requests &+= 1
        statistics.calls[Int(verb.rawValue)] &+= 1
        guard isTimed else { return decide(request, connection) }
        let start = clinux_monotonic_ns()
        let after = decide(request, connection)
        statistics.addSample(verb, nanoseconds: clinux_monotonic_ns() &- start)
        return after
    }

    /// As `answer`, for the commonest of all requests.
    @inline(__always)
    mutating func sell(_ order: NewOrder) {
        let isTimed = statistics.timesNext
        statistics.requests &+= 1
        statistics.calls[Int(Verb.deduct.rawValue)] &+= 1
        let start = isTimed ? clinux_monotonic_ns() : 0
        let outcome = store.ledger.deduct(order, at: ledgerTime, admission: admission, events: &events)
        if case .sold(let id, let sequence, let available, let replay) = outcome {
            replies.writeSold(id, sequence, available: available, replay: replay)
        } else {
            reply(outcome)
        }
        if isTimed { statistics.addSample(.deduct, nanoseconds: clinux_monotonic_ns() &- start) }
    }

    private mutating func decide(_ request: Request, _ connection: ConnectionPointer) -> AfterAnswer {
        if case .command(let command) = request, connection.pointee.isLoggedIn {
            execute(command)
            return .answered
        }
        return connection.pointee.isLoggedIn ? answerOther(request, connection) : answerStranger(request, connection)
    }

    /// Lets the ledger decide, and writes what it says.
    @inline(__always)
    private mutating func execute(_ command: Command) {
        reply(store.ledger.execute(command, at: ledgerTime, admission: admission, events: &events))
    }

    private mutating func reply(_ outcome: Outcome) {
        if case .refused(let refusal) = outcome {
            statistics.countRefusal(refusal.code)
            if case .readOnly = refusal {
                replies.write(refusal, readOnlyReason: logState.reason)
                return
            }
        }
        replies.write(outcome)
    }

    // MARK: Logging in

    /// Before the password was said, only these are served.
    private mutating func answerStranger(_ request: Request, _ connection: ConnectionPointer) -> AfterAnswer {
        switch request {
        case .auth(let login):
            if logIn(login, connection) { replies.writeSimple("OK") }
        case .hello(let version, let login):
            if let login {
                if logIn(login, connection) { greet(version, connection) }
            } else {
                refuse(.noAuth, "log in first: AUTH secret")
            }
        case .quit:
            replies.writeSimple("BYE")
            return .finished
        default:
            refuse(.noAuth, "log in first: AUTH secret")
        }
        return .answered
    }

    /// Whether the secret is right; if not, that has been answered.
    private mutating func logIn(_ login: Login, _ connection: ConnectionPointer) -> Bool {
        if let password = configuration.password, !isSame(login.secret, password) {
            refuse(.denied, "that is not the password")
            return false
        }
        connection.pointee.isLoggedIn = true
        return true
    }

    /// Compares in a time that tells nothing of the password but its length.
    private func isSame(_ given: UnsafeRawBufferPointer, _ password: [UInt8]) -> Bool {
        var difference = given.count ^ password.count
        for index in 0..<given.count {
            let expected = password.isEmpty ? 0 : password[index % password.count]
            difference |= Int(given[index] ^ expected)
        }
        return difference == 0
    }

    private mutating func refuse(_ code: RefusalCode, _ text: StaticString) {
        statistics.countRefusal(code)
        replies.writeRefusal(code, text)
    }

    // MARK: What is not the ledger's

    private mutating func answerOther(_ request: Request, _ connection: ConnectionPointer) -> AfterAnswer {
        switch request {
        case .command(let command): execute(command)
        case .mget(let skus):
            showStock(of: skus)
            return .answeredAtLength
        case .skus(let prefix, let after, let count):
            showStock(prefix: prefix, after: after, count: count)
            return .answeredAtLength
        case .holds(let sku, let buyer, let after, let count):
            showHolds(sku: sku, buyer: buyer, after: after, count: count)
            return .answeredAtLength

        case .ping(let word):
            if let word { replies.writeSimple(word) } else { replies.writeSimple("PONG") }
        case .clock: replies.writeClock(ledgerTime, sequence: store.ledger.sequence)
        case .durable: return answerDurable()
        case .snapshot: return answerSnapshot(connection)
        case .verify: return answerVerify(connection)
        case .stats(let section):
            writeStatistics(section: section)
            return .answeredAtLength
        case .quit:
            replies.writeSimple("BYE")
            return .finished
        case .shutdown:
            connection.pointee.awaitsFarewell = true
            stopping.farewells.append(connection.pointee.token)
            beginStopping("SHUTDOWN")
            return .finished

        case .auth(let login):
            if logIn(login, connection) { replies.writeSimple("OK") }
        case .hello(let version, let login):
            if let login {
                guard logIn(login, connection) else { break }
            }
            greet(version, connection)
        case .client(let client):
            switch client {
            case .noted: replies.writeSimple("OK")
            case .id: replies.writeInteger(Int64(clamping: connection.pointee.number))
            case .name: replies.writeSimple("")
            }
        case .commandList: replies.writeArrayHeader(0)
        case .commandCount: replies.writeInteger(Int64(Verb.allCases.count))
        case .select: replies.writeSimple("OK")
        case .configGet(let patterns): showConfiguration(patterns)
        }
        return .answered
    }

    /// `HELLO`: who this is. Keys and values are lines, so that the reply reads alike in both versions of RESP.
    private mutating func greet(_ version: Int?, _ connection: ConnectionPointer) {
        if version == 3 { replies.writeMapHeader(5) } else { replies.writeArrayHeader(10) }
        replies.writeSimple("server")
        replies.writeSimple("stockade")
        replies.writeSimple("version")
        replies.writeSimple(Server.version)
        replies.writeSimple("id")
        replies.writeInteger(Int64(clamping: connection.pointee.number))
        replies.writeSimple("mode")
        replies.writeSimple("standalone")
        replies.writeSimple("proto")
        replies.writeInteger(version == 3 ? 3 : 2)
    }

    /// The two settings that redis-benchmark asks for, as far as they mean anything here.
    private mutating func showConfiguration(_ patterns: TokenList) {
        var wantsSave = false
        var wantsLog = false
        for index in 0..<patterns.count {
            let pattern = patterns[index].text.lowercased()
            if pattern == "save" || pattern == "*" { wantsSave = true }
            if pattern == "appendonly" || pattern == "*" { wantsLog = true }
        }
        replies.writeArrayHeader((wantsSave ? 2 : 0) + (wantsLog ? 2 : 0))
        if wantsSave {
            replies.writeSimple("save")
            replies.writeSimple("")
        }
        if wantsLog {
            replies.writeSimple("appendonly")
            replies.writeSimple("yes")
        }
    }

    private mutating func answerDurable() -> AfterAnswer {
        if logState.syncHasFailed {
            statistics.countRefusal(.readOnly)
            replies.writeRefusal(.readOnly, text: logState.reason)
            return .answered
        }
        logState.wantsSync = true
        replies.writeDurable(sequence: store.ledger.sequence)
        return .answeredWhenDurable
    }

    // MARK: Pages

    /// `MGET`: all in one turn, so that no order is seen half.
    private mutating func showStock(of skus: TokenList) {
        replies.writeArrayHeader(skus.count)
        for index in 0..<skus.count { execute(.get(sku: skus[index])) }
    }

    private mutating func showStock(prefix: Token?, after: UInt64?, count: Int) {
        guard var cursor = store.ledger.stockCursor(prefix: prefix, after: after) else {
            refuse(.range, "that page token was never given")
            return
        }
        var page = Page(count: count, entryRoom: Page.stockRoom)
        page.fill(from: { store.ledger.next(&cursor) }, write: { $1.write($0) })
        replies.write(page, next: store.ledger.token(of: cursor))
    }

    private mutating func showHolds(sku: Token?, buyer: Token?, after: UInt64?, count: Int) {
        guard var cursor = store.ledger.holdCursor(sku: sku, buyer: buyer, after: after) else {
            refuse(.range, "that page token was never given")
            return
        }
        var page = Page(count: count, entryRoom: Page.orderRoom)
        page.fill(from: { store.ledger.next(&cursor) }, write: { $1.write($0) })
        replies.write(page, next: store.ledger.token(of: cursor))
    }
}
