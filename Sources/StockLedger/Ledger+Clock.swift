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
        var looked = 0
        while steps < limit {
            if looked == 0 {
                looked = Ledger.dueAhead
                lookAtDueHolds()
            }
            looked &-= 1
            switch holds.step(until: clock) {
            case .idle:
                return steps
            case .moved:
                steps += 1
            case .due(let slot):
                let reference = holds.order(at: slot)
                let id = records[reference].id
                release(reference, hashKey.hash(id), .expired)
                events.append(.expired(id: id, lines: releasedLines(reference)))
                steps += work(on: reference)
            }
        }
        return steps
    }

    /// Holds that are looked at together.
    private static let dueAhead = 16

    /// Nearly all of the time of releasing one of very many holds is waiting for memory: its order, its SKU, its buyer's
    /// count. So the memory of the next few is looked at ahead, in loads that do not depend on each other, and the
    /// waits overlap. It changes nothing but the time.
    private mutating func lookAtDueHolds() {
        var orders = InlineArray<16, Arena.Reference>(repeating: 0)
        var count = 0
        holds.forEachDue(Ledger.dueAhead) {
            orders[count] = $0
            count &+= 1
        }
        var sum: UInt64 = 0
        for index in 0..<count { sum &+= records[orders[index]].header.pointee.sequence }
        for index in 0..<count {
            let record = records[orders[index]]
            guard record.lineCount > 0 else { continue }
            let ordinal = record.lines[0].ordinal
            let stock = stocks[ordinal]
            // The record of a SKU begins anywhere in a cache line and reaches into the next one.
            sum &+= UInt64(truncatingIfNeeded: stock.pointee.onhand) &+ stock.pointee.buyersDigest
            if let buyer = record.buyer { sum &+= buyers.slot(of: buyer, ordinal) }
        }
        for index in 0..<count {
            let record = records[orders[index]]
            guard record.lineCount > 0, let buyer = record.buyer else { continue }
            sum &+= UInt64(truncatingIfNeeded: buyers.units(of: buyer, record.lines[0].ordinal))
        }
        expected.sink = sum
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
