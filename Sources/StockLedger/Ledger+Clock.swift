// What the clock asks for: releasing holds that have run out, and forgetting what ended long ago. Both are done in
// bounded pieces, and each piece is an event, so that replay does not depend on when it runs.

import StockModel

extension Ledger {
    /// Releases holds that are due, in about `limit` steps: a step releases one hold, or eight lines of one, or moves one
    /// nearer.
    ///
    /// - Returns: the steps used; less than `limit` means that nothing is left to do at `now`.
    public mutating func expire(at now: Timestamp, limit: Int, events: inout EventBuffer) -> Int {
        if now > clock { clock = now }
        var steps = 0
        while steps < limit {
            switch holds.step(until: clock) {
            case .idle:
                return steps
            case .moved:
                steps += 1
            case .due:
                steps += releaseDue(limit: limit - steps, &events)
            }
        }
        return steps
    }

    /// Releases some of the holds that are due; returns the steps used.
    private mutating func releaseDue(limit: Int, _ events: inout EventBuffer) -> Int {
        lookAtDueHolds(atMost: limit)
        var steps = 0
        for index in 0..<ahead.count where steps < limit {
            let entry = ahead[index]
            release(entry.reference, entry.hash, .expired, pairHash: entry.pairHash)
            events.appendExpired(id: records[entry.reference].id, lines: releasedLines(entry.reference))
            steps += work(on: entry.reference)
        }
        return steps
    }

    /// When `expire` has something to do next, or a moment before it; `nil` while no hold is open.
    public var nextExpiry: Timestamp? { holds.nextStep }

    /// Forgets ended orders and operations whose retention is over, about `limit` at most, and takes back the memory
    /// of dropped SKUs' buyers.
    ///
    /// - Returns: the steps used; less than `limit` means that nothing is left to do at `now`.
    public mutating func forget(at now: Timestamp, limit: Int, events: inout EventBuffer) -> Int {
        if now > clock { clock = now }
        var through: UInt64 = 0
        var steps = 0
        var reference = records.oldestEnded
        while steps < limit && reference != 0 {
            let header = records[reference].header
            guard header.pointee.moment &+ options.retention <= clock.milliseconds else { break }
            through = header.pointee.sequence
            steps += work(on: reference) + returns(of: reference)
            reference = header.pointee.next
        }
        // Only when all was done is there a pause: a backlog goes on at once.
        if steps < limit { lastForgetting = clock }
        if steps > 0 {
            let forgotten = forget(through: through)
            events.append(.forgot(through: through, endedBy: forgotten.endedBy, count: forgotten.count))
        }
        if steps < limit && buyers.isSweeping {
            steps += buyers.sweep(limit: limit - steps) { stocks[$0].pointee.isDropped }
        }
        return steps
    }

    /// Steps that a change to all lines of a record counts for.
    private func work(on reference: Arena.Reference) -> Int { 1 + records[reference].lineCount / 8 }

    /// The returns of an order; they are forgotten with it.
    private func returns(of reference: Arena.Reference) -> Int {
        var count = 0
        var next = records[reference].isOrder ? records[reference].header.pointee.newestReturn : 0
        while next != 0 {
            count += 1
            next = records[next].header.pointee.next
        }
        return count
    }

    /// When `forget` has something to do next; `nil` when nothing has ended. Once it has done all there was, it rests
    /// for a tenth of a second, so that a steady stream of sales is not followed by as many events of forgetting.
    public var nextForgetting: Timestamp? {
        if buyers.isSweeping { return clock }
        guard records.oldestEnded != 0 else { return nil }
        let due = Timestamp(milliseconds: records[records.oldestEnded].header.pointee.moment) + options.retention
        return max(due, lastForgetting + 100)
    }
}
