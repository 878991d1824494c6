// Events written and read back; and bytes that are no events, which must be refused and never trap.

import SeededRandom
import StockModel
import Testing

@Suite("The bytes of an event")
struct EventBytesTests {
    /// What an event says, as text that can be compared.
    static func text(_ event: Event) -> String {
        func show(_ token: Token?) -> String { token?.text ?? "-" }
        func show(_ lines: EventLines) -> String {
            lines.map { "\($0.ordinal)x\($0.quantity)→\($0.after.onhand)/\($0.after.held)/\($0.after.sold)" }
                .joined(separator: ",")
        }
        func show(_ line: EventLine) -> String {
            withUnsafePointer(to: line) { show(EventLines(start: $0, count: 1)) }
        }
        switch event {
        case .created(let ordinal, let sku, let onhand, let settings):
            return "created \(ordinal) \(sku.text) \(onhand) \(settings)"
        case .adjusted(let id, let line, let forced, let reason):
            return "adjusted \(id.text) \(show(line)) \(forced) \(show(reason))"
        case .counted(let id, let line, let forced): return "counted \(show(id)) \(show(line)) \(forced)"
        case .configured(let ordinal, let settings): return "configured \(ordinal) \(settings)"
        case .transferred(let id, let from, let to): return "transferred \(id.text) \(show(from)) \(show(to))"
        case .dropped(let ordinal): return "dropped \(ordinal)"
        case .deducted(let id, let lines, let buyer, let born):
            return "deducted \(id.text) \(show(lines)) \(show(buyer)) \(born?.milliseconds ?? -1)"
        case .reserved(let id, let lines, let buyer, let born, let ttl, let expires):
            return "reserved \(id.text) \(show(lines)) \(show(buyer)) \(born?.milliseconds ?? -1) \(ttl) "
                + "\(expires.milliseconds)"
        case .confirmed(let id, let lines, let late): return "confirmed \(id.text) \(show(lines)) \(late)"
        case .cancelled(let id, let lines, let reason): return "cancelled \(id.text) \(show(lines)) \(show(reason))"
        case .emptyCancelled(let id, let born, let reason):
            return "emptyCancelled \(id.text) \(born?.milliseconds ?? -1) \(show(reason))"
        case .extended(let id, let expires): return "extended \(id.text) \(expires.milliseconds)"
        case .returned(let key, let order, let lines, let whole, let complete):
            return "returned \(key.text) \(order.text) \(show(lines)) \(whole) \(complete)"
        case .expired(let id, let lines): return "expired \(id.text) \(show(lines))"
        case .forgot(let through, let endedBy, let count): return "forgot \(through) \(endedBy.milliseconds) \(count)"
        }
    }

    /// One event of each kind and shape, extremes included.
    static func each(_ words: Words, _ body: (Event) -> Void) {
        let id = words.token("o-1"), long = words.token(String(repeating: "~", count: 128))
        let buyer = words.token("ann"), reason = words.token("broken")
        let edge = EventLine(
            ordinal: .max, quantity: -2 * Limits.counter,
            after: CountersAfter(onhand: -Limits.counter, held: Limits.counter, sold: 0))
        let lines = (1...3).map {
            EventLine(
                ordinal: UInt32($0), quantity: Int64($0) * 100,
                after: CountersAfter(onhand: Int64($0) * 1_000_000, held: 63, sold: 64))
        }
        let most = [EventLine](repeating: edge, count: Limits.pairs)
        let settings = SettingsAfter(floor: -5, limit: 2, opens: 1_763_690_400_000, closes: 0, paused: true)
        let time = Timestamp(milliseconds: 1_763_690_400_123)
        lines.withUnsafeBufferPointer { lines in
            most.withUnsafeBufferPointer { most in
                for event: Event in [
                    .created(ordinal: 1, sku: id, onhand: 0, settings: SettingsAfter()),
                    .created(ordinal: .max, sku: long, onhand: Limits.counter, settings: settings),
                    .adjusted(id: id, line: edge, forced: true, reason: reason),
                    .adjusted(id: id, line: lines[0], forced: false, reason: nil),
                    .counted(id: nil, line: lines[0], forced: false),
                    .counted(id: id, line: edge, forced: true),
                    .configured(ordinal: 7, settings: settings),
                    .transferred(id: id, from: lines[0], to: lines[1]),
                    .dropped(ordinal: 7),
                    .deducted(id: id, lines: lines, buyer: nil, born: nil),
                    .deducted(id: long, lines: most, buyer: long, born: time),
                    .reserved(id: id, lines: lines, buyer: buyer, born: time, ttl: Limits.longestHold, expires: time),
                    .confirmed(id: id, lines: lines, late: true),
                    .confirmed(id: id, lines: lines, late: false),
                    .cancelled(id: id, lines: lines, reason: reason),
                    .cancelled(id: id, lines: lines, reason: nil),
                    .emptyCancelled(id: id, born: nil, reason: nil),
                    .emptyCancelled(id: id, born: time, reason: reason),
                    .extended(id: id, expires: time),
                    .returned(key: buyer, order: id, lines: lines, whole: true, complete: false),
                    .returned(key: buyer, order: id, lines: lines, whole: false, complete: true),
                    .expired(id: id, lines: lines),
                    .forgot(through: .max, endedBy: time, count: 3),
                ] { body(event) }
            }
        }
    }

    @Test("What was written is read back, every kind in one payload")
    func roundTrip() throws {
        let words = Words()
        var buffer = EventBuffer(headroom: 48, tailroom: 16, capacity: 64)
        var written: [String] = []
        Self.each(words) { event in
            buffer.append(event)
            written.append(Self.text(event))
        }
        #expect(buffer.eventCount == written.count)
        var reader = EventReader(buffer.bytes)
        var read: [String] = []
        while let event = try reader.next() { read.append(Self.text(event)) }
        #expect(read == written)
    }

    @Test("A payload cut at any byte gives whole events and then an error, never a trap")
    func cutAnywhere() throws {
        let words = Words()
        Self.each(words) { event in
            if case .deducted(_, let lines, _, _) = event, lines.count > 3 { return }
            var buffer = EventBuffer()
            buffer.append(event)
            for length in 1..<buffer.count {
                var reader = EventReader(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<length]))
                #expect(throws: MalformedEvent.self) { _ = try reader.next() }
            }
        }
    }

    @Test("A payload with any bit flipped is read or refused, never a trap")
    func flippedBits() throws {
        let words = Words()
        Self.each(words) { event in
            if case .deducted(_, let lines, _, _) = event, lines.count > 3 { return }
            var buffer = EventBuffer()
            buffer.append(event)
            var bytes = Array(buffer.bytes)
            for bit in 0..<bytes.count * 8 {
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                bytes.withUnsafeBytes { bytes in
                    var reader = EventReader(bytes)
                    if let event = try? reader.next() { #expect(!Self.text(event).isEmpty) }
                }
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            }
        }
    }

    @Test("Random bytes are never more than refused")
    func garbage() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 1...80, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            // A length and a kind that are right lead further in.
            if bytes.count > 4 { (bytes[0], bytes[1]) = (UInt8(bytes.count), 0) }
            if bytes.count > 4 { bytes[2] = EventKind.allCases.randomElement(using: &random)?.rawValue ?? 1 }
            bytes.withUnsafeBytes { bytes in
                var reader = EventReader(bytes)
                while let event = try? reader.next() { #expect(!Self.text(event).isEmpty) }
            }
        }
    }

    @Test("The buffer keeps what it holds when it grows, and gives huge memory back when emptied")
    func growth() throws {
        let words = Words()
        var buffer = EventBuffer(headroom: 8, capacity: 16)
        for number in 0..<1_000 { buffer.append(.extended(id: words.token("o-\(number)"), expires: Timestamp(milliseconds: 5))) }
        var reader = EventReader(buffer.bytes)
        var count = 0
        while let event = try reader.next() {
            guard case .extended(let id, _) = event else { break }
            #expect(id.text == "o-\(count)")
            count += 1
        }
        #expect(count == 1_000)
        buffer.removeAll(keeping: 100)
        #expect(buffer.count == 0 && buffer.eventCount == 0)
        buffer.append(.dropped(ordinal: 1))
        #expect(buffer.eventCount == 1)
    }
}
