// What the tests of the archive share: a ledger that is driven at random, its log in memory, and a directory that goes
// away.

import CLinux
import Glibc
import SeededRandom
import StockJournal
import StockLedger
import StockModel
import Testing

@testable import StockArchive

extension LedgerRestorer: RowSink {}

let testIdentity = StoreIdentity(store: 0x0123_4567_89AB_CDEF, hashKey: HashKey(k0: 7, k1: 11))

/// A directory of its own, removed with everything in it.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/stockade-archive-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "/tmp" }
            return String(cString: made)
        }
    }

    var database: String { path + "/archive.sqlite" }

    deinit {
        guard path.hasPrefix("/tmp/stockade-archive-"), let stream = opendir(path) else { return }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            unlink(path + "/" + name)
        }
        closedir(stream)
        rmdir(path)
    }
}

extension SeededGenerator {
    /// 0 ..< bound, for bounds > 0.
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// Tokens of texts, each in memory of its own for as long as this lives.
final class Words {
    private var known: [String: Token] = [:]
    private var memory: [UnsafeMutableRawPointer] = []

    subscript(text: String) -> Token {
        if let token = known[text] { return token }
        let bytes = Array(text.utf8)
        let place = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 8)
        bytes.withUnsafeBytes { if let base = $0.baseAddress { place.copyMemory(from: base, byteCount: bytes.count) } }
        memory.append(place)
        let token = Token(base: place, count: bytes.count)
        known[text] = token
        return token
    }

    deinit {
        for place in memory { place.deallocate() }
    }
}

/// The events of one turn, as a frame of the log has them.
struct Turn {
    var first: UInt64
    var time: Timestamp
    var bytes: [UInt8]
    /// The ledger's after the turn.
    var last: UInt64
    var digest: UInt64
}

/// A ledger under random commands, and the log that it wrote.
struct RandomShop: ~Copyable {
    let words = Words()
    var ledger: Ledger
    private(set) var turns: [Turn] = []
    private var random: SeededGenerator
    private var now = Timestamp(milliseconds: 1_763_690_400_000)
    private var orders = 0
    private var operations = 0

    static let skus = (0..<9).map { "sku/\($0)" }
    static let buyers = (0..<5).map { "buyer-\($0)" }

    static var options: LedgerOptions {
        var options = LedgerOptions()
        options.retention = 40_000
        return options
    }

    init(seed: UInt64) {
        ledger = Ledger(hashKey: testIdentity.hashKey, options: RandomShop.options)
        random = SeededGenerator(seed: seed)
    }

    /// Runs turns of up to eight commands each.
    mutating func run(turns count: Int) {
        for _ in 0..<count {
            var events = EventBuffer()
            let first = ledger.sequence + 1
            now = now + Int64(random.below(1_500))
            _ = ledger.expire(at: now, limit: 20, events: &events)
            _ = ledger.forget(at: now, limit: 10, events: &events)
            for _ in 0..<(1 + random.below(8)) {
                withCommand { command, ledger, now in
                    _ = ledger.execute(command, at: now, admission: .open, events: &events)
                }
            }
            guard events.eventCount > 0 else { continue }
            turns.append(
                Turn(
                    first: first, time: now, bytes: Array(events.bytes), last: ledger.sequence,
                    digest: ledger.digest()))
        }
    }

    var time: Timestamp { now }

    private mutating func withCommand(_ body: (Command, inout Ledger, Timestamp) -> Void) {
        let sku = words[RandomShop.skus[random.below(RandomShop.skus.count)]]
        let other = words[RandomShop.skus[random.below(RandomShop.skus.count)]]
        let buyer = random.chance(70) ? words[RandomShop.buyers[random.below(RandomShop.buyers.count)]] : nil
        let known = words["order-\(max(0, orders - random.below(40)))"]
        let none = OrderLines(start: nil, count: 0)
        switch random.below(100) {
        case 0..<6:
            let settings = StockSettings(
                floor: random.chance(30) ? Int64(random.below(7)) - 3 : nil,
                limit: random.chance(40) ? Int64(random.below(30)) : nil)
            body(.create(sku: sku, onhand: Int64(random.below(200)), settings: settings), &ledger, now)
        case 6..<12:
            operations += 1
            body(
                .adjust(
                    id: words["adjust-\(operations)"], sku: sku, delta: Int64(random.below(60)) + (-10),
                    reason: random.chance(50) ? words["restock"] : nil, force: random.chance(10)), &ledger, now)
        case 12..<15:
            operations += 1
            let condition: CountCondition =
                random.chance(50) ? .once(id: words["count-\(operations)"]) : .ifOnhand(Int64(random.below(50)))
            body(.count(sku: sku, onhand: Int64(random.below(150)), condition: condition, force: true), &ledger, now)
        case 15..<18:
            let settings = StockSettings(
                limit: Int64(random.chance(50) ? 0 : random.below(20)), paused: random.chance(5))
            body(.configure(sku: sku, settings: settings), &ledger, now)
        case 18..<21 where sku != other:
            operations += 1
            body(
                .transfer(id: words["move-\(operations)"], from: sku, to: other, quantity: Int64(1 + random.below(5))),
                &ledger, now)
        case 21..<23:
            body(.drop(sku: sku), &ledger, now)
        case 23..<60:
            orders += 1
            var lines = [OrderLine(sku: sku, quantity: Int64(1 + random.below(4)))]
            if sku != other && random.chance(40) { lines.append(OrderLine(sku: other, quantity: 1)) }
            lines.withUnsafeBufferPointer { lines in
                let born = random.chance(50) ? now : nil
                NewOrder.with(id: words["order-\(orders)"], lines: lines, buyer: buyer, born: born) { order in
                    let command: Command =
                        random.chance(50) ? .deduct(order) : .reserve(order, ttl: Int64(500 + random.below(20_000)))
                    body(command, &ledger, now)
                }
            }
        case 60..<75:
            if random.chance(70) {
                body(.confirm(id: known, lines: none, late: random.chance(40)), &ledger, now)
            } else {
                let lines = [OrderLine(sku: sku, quantity: 1)]
                lines.withUnsafeBufferPointer {
                    body(.confirm(id: known, lines: $0, late: random.chance(40)), &ledger, now)
                }
            }
        case 75..<83:
            let id = random.chance(80) ? known : words["never-\(random.below(1_000))"]
            body(.cancel(id: id, born: nil, reason: random.chance(30) ? words["unpaid"] : nil), &ledger, now)
        case 83..<87:
            body(.extend(id: known, ttl: Int64(1_000 + random.below(9_000))), &ledger, now)
        default:
            operations += 1
            if random.chance(50) {
                body(.giveBack(key: words["return-\(operations)"], order: known, lines: none), &ledger, now)
            } else {
                let lines = [OrderLine(sku: sku, quantity: 1)]
                lines.withUnsafeBufferPointer {
                    body(.giveBack(key: words["return-\(operations)"], order: known, lines: $0), &ledger, now)
                }
            }
        }
    }
}

extension Archive {
    /// Folds one turn as the archivist does.
    mutating func fold(_ turn: Turn) throws(ArchiveError) {
        var failure: ArchiveError?
        turn.bytes.withUnsafeBytes { bytes in
            do throws(ArchiveError) {
                try fold(payload: bytes, firstSequence: turn.first, at: turn.time)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

/// The ledger that the rows of an archive give.
func restored(_ path: String) throws -> Ledger {
    let reader = try ArchiveReader(path, identity: testIdentity)
    var restorer = LedgerRestorer(hashKey: testIdentity.hashKey, options: RandomShop.options)
    try reader.load(into: &restorer)
    let position = reader.position
    return try restorer.finish(
        LedgerRow(
            sequence: position.sequence, clock: position.clock, forgottenBy: position.forgottenBy,
            forgottenCount: position.forgottenCount, digest: position.digest))
}

/// Every row of a table as text, in the order of its key.
func rows(of table: String, in path: String) throws -> [String] {
    try answer("SELECT * FROM \(table)", in: path).sorted()
}

/// The rows of an answer, their columns parted by bars.
func answer(_ sql: String, in path: String) throws -> [String] {
    let database = try Database(path, .read)
    let statement = try database.prepare(sql)
    var rows: [String] = []
    while try statement.step() {
        rows.append((0..<statement.columnCount).map { statement.text($0) }.joined(separator: "|"))
    }
    return rows
}

/// A whole file.
func bytes(of path: String) throws(ArchiveError) -> [UInt8] {
    let file = Glibc.open(path, O_RDONLY)
    guard file >= 0 else { throw .missing(path: path) }
    defer { _ = Glibc.close(file) }
    var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
    let got = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
    return Array(bytes.prefix(max(0, got)))
}
