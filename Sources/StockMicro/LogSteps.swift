// The steps that touch files: frames into the log, the log into an empty ledger, the log into the database.

import StockArchive
import StockJournal
import StockLedger
import StockModel

extension MicroBenchmark {
    /// The number of the next file, so that each repetition has a new one.
    private final class Counter {
        private var number = 0
        func next() -> Int {
            number += 1
            return number
        }
    }

    static func logging(_ items: Int, scratch: String) -> [MicroBenchmark] {
        let counter = Counter()
        let made = payloads(items)
        let total = made.reduce(0) { $0 + Int($1.count) }
        return [
            MicroBenchmark(
                name: "append", what: "an event written to the log, \(Material.turn) in a frame", items: total
            ) { try append(made, directory: "\(scratch)/log-\(counter.next())") },
            MicroBenchmark(name: "replay", what: "an event of the log read and applied to a ledger", items: total) {
                try replay(made)
            },
            MicroBenchmark(name: "fold", what: "an event of the log folded into the database", items: total) {
                try fold(made, path: "\(scratch)/archive-\(counter.next()).sqlite")
            },
        ]
    }

    /// The frames of a shop that sells `items` orders.
    private static func payloads(_ items: Int) -> [Payload] {
        let orders = Names("order-", items)
        let skus = Names("sku-", Material.skus)
        var events = EventBuffer()
        var payloads: [Payload] = []
        func take(_ ledger: borrowing Ledger) {
            let count = events.eventCount
            guard count > 0 else { return }
            payloads.append(
                Payload(
                    first: ledger.sequence - UInt64(count) + 1, count: UInt32(count), bytes: Array(events.bytes)))
            events.removeAll()
        }
        var ledger = Material.shop(skus, events: &events)
        take(ledger)
        for number in 0..<items {
            with(orders[number], skus[Material.sku(of: number)]) { order in
                _ = ledger.execute(.deduct(order), at: Material.start, admission: .open, events: &events)
            }
            if events.eventCount >= Material.turn { take(ledger) }
        }
        take(ledger)
        return payloads
    }

    private static func append(_ payloads: [Payload], directory path: String) throws -> Int64 {
        let directory = try StoreDirectory.open(path)
        var journal = try JournalWriter(opening: directory, options: JournalOptions(sync: .everysec)) { _ in }
        let most = payloads.map(\.bytes.count).max() ?? 0
        let buffer = UnsafeMutableRawPointer.allocate(
            byteCount: Frame.headerSize + most + Frame.maximumTrailerSize, alignment: 16)
        defer { buffer.deallocate() }
        let time = timed {
            for payload in payloads {
                payload.bytes.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress else { return }
                    (buffer + Frame.headerSize).copyMemory(from: base, byteCount: bytes.count)
                }
                // A segment that is not ready is waited for: that is the disk's time, and it is rare.
                var result = AppendResult.notReady
                while result == .notReady {
                    result = journal.append(
                        buffer: buffer, payloadCount: payload.bytes.count, firstSequence: payload.first,
                        eventCount: payload.count, time: Material.start.milliseconds)
                    if result == .notReady { _ = journal.service() }
                }
                invariant(result == .written, "the log of the benchmark can be written")
            }
        }
        try journal.close()
        return time
    }

    private static func replay(_ payloads: [Payload]) throws -> Int64 {
        var ledger = Ledger(hashKey: Material.key)
        return try timed {
            for payload in payloads {
                try payload.bytes.withUnsafeBytes { bytes in
                    var reader = EventReader(bytes)
                    var sequence = payload.first
                    while let event = try reader.next() {
                        try ledger.apply(event, sequence: sequence, at: Material.start)
                        sequence += 1
                    }
                }
            }
        }
    }

    private static func fold(_ payloads: [Payload], path: String) throws -> Int64 {
        var archive = try Archive.open(path, identity: StoreIdentity(store: 1, hashKey: Material.key))
        return try timed {
            for payload in payloads {
                try payload.bytes.withUnsafeBytes { bytes in
                    try archive.fold(payload: bytes, firstSequence: payload.first, at: Material.start)
                }
            }
            _ = try archive.commit()
        }
    }
}
