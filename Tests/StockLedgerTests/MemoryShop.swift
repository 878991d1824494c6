// The real parser, ledger and reply writer without sockets and log: lines in, lines out, and time as the test says.
// Beside the ledger stands a second one that knows only the events; the two must never differ.

import StockLedger
import StockModel
import StockWire
import Testing

/// A stock server in memory.
final class MemoryShop {
    private var core: Core

    init(options: LedgerOptions = LedgerOptions(), seed: UInt64 = 1) {
        core = Core(key: HashKey(k0: seed, k1: ~seed), options: options)
    }

    /// The reply lines to one request line, without line ends.
    func respond(_ line: String, at now: Int64, admission: Admission = .open) -> [String] {
        core.respond(line, at: Timestamp(milliseconds: now), admission)
    }

    /// The single reply line to a request.
    func ask(_ line: String, at now: Int64, admission: Admission = .open) -> String {
        respond(line, at: now, admission: admission).joined(separator: "\n")
    }

    /// Does everything that is due and says what it did, event by event.
    func advance(to now: Int64) -> [Upkeep] { core.advance(to: Timestamp(milliseconds: now)) }

    /// Feeds the newest events to the replica; says what is wrong with laws or replica, if anything.
    func audit() -> String? { core.audit() }

    /// Begins a walk over the laws, or goes on with it for a few records.
    func verify(limit: Int) -> Verification { core.verify(limit: limit) }

    var digest: UInt64 { core.ledger.digest() }
    var memoryInUse: Int { core.ledger.memoryInUse }
    var counts: [Int] {
        [core.ledger.skuCount, core.ledger.orderCount, core.ledger.holdCount, core.ledger.operationCount]
    }

    struct Core: ~Copyable {
        var ledger: Ledger
        private var replica: Ledger
        private var parser: RequestParser
        private var output = ByteQueue()
        private var events = EventBuffer()
        private var isVerifying = false

        init(key: HashKey, options: LedgerOptions) {
            ledger = Ledger(hashKey: key, options: options)
            replica = Ledger(hashKey: key, options: options)
            parser = RequestParser(hashKey: key)
        }

        mutating func respond(_ line: String, at now: Timestamp, _ admission: Admission) -> [String] {
            let bytes = Array((line + "\n").utf8)
            bytes.withUnsafeBytes { bytes in
                var progress = ParseProgress()
                switch parser.next(in: bytes, from: 0, progress: &progress) {
                case .request(.command(let command), _, _):
                    output.write(ledger.execute(command, at: now, admission: admission, events: &events))
                case .request(.mget(let skus), _, _):
                    output.writeArrayHeader(skus.count)
                    for index in 0..<skus.count {
                        output.write(
                            ledger.execute(.get(sku: skus[index]), at: now, admission: admission, events: &events))
                    }
                case .request(.skus(let prefix, let after, let count), _, _):
                    listSKUs(prefix, after, count)
                case .request(.holds(let sku, let buyer, let after, let count), _, _):
                    listHolds(sku, buyer, after, count)
                case .refused(let refusal, _), .fatal(let refusal):
                    output.write(refusal)
                case .request, .ignored, .incomplete:
                    Issue.record("not a request for the ledger: \(line)")
                }
            }
            let text = String(decoding: output.bytes, as: UTF8.self)
            output.removeAll()
            settle()
            return text.split(separator: "\r\n").map(String.init)
        }

        private mutating func listSKUs(_ prefix: Token?, _ after: UInt64?, _ count: Int) {
            guard var cursor = ledger.stockCursor(prefix: prefix, after: after) else {
                return output.writeRefusal(.range)
            }
            var page = Page(count: count, entryRoom: Page.stockRoom)
            page.fill(from: { ledger.next(&cursor) }, write: { $1.write($0) })
            output.write(page, next: ledger.token(of: cursor))
        }

        private mutating func listHolds(_ sku: Token?, _ buyer: Token?, _ after: UInt64?, _ count: Int) {
            guard var cursor = ledger.holdCursor(sku: sku, buyer: buyer, after: after) else {
                return output.writeRefusal(.range)
            }
            var page = Page(count: count, entryRoom: Page.orderRoom)
            page.fill(from: { ledger.next(&cursor) }, write: { $1.write($0) })
            output.write(page, next: ledger.token(of: cursor))
        }

        mutating func advance(to now: Timestamp) -> [Upkeep] {
            let before = events.count
            while ledger.expire(at: now, limit: 7, events: &events) == 7 {}
            while ledger.forget(at: now, limit: 3, events: &events) == 3 {}
            var reader = EventReader(UnsafeRawBufferPointer(rebasing: events.bytes[before...]))
            var done: [Upkeep] = []
            while let event = try? reader.next() {
                switch event {
                case .expired(let id, _): done.append(.released(id.text))
                case .forgot(let through, _, _): done.append(.forgot(endedUpTo: Int64(through)))
                default: Issue.record("the clock made a \(event.kind)")
                }
            }
            settle()
            return done
        }

        mutating func audit() -> String? {
            settle()
            if let law = ledger.brokenLaw() { return law }
            if let law = replica.brokenLaw() { return "the replica: \(law)" }
            guard replica.sequence == ledger.sequence else { return "the replica has other events" }
            guard replica.digest() == ledger.digest() else { return "the replica has another digest" }
            return nil
        }

        mutating func verify(limit: Int) -> Verification {
            if !isVerifying { ledger.startVerification() }
            let step = ledger.continueVerification(limit: limit)
            isVerifying = step == .more
            return step
        }

        /// Applies what has happened since the last time to the replica.
        private mutating func settle() {
            var reader = EventReader(events.bytes)
            do {
                while let event = try reader.next() {
                    try replica.apply(event, sequence: replica.sequence + 1, at: ledger.clock)
                }
            } catch {
                Issue.record("replay: \(error)")
            }
            events.removeAll()
        }
    }
}
