// The loop's side of the archive. A snapshot is a round in three steps, none of which the loop waits for: the segment in
// use is ended (two system calls), the sync thread seals it, the archivist folds it. Rounds follow each other, never two
// at a time; whoever asks for a snapshot waits for the first round that begins afterwards, alone or with others.

import CLinux
import Logging
import StockArchive
import StockJournal
import StockModel
import StockWire

/// Somebody who hears later: a connection that is not read from meanwhile.
struct LateReply {
    var token: PollToken
    /// The ledger's newest event when it was asked for.
    var sequence: UInt64
    /// When it was asked for, in monotonic nanoseconds.
    var since: Int64
}

/// One snapshot, from the end of its segment to its commit.
struct SnapshotRound {
    var segment: UInt64
    var sequence: UInt64
    var skus: Int
    var orders: Int
    var since: Int64
    var verify: VerifyOrder?
    /// The archivist has it.
    var isOrdered = false
}

/// What the loop knows of the archive.
struct ArchiveState {
    var round: SnapshotRound?
    /// Another one is wanted, by the clock or by somebody.
    var isWanted = false
    /// Who asked for SNAPSHOT.
    var waiting: [LateReply] = []
    var verification = VerificationState()

    /// The database stands at this event.
    var foldedSequence: UInt64 = 0
    /// The newest round that was completed: Unix milliseconds, and how long it took in nanoseconds.
    var lastAt: Int64 = 0
    var lastDuration: Int64 = 0
    var rounds: UInt64 = 0
    /// Why the database could not be written the last time; empty when it could.
    var lastTrouble = ""
    /// Bytes of log when the newest round began.
    var bytesAtStart: UInt64 = 0

    /// When the oldest event was written that no round covers, and that the present one covers. Monotonic nanoseconds.
    var openSince: Int64?
    var roundSince: Int64?

    /// How long the oldest event that is not folded has been waiting, in milliseconds.
    func lag(at now: Int64) -> Int64 {
        guard let since = roundSince ?? openSince else { return 0 }
        return max(0, now &- since) / 1_000_000
    }
}

extension Server {
    // MARK: Asking

    mutating func answerSnapshot(_ connection: ConnectionPointer) -> AfterAnswer {
        guard mayAskArchive() else { return .answered }
        archive.waiting.append(LateReply(token: connection.pointee.token, sequence: store.ledger.sequence, since: now))
        archive.isWanted = true
        archivist.mail.hurry()
        connection.pointee.awaitsReply = true
        return .awaited
    }

    /// Whether there is a point in asking; if not, that has been answered.
    mutating func mayAskArchive() -> Bool {
        if stopping.hasBegun {
            statistics.countRefusal(.busy)
            replies.writeRefusal(.busy, "the server stops")
            return false
        }
        if logState.syncHasFailed {
            statistics.countRefusal(.readOnly)
            replies.writeRefusal(.readOnly, text: logState.reason)
            return false
        }
        return true
    }

    /// Answers somebody who waited, and lets the connection go on.
    mutating func answerLate(_ late: LateReply, _ write: (inout ByteQueue) -> Void) {
        // It may be gone, and nobody wants its reply.
        guard let connection = connections.find(late.token) else { return }
        let start = replies.count
        write(&replies)
        addRun(connection, from: start, to: replies.count)
        connection.pointee.awaitsReply = false
        enqueue(connection)
    }

    mutating func refuseLate(_ late: [LateReply], _ code: RefusalCode, _ text: String) {
        for one in late {
            statistics.countRefusal(code)
            answerLate(one) { $0.writeRefusal(code, text: text) }
        }
    }

    // MARK: News

    /// Takes in what the archivist has done. Before requests are served, so that a connection that waited goes on in
    /// this turn, behind its reply.
    mutating func takeArchiveNews() {
        for news in archivist.mail.takeNews() {
            switch news {
            case .folded(let sequence): takeFold(sequence)
            case .foldFailed(let text): takeFailedFold(text)
            case .verified(let sequence, let verdict): takeVerdict(ofRows: verdict, at: sequence)
            case .note(let text, let isTrouble):
                if isTrouble { logger.error("\(text)") } else { logger.info("\(text)") }
            }
        }
        finishVerification()
        if stopping.hasBegun { refuseAllLate(.busy, "the server stops") }
        if logState.syncHasFailed { refuseAllLate(.readOnly, logState.reason) }
    }

    private mutating func refuseAllLate(_ code: RefusalCode, _ text: String) {
        archive.isWanted = false
        if !archive.waiting.isEmpty {
            refuseLate(archive.waiting, code, text)
            archive.waiting.removeAll()
        }
        giveUpVerification(code, text)
    }

    private mutating func takeFold(_ sequence: UInt64) {
        if !archive.lastTrouble.isEmpty {
            logger.notice("the database is written again", metadata: ["seq": "\(sequence)"])
            archive.lastTrouble = ""
        }
        archive.foldedSequence = max(archive.foldedSequence, sequence)
        guard let round = archive.round, round.sequence <= sequence else { return }
        archive.round = nil
        archive.roundSince = nil
        archive.rounds &+= 1
        archive.lastAt = clinux_realtime_ns() / 1_000_000
        archive.lastDuration = now &- round.since
        let late = archive.waiting
        let moment = now
        archive.waiting.removeAll { $0.sequence <= sequence }
        for one in late where one.sequence <= sequence {
            answerLate(one) {
                $0.writeSnapshot(
                    sequence: round.sequence, skus: round.skus, orders: round.orders,
                    milliseconds: (moment &- one.since) / 1_000_000)
            }
        }
        if !archive.waiting.isEmpty { archive.isWanted = true }
    }

    private mutating func takeFailedFold(_ text: String) {
        if archive.lastTrouble != text {
            logger.error("the database cannot be written, sales go on: \(text)")
            archive.lastTrouble = text
        }
        archive.round?.verify = nil
        let late = archive.waiting
        archive.waiting.removeAll()
        refuseLate(late, .busy, "the database cannot be written: \(text)")
        // The round goes on when the archivist has succeeded.
        if archive.round != nil { giveUpVerification(.busy, "the database cannot be written: \(text)") }
    }

    // MARK: Rounds

    /// Begins a snapshot when one is due, and hands it to the archivist when its segment is sealed. After the turn's
    /// frame was written: the ledger and the log stand at the same event.
    mutating func serviceArchive() {
        guard !logState.frameWaits, !stopping.hasBegun else { return }
        walkLaws()
        if store.ledger.sequence > archive.foldedSequence, archive.openSince == nil,
            store.ledger.sequence > (archive.round?.sequence ?? 0)
        {
            archive.openSince = now
        }
        if timers.take(.archive, at: now) {
            planSnapshot()
            if store.ledger.sequence > archive.foldedSequence { archive.isWanted = true }
        }
        guard let round = archive.round else {
            beginRoundIfDue()
            return
        }
        if !round.isOrdered, store.journal.counts.sealedSegment >= round.segment {
            archive.round?.isOrdered = true
            archivist.mail.send(FoldOrder(segment: round.segment, sequence: round.sequence, verify: round.verify))
        }
    }

    mutating func planSnapshot() {
        guard configuration.snapshotInterval > 0 else { return }
        let (nanoseconds, overflow) = configuration.snapshotInterval.multipliedReportingOverflow(by: 1_000_000)
        timers.set(.archive, at: overflow ? nil : now &+ nanoseconds)
    }

    private mutating func beginRoundIfDue() {
        if configuration.snapshotBytes > 0,
            store.journal.bytesAppended &- archive.bytesAtStart >= UInt64(configuration.snapshotBytes)
        {
            archive.isWanted = true
        }
        guard archive.isWanted, !logState.syncHasFailed else { return }
        switch store.journal.finishSegment() {
        case .ended(let segment):
            beginRound(segment)
        case .notReady:
            // The journal wakes the loop when it is.
            break
        case .failed(let code):
            archive.isWanted = false
            refuseAllLate(.busy, "the log's segment cannot be ended: \(errorText(code))")
        }
    }

    private mutating func beginRound(_ segment: UInt64) {
        record.beginsRound = true
        archive.isWanted = false
        archive.bytesAtStart = store.journal.bytesAppended
        archive.roundSince = archive.openSince
        archive.openSince = nil
        archive.round = SnapshotRound(
            segment: segment, sequence: store.ledger.sequence, skus: store.ledger.skuCount,
            orders: store.ledger.orderCount, since: now, verify: beginVerification())
        // The log ends here too, so it may be sealed already.
        serviceArchive()
    }

    // MARK: The end

    /// The last snapshot, of a server that has ended its service: the log is closed, and what it says is brought into
    /// the database while nobody waits for a sale. It takes a bounded time; what is not done by then, the next start
    /// reads from the log.
    ///
    /// - Parameter segment: the last sealed segment with events; nil when there is nothing to fold.
    static func endArchive(_ archivist: Archivist, _ segment: UInt64?, at sequence: UInt64, _ logger: Logger) {
        let order = segment.map { FoldOrder(segment: $0, sequence: sequence) }
        let isDone = archivist.end(with: order, within: ArchiveLimits.lastFold)
        guard order != nil else { return }
        if isDone {
            logger.info("the database has every event", metadata: ["seq": "\(sequence)"])
        } else {
            logger.warning("the database does not have the newest events; the next start reads them from the log")
        }
    }
}
