// Step 4 of a request's way, and what is done when the disk fails. Memory is never ahead of the log when anyone is
// answered: a frame that cannot be written holds up every reply until it is. A disk that is behind, full or broken
// stops promises, not reads.

import CLinux
import Logging
import StockJournal
import StockModel
import StockWire

/// What the loop knows of its log.
struct LogState {
    /// A frame could not be written. Nothing is decided and nobody is answered until it is.
    var frameWaits = false
    /// Since when, in monotonic nanoseconds, and when it is tried again.
    var frameWaitsSince: Int64 = 0
    var retryDelay = TurnLimits.firstRetry
    /// Somebody waits for the disk: a sync is asked for when the turn's frame is written.
    var wantsSync = false

    var health = JournalHealth.ready
    /// What follows `-READONLY`.
    var reason = ""

    var syncHasFailed: Bool {
        if case .syncFailed = health { return true }
        return false
    }
}

extension Server {
    /// Takes note of what the journal's threads have done, and decides whether changes are taken in this turn.
    mutating func serviceLog() {
        let health = store.journal.service()
        timers.set(.journal, at: store.journal.nextService)
        statistics.slowestSync = max(statistics.slowestSync, store.journal.counts.lastSyncDuration)
        if health != logState.health { takeHealth(health) }
        switch health {
        case .ready:
            let isBehind = configuration.sync == .everysec && store.journal.lag().isOverLimit
            if isBehind != (admission == .busy) {
                if isBehind { logger.warning("the disk is behind: promises are refused with -BUSY") }
            }
            admission = isBehind ? .busy : .open
        case .noSpace, .syncFailed:
            admission = .readOnly
        }
    }

    private mutating func takeHealth(_ health: JournalHealth) {
        logState.health = health
        switch health {
        case .ready:
            logState.reason = ""
            logger.notice("the log can be written again")
        case .noSpace(let code):
            logState.reason = "no space for the log: \(errorText(code))"
            logger.error("read-only: \(logState.reason)")
        case .syncFailed(let code):
            logState.reason = "sync failed: \(errorText(code))"
            logger.critical("read-only until it is started again: \(logState.reason)")
            if configuration.sync == .always {
                stopping.status = .logFailed
            } else {
                refuseThoseWhoWaitForDisk()
            }
        }
    }

    /// Whoever asked for the disk is told that it will not be.
    private mutating func refuseThoseWhoWaitForDisk() {
        var refusal = ByteQueue()
        refusal.writeRefusal(.readOnly, text: logState.reason)
        for token in waiting {
            guard let connection = connections.find(token) else { continue }
            let refused = connection.pointee.replies.replace(waitingFor: .durable, with: refusal.bytes)
            for _ in 0..<refused { statistics.countRefusal(.readOnly) }
            connection.pointee.replies.release(through: gate)
            if sendReleased(connection) { settle(connection) }
        }
    }

    /// Writes the turn's events as one frame, or tries again with the one that waits.
    mutating func writeFrame() {
        if events.eventCount > 0 { append() }
        if logState.wantsSync, !logState.frameWaits {
            logState.wantsSync = false
            store.journal.requestSync()
        }
    }

    private mutating func append() {
        let count = events.eventCount
        record.eventBytes = events.count
        record.writingAt = clinux_monotonic_ns()
        let result = store.journal.append(
            buffer: events.base, payloadCount: events.count, firstSequence: store.ledger.sequence &- UInt64(count) &+ 1,
            eventCount: UInt32(count), time: ledgerTime.milliseconds)
        record.writtenAt = clinux_monotonic_ns()
        switch result {
        case .written:
            events.removeAll()
            if logState.frameWaits {
                logger.notice("the log was written after \((now &- logState.frameWaitsSince) / 1_000_000) ms")
            }
            logState.frameWaits = false
            logState.retryDelay = TurnLimits.firstRetry
            timers.set(.writing, at: nil)
        case .failed(let code):
            holdFrame("the log cannot be written: \(errorText(code))", countsAsFailure: true)
        case .notReady:
            holdFrame("the next segment of the log is not ready", countsAsFailure: false)
        }
    }

    /// Keeps the frame to be tried again soon, for as long as the operator's patience with a failing disk lasts. A
    /// segment that is not ready is only a slow disk, and is waited for.
    private mutating func holdFrame(_ reason: String, countsAsFailure: Bool) {
        if countsAsFailure { statistics.failedWrites &+= 1 }
        if !logState.frameWaits {
            logState.frameWaits = true
            logState.frameWaitsSince = now
            logger.error("nobody is answered: \(reason)")
        } else if !countsAsFailure {
            logState.frameWaitsSince = now
        }
        let (patience, overflow) = configuration.writePatience.multipliedReportingOverflow(by: 1_000_000)
        if !overflow, now &- logState.frameWaitsSince >= patience, countsAsFailure {
            logger.critical("gave up: \(reason)")
            stopping.status = .logFailed
        }
        timers.set(.writing, at: now &+ logState.retryDelay)
        logState.retryDelay = min(logState.retryDelay * 2, TurnLimits.lastRetry)
    }
}
