// The shop of a test server: the real parser, ledger and reply writer, without log and disk. It knows nothing of
// sockets; StockadeTestServer puts one under it.

import StockLedger
import StockModel
import StockWire

/// What a connection must remember.
struct Session {
    var isLoggedIn: Bool
}

/// What became of the bytes at the front of a connection.
enum Served {
    /// No request is whole yet.
    case incomplete
    /// One was taken, and answered in the output unless a fault says otherwise.
    case served(consumed: Int, fault: Fault?)
    /// It was answered, and the connection closes.
    case last
}

/// A ledger that answers requests.
struct TestShop: ~Copyable {
    private var ledger: Ledger
    private var parser: RequestParser
    private var output = ByteQueue()
    private var events = EventBuffer()
    private var faults = FaultPlan()
    private let password: [UInt8]?
    /// How far the shop's clock is ahead of the machine's, in milliseconds.
    private var offset: Int64 = 0

    init(password: String?, retention: Int64, seed: UInt64) {
        let key = HashKey(k0: seed, k1: ~seed)
        var options = LedgerOptions()
        options.retention = retention
        ledger = Ledger(hashKey: key, options: options)
        parser = RequestParser(hashKey: key)
        self.password = password.map { Array($0.utf8) }
    }

    // MARK: What tests order and ask

    mutating func order(_ fault: Fault, verb: String?, count: Int) {
        faults.add(fault, verb: verb, count: count)
    }

    mutating func clearFaults() {
        faults.removeAll()
    }

    mutating func advance(by milliseconds: Int64) {
        offset = offset.addingReportingOverflow(max(milliseconds, 0)).partialValue
    }

    /// The first law of stock that is broken, if any.
    mutating func brokenLaw() -> String? { ledger.brokenLaw() }

    func newSession() -> Session { Session(isLoggedIn: password == nil) }

    // MARK: Serving

    /// Serves the first request of `bytes`, if it is whole.
    ///
    /// - Parameters:
    ///   - isFaulty: whether faults that were ordered happen to it.
    ///   - reply: is shown the bytes of the reply.
    mutating func serve(
        _ bytes: UnsafeRawBufferPointer, session: inout Session, wallClock: Int64, isFaulty: Bool = true,
        reply: (UnsafeRawBufferPointer) -> Void
    ) -> Served {
        let now = Timestamp(milliseconds: wallClock &+ offset)
        upkeep(at: now)
        defer {
            output.removeAll()
            events.removeAll()
        }
        var progress = ParseProgress()
        switch parser.next(in: bytes, from: 0, progress: &progress) {
        case .incomplete:
            return .incomplete
        case .ignored(let consumed):
            return .served(consumed: consumed, fault: nil)
        case .refused(let refusal, let consumed):
            output.write(refusal)
            reply(output.bytes)
            return .served(consumed: consumed, fault: nil)
        case .fatal(let refusal):
            output.write(refusal)
            reply(output.bytes)
            return .last
        case .request(let request, let verb, let consumed):
            let fault = isFaulty ? faults.take(for: "\(verb.name)") : nil
            switch fault {
            case .dropRequest, .reset: return .served(consumed: consumed, fault: fault)
            case .busy: output.writeRefusal(.busy)
            case .slowDown(let pause): output.appendLine("-SLOWDOWN retry=\(pause)ms")
            case .dropReply, .delay, .silence, nil:
                if answer(request, &session, at: now) {
                    reply(output.bytes)
                    return .last
                }
            }
            reply(output.bytes)
            return .served(consumed: consumed, fault: fault)
        }
    }

    private mutating func upkeep(at now: Timestamp) {
        while ledger.expire(at: now, limit: 1_000, events: &events) == 1_000 {}
        while ledger.forget(at: now, limit: 1_000, events: &events) == 1_000 {}
    }

    /// - Returns: whether the connection closes now.
    private mutating func answer(_ request: borrowing Request, _ session: inout Session, at now: Timestamp) -> Bool {
        switch copy request {
        case .auth(let login):
            logIn(login, &session)
            return false
        case .quit, .shutdown:
            output.writeSimple("BYE")
            return true
        default: break
        }
        guard session.isLoggedIn else {
            output.writeRefusal(.noAuth, "log in first")
            return false
        }
        switch copy request {
        case .command(let command):
            output.write(ledger.execute(command, at: now, admission: .open, events: &events))
        case .mget(let skus):
            output.writeArrayHeader(skus.count)
            for index in 0..<skus.count {
                output.write(ledger.execute(.get(sku: skus[index]), at: now, admission: .open, events: &events))
            }
        case .skus(let prefix, let after, let count): listSKUs(prefix, after, count)
        case .holds(let sku, let buyer, let after, let count): listHolds(sku, buyer, after, count)
        case .ping(nil): output.writeSimple("PONG")
        case .ping(let word?): output.writeSimple(word)
        case .durable: output.writeDurable(sequence: ledger.sequence)
        case .snapshot:
            // Nothing is kept here, so everything is as safe as it will be.
            output.writeSnapshot(
                sequence: ledger.sequence, skus: ledger.skuCount, orders: ledger.orderCount, milliseconds: 0)
        case .verify:
            if let broken = ledger.brokenLaw() {
                output.appendLine("-CORRUPT \(broken)")
            } else {
                output.writeVerified(
                    sequence: ledger.sequence, skus: ledger.skuCount, orders: ledger.orderCount,
                    digest: String(ledger.digest(), radix: 16))
            }
        case .clock: output.writeClock(now, sequence: ledger.sequence)
        case .stats:
            output.writeArrayHeader(4)
            output.writeStatistic("sequence", Int64(ledger.sequence))
            output.writeStatistic("skus", Int64(ledger.skuCount))
            output.writeStatistic("orders", Int64(ledger.orderCount))
            output.writeStatistic("holds", Int64(ledger.holdCount))
        case .auth, .quit, .shutdown, .hello, .client, .commandList, .commandCount, .select, .configGet:
            output.writeRefusal(.unknown, "not in a test server")
        }
        return false
    }

    private mutating func logIn(_ login: Login, _ session: inout Session) {
        guard let password, login.secret.elementsEqual(password) else {
            output.writeRefusal(.denied, "wrong secret")
            return
        }
        session.isLoggedIn = true
        output.writeSimple("OK")
    }

    // MARK: Pages

    private mutating func listSKUs(_ prefix: Token?, _ after: UInt64?, _ count: Int) {
        guard var cursor = ledger.stockCursor(prefix: prefix, after: after) else {
            return output.writeRefusal(.range, "that page token was never given")
        }
        var page = Page(count: count, entryRoom: Page.stockRoom)
        page.fill(from: { ledger.next(&cursor) }, write: { $1.write($0) })
        output.write(page, next: ledger.token(of: cursor))
    }

    private mutating func listHolds(_ sku: Token?, _ buyer: Token?, _ after: UInt64?, _ count: Int) {
        guard var cursor = ledger.holdCursor(sku: sku, buyer: buyer, after: after) else {
            return output.writeRefusal(.range, "that page token was never given")
        }
        var page = Page(count: count, entryRoom: Page.orderRoom)
        page.fill(from: { ledger.next(&cursor) }, write: { $1.write($0) })
        output.write(page, next: ledger.token(of: cursor))
    }
}

extension ByteQueue {
    /// A line of ASCII that is made here.
    fileprivate mutating func appendLine(_ text: String) {
        Array((text + "\r\n").utf8).withUnsafeBytes { append($0) }
    }
}
