// One connection's talk, without its socket: requests that wait to be written, requests whose replies are awaited,
// and the piece of a reply line that has come without its end. Bytes in, bytes out; tests cut them anywhere.

import Glibc
import StockConnection
import StockModel

/// A connection's requests and replies. Times are nanoseconds of the monotonic clock.
struct Conversation: ~Copyable {
    private struct Awaited {
        let since: Int64
        let template: Int
    }

    /// The connection's number, from 0.
    let number: UInt64
    private let pipeline: Int
    private let awaited: UnsafeMutableBufferPointer<Awaited>
    private let output: UnsafeMutableRawBufferPointer
    private var unsentStart = 0
    private var unsentEnd = 0
    /// Requests written so far, which numbers the next one.
    private var written: UInt64 = 0
    private var firstAwaited = 0
    /// Requests whose replies have not come.
    private(set) var inFlight = 0
    /// The socket was full: its poller watches for room.
    var awaitsRoom = false
    /// The second line of a RESP bulk string is yet to come.
    private var isInBulk = false
    /// A line that came without its end.
    private(set) var unfinished: [UInt8] = []

    /// A reply line has at most so many bytes; only lines of one reply are read here, no pages.
    static let longestLine = 64 << 10

    /// Room for `pipeline` requests of at most `longest` bytes.
    init(number: Int, pipeline: Int, longest: Int) {
        self.number = UInt64(clamping: number)
        self.pipeline = pipeline
        awaited = .allocate(capacity: pipeline)
        output = .allocate(byteCount: pipeline * max(longest, 1), alignment: 8)
    }

    deinit {
        awaited.deallocate()
        output.deallocate()
    }

    // MARK: Asking

    /// How many more requests may be in flight.
    var room: Int { pipeline - inFlight }

    /// Adds `count` requests that are sent, or were due, at `since`; there is room for them.
    mutating func ask(_ count: Int, since: Int64, plan: Plan, book: borrowing RequestBook) {
        invariant(count <= room, "a connection has no more requests in flight than its pipeline holds")
        for _ in 0..<count {
            // In flight are pipeline - 1 at most, so what is unsent leaves room for one more; it may have to move.
            if unsentEnd + book.longest > output.count { moveUnsent() }
            let step = plan.step(written, of: number)
            guard let start = output.baseAddress else { return }
            unsentEnd += book.write(step, to: start + unsentEnd)
            var place = firstAwaited + inFlight
            if place >= pipeline { place -= pipeline }
            awaited[place] = Awaited(since: since, template: step.template)
            written &+= 1
            inFlight += 1
        }
    }

    /// What is to be written to the socket.
    var unsent: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: output[unsentStart..<unsentEnd]) }

    /// The socket took the first `count` bytes of `unsent`.
    mutating func sent(_ count: Int) {
        unsentStart += count
        if unsentStart == unsentEnd {
            unsentStart = 0
            unsentEnd = 0
        }
    }

    private mutating func moveUnsent() {
        let count = unsentEnd - unsentStart
        if count > 0, unsentStart > 0, let start = output.baseAddress {
            start.copyMemory(from: start + unsentStart, byteCount: count)
        }
        unsentStart = 0
        unsentEnd = count
    }

    // MARK: Hearing

    /// Takes in bytes that came at `now`: counts each whole line as the reply to the oldest request in flight.
    /// `bytes` begin with what was `unfinished`; the new unfinished piece is kept.
    ///
    /// - Throws: `.protocolError` for a line too long, an array, or a reply that nobody asked for.
    mutating func hear(
        _ bytes: UnsafeRawBufferPointer, at now: Int64, tally: inout Tally, book: borrowing RequestBook
    ) throws(ConnectionError) {
        guard let start = bytes.baseAddress else { return }
        let limit = start + bytes.count
        var line = start
        while line < limit, let end = memchr(line, 0x0A, limit - line) {
            let next = UnsafeRawPointer(end) + 1
            try hear(line: line, count: next - line, limit: limit, at: now, tally: &tally, book: book)
            line = next
        }
        let rest = limit - line
        guard rest <= Self.longestLine else { throw .protocolError("a line of more than \(Self.longestLine) bytes") }
        if rest > 0 || !unfinished.isEmpty {
            unfinished.removeAll(keepingCapacity: true)
            unfinished.append(contentsOf: UnsafeRawBufferPointer(start: line, count: rest))
        }
    }

    @inline(__always)
    private mutating func hear(
        line: UnsafeRawPointer, count: Int, limit: UnsafeRawPointer, at now: Int64, tally: inout Tally,
        book: borrowing RequestBook
    ) throws(ConnectionError) {
        if isInBulk {
            isInBulk = false
            return
        }
        guard inFlight > 0 else { throw .protocolError("a reply without a request: \(text(line, count))") }
        let sign = line.load(as: UInt8.self)
        if sign == UInt8(ascii: "$") {
            // The bytes of a bulk string follow on a line of their own, unless it is null ($-1).
            isInBulk = count > 1 && line.load(fromByteOffset: 1, as: UInt8.self) != UInt8(ascii: "-")
        } else if sign == UInt8(ascii: "*") || sign == UInt8(ascii: "%") {
            throw .protocolError("a list where one line was due: \(text(line, count))")
        }
        let request = awaited[firstAwaited]
        firstAwaited += 1
        if firstAwaited == pipeline { firstAwaited = 0 }
        inFlight -= 1
        let asExpected = book.expectation(of: request.template).holds(for: line, count: count, limit: limit)
        tally.count(since: request.since, now: now, asExpected: asExpected)
        if !asExpected { tally.remember(UnsafeRawBufferPointer(start: line, count: count)) }
    }

    private func text(_ line: UnsafeRawPointer, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: line, count: min(count, 80)), as: UTF8.self)
    }
}
