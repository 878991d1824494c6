// What the tests of the tools share: a directory that goes away, and a small shop, that is a real ledger whose events go
// into a real log and a real database.

import Glibc
import StockArchive
import StockJournal
import StockLedger
import StockModel
import Testing

@testable import StockTools

/// A directory of a test's own.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/stockade-tools-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil, "no temporary directory")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.removeAll(path) }

    var store: String { "\(path)/store" }

    /// Writes a file and gives its path.
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        let place = "\(path)/\(name)"
        let file = open(place, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        let bytes = Array(bytes)
        try #require(bytes.isEmpty || Glibc.write(file, bytes, bytes.count) == bytes.count)
        return place
    }

    func write(_ text: String, to name: String) throws -> String { try write(text.utf8, to: name) }

    static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func removeAll(_ path: String) {
        for name in names(in: path) where unlink("\(path)/\(name)") != 0 { removeAll("\(path)/\(name)") }
        rmdir(path)
    }
}

/// Tokens of texts, each in memory of its own for as long as this lives.
final class Words {
    private var memory: [UnsafeMutableRawPointer] = []

    subscript(text: String) -> Token {
        let bytes = Array(text.utf8)
        let place = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 8)
        bytes.withUnsafeBytes { if let base = $0.baseAddress { place.copyMemory(from: base, byteCount: bytes.count) } }
        memory.append(place)
        return Token(base: place, count: bytes.count)
    }

    deinit {
        for place in memory { place.deallocate() }
    }
}

/// A store in use: what happens in the ledger is written to the log and folded into the database at once.
struct Shop: ~Copyable {
    private let directory: StoreDirectory
    private let words = Words()
    private var ledger: Ledger
    private var journal: JournalWriter
    private var archive: Archive
    private var now = Timestamp(milliseconds: 1_763_690_400_000)
    /// Whether the database follows; otherwise it stays where it is.
    var isFolding = true

    init(_ path: String) throws {
        let directory = try StoreDirectory.open(path, access: .serve)
        var options = JournalOptions(sync: .never)
        options.segmentBytes = 1 << 20
        let journal = try JournalWriter(opening: directory, options: options, replay: { _ in })
        let archive = try Archive.open("\(path)/archive.sqlite", identity: directory.identity)
        self.directory = directory
        self.journal = journal
        self.archive = archive
        ledger = Ledger(hashKey: directory.identity.hashKey)
    }

    var sequence: UInt64 { ledger.sequence }
    mutating func digest() -> UInt64 { ledger.digest() }

    /// Ends the log in order and gives the directory back.
    consuming func close() throws {
        try journal.close()
    }

    // MARK: What happens in a shop; each must be accepted

    mutating func create(_ sku: String, _ onhand: Int64, floor: Int64? = nil, limit: Int64? = nil) throws {
        try run(.create(sku: words[sku], onhand: onhand, settings: StockSettings(floor: floor, limit: limit)))
    }

    mutating func sell(_ id: String, _ lines: [(String, Int64)], buyer: String? = nil) throws {
        try withLines(lines) { shop, lines in
            let buyer = buyer.map { shop.words[$0] }
            try NewOrder.with(id: shop.words[id], lines: lines, buyer: buyer) { try shop.run(.deduct($0)) }
        }
    }

    mutating func hold(_ id: String, _ lines: [(String, Int64)], buyer: String? = nil) throws {
        try withLines(lines) { shop, lines in
            let buyer = buyer.map { shop.words[$0] }
            try NewOrder.with(id: shop.words[id], lines: lines, buyer: buyer) {
                try shop.run(.reserve($0, ttl: 3_600_000))
            }
        }
    }

    mutating func confirm(_ id: String) throws {
        try run(.confirm(id: words[id], lines: OrderLines(start: nil, count: 0), late: false))
    }

    mutating func adjust(_ id: String, _ sku: String, _ delta: Int64, reason: String? = nil) throws {
        try run(.adjust(id: words[id], sku: words[sku], delta: delta, reason: reason.map { words[$0] }, force: false))
    }

    mutating func giveBack(_ key: String, of order: String, _ lines: [(String, Int64)] = []) throws {
        try withLines(lines) { shop, lines in
            try shop.run(.giveBack(key: shop.words[key], order: shop.words[order], lines: lines))
        }
    }

    mutating func drop(_ sku: String) throws { try run(.drop(sku: words[sku])) }

    private mutating func withLines(
        _ lines: [(String, Int64)], _ body: (inout Shop, OrderLines) throws -> Void
    ) throws {
        let lines = lines.map { OrderLine(sku: words[$0.0], quantity: $0.1) }
        try lines.withUnsafeBufferPointer { try body(&self, $0) }
    }

    private mutating func run(_ command: Command) throws {
        now = now + 1_000
        var events = EventBuffer(headroom: Frame.headerSize, tailroom: Frame.maximumTrailerSize)
        let first = ledger.sequence + 1
        let outcome = ledger.execute(command, at: now, admission: .open, events: &events)
        if case .refused(let refusal) = outcome { throw NotAccepted(refusal: "\(refusal.code)") }
        let (time, count) = (now.milliseconds, events.eventCount)
        guard count > 0 else { return }
        let payload = events.bytes.count
        let buffer = UnsafeMutableRawPointer(mutating: try #require(events.bytes.baseAddress) - Frame.headerSize)
        let written = journal.append(
            buffer: buffer, payloadCount: payload, firstSequence: first, eventCount: UInt32(count), time: time)
        guard written == .written else { throw NotAccepted(refusal: "\(written)") }
        guard isFolding else { return }
        try archive.fold(payload: events.bytes, firstSequence: first, at: now)
        _ = try archive.commit()
    }
}

struct NotAccepted: Error {
    var refusal: String
}

/// Everything a comparison finds, with its explanations.
func reconcile(
    _ scratch: Scratch, against csv: String, by kind: CountKind = .onhand, keep: Bool = false
) throws -> (summary: ComparisonSummary, differences: [(Difference, Explanation?)]) {
    let file = try scratch.write(csv, to: "record.csv")
    let comparison = try Comparison(with: .csv(path: file), counting: kind, report: { _ in })
    let store = try StoreFiles(scratch.store)
    var found: [(Difference, Explanation?)] = []
    do {
        let reader = try store.read()
        try comparison.run(on: reader)
        let explainer = try Explainer(kind, on: reader)
        try comparison.forEachDifference { found.append(($0, try explainer.explain($0))) }
    }
    if keep { try comparison.keepAgreements(in: store, at: 1) }
    return (comparison.summary, found)
}
