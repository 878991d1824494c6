// VERIFY: two proofs at once. The laws are recomputed from every order in memory, a slice in each turn of the loop. And
// the log is ended at one event S, whose digests are kept; the archivist folds exactly to S, counts the digests again
// from all rows, and the two must agree. Nobody waits for either but who asked.

import CLinux
import Logging
import StockLedger
import StockModel
import StockWire

/// Verifications that are wanted, and the one under way.
struct VerificationState {
    /// Who asked since the present one began.
    var waiting: [LateReply] = []
    var running: RunningVerification?
}

/// One verification: what was true at its sequence, and what has been found out so far.
struct RunningVerification {
    var waiting: [LateReply]
    var sequence: UInt64
    var skus: Int
    var orders: Int
    var digest: UInt64
    /// `more`: the walk goes on.
    var laws = Verification.more
    /// `nil`: not known yet.
    var rows: RowVerdict?
}

extension Server {
    mutating func answerVerify(_ connection: ConnectionPointer) -> AfterAnswer {
        guard mayAskArchive() else { return .answered }
        archive.verification.waiting.append(
            LateReply(token: connection.pointee.token, sequence: store.ledger.sequence, since: now))
        if archive.verification.running == nil { archive.isWanted = true }
        archivist.mail.hurry()
        connection.pointee.awaitsReply = true
        return .awaited
    }

    /// With the round that begins now, if somebody asked: what the rows must be when they are folded up to here.
    mutating func beginVerification() -> VerifyOrder? {
        guard archive.verification.running == nil, !archive.verification.waiting.isEmpty else { return nil }
        let digest = store.ledger.digest()
        archive.verification.running = RunningVerification(
            waiting: archive.verification.waiting, sequence: store.ledger.sequence, skus: store.ledger.skuCount,
            orders: store.ledger.orderCount, digest: digest)
        archive.verification.waiting.removeAll()
        store.ledger.startVerification()
        return VerifyOrder(
            skus: store.ledger.skuCount, orders: store.ledger.orderCount, digest: digest,
            shardDigests: store.ledger.shardDigests())
    }

    /// A slice of the walk.
    mutating func walkLaws() {
        guard let running = archive.verification.running, running.laws == .more else { return }
        let start = clinux_monotonic_ns()
        // Orders that end while the walk is on are put where it has still to go: it must be faster than the sale.
        var laws = store.ledger.continueVerification(
            limit: ArchiveLimits.walkSteps &+ 2 &* (record.requests &+ record.expirySteps))
        while laws == .more && clinux_monotonic_ns() &- start < ArchiveLimits.walkDuration {
            laws = store.ledger.continueVerification(limit: ArchiveLimits.walkSteps)
        }
        record.walkDuration = clinux_monotonic_ns() &- start
        archive.verification.running?.laws = laws
        // The next slice, or the reply, is due in the next turn.
        timers.set(.verification, at: now)
    }

    mutating func takeVerdict(ofRows verdict: RowVerdict, at sequence: UInt64) {
        // It may be about a verification that was given up.
        guard archive.verification.running?.sequence == sequence else { return }
        archive.verification.running?.rows = verdict
    }

    /// Answers when both proofs are there.
    mutating func finishVerification() {
        _ = timers.take(.verification, at: now)
        guard let running = archive.verification.running else { return }
        if case .broken(let law) = running.laws {
            conclude(running) { $0.writeRefusal(.corrupt, text: "memory \(law)") }
            logger.critical("VERIFY: a law of stock does not hold in memory: \(law)")
            return
        }
        guard running.laws == .lawful, let rows = running.rows else { return }
        switch rows {
        case .same:
            conclude(running) {
                $0.writeVerified(
                    sequence: running.sequence, skus: running.skus, orders: running.orders,
                    digest: hexadecimal(running.digest))
            }
        case .differ(let difference):
            conclude(running) { $0.writeRefusal(.corrupt, text: "database \(difference)") }
            logger.critical("VERIFY: the database is not what memory is: \(difference)")
        case .unknown(let why):
            conclude(running) { $0.writeRefusal(.busy, text: "the database cannot be compared: \(why)") }
        }
    }

    private mutating func conclude(_ running: RunningVerification, _ write: (inout ByteQueue) -> Void) {
        for one in running.waiting { answerLate(one, write) }
        store.ledger.stopVerification()
        archive.verification.running = nil
        if !archive.verification.waiting.isEmpty { archive.isWanted = true }
    }

    /// Nobody is told anything but this.
    mutating func giveUpVerification(_ code: RefusalCode, _ text: String) {
        let running = archive.verification.running
        let waiting = archive.verification.waiting
        guard running != nil || !waiting.isEmpty else { return }
        archive.verification = VerificationState()
        store.ledger.stopVerification()
        refuseLate((running?.waiting ?? []) + waiting, code, text)
    }
}
