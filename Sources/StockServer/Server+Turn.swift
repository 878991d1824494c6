// The frame of a turn: waiting, the clocks, handing out what epoll reports, and the work that time brings.

import CLinux
import Glibc
import StockModel

extension Server {
    // MARK: 1. Waiting

    /// Waits until there is something to do; how many events the poller has to hand out.
    mutating func waitForWork() -> Int {
        if logState.frameWaits {
            waitForLog()
            return 0
        }
        if readyHead < ready.count || leavesReleases { return poller.wait(nanoseconds: 0) }
        return poller.wait(nanoseconds: timers.next == Int64.max ? -1 : timers.wait(from: clinux_monotonic_ns()))
    }

    /// Sockets that nobody reads from would be reported ready again and again; so while a frame waits to be written,
    /// only what can change that is waited for.
    private mutating func waitForLog() {
        var watched = [pollfd(fd: store.journal.wakeDescriptor, events: Int16(POLLIN), revents: 0)]
        if let signals { watched.append(pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)) }
        // Other timers may be due, and stay so: their work waits too.
        let nanoseconds = (timers.deadline(.writing) ?? now) &- clinux_monotonic_ns()
        let milliseconds = Int32(clamping: (max(0, nanoseconds) &+ 999_999) / 1_000_000)
        _ = poll(&watched, nfds_t(watched.count), milliseconds)
        if watched[0].revents != 0 { store.journal.silenceBell() }
        takeSignals()
    }

    mutating func readClocks() {
        now = clinux_monotonic_ns()
        // A frame that waits keeps its time, and nothing is decided meanwhile.
        if !logState.frameWaits { ledgerTime = store.clock.now() }
        record = TurnRecord()
    }

    /// Hands out what epoll reported.
    mutating func takeEvents(_ count: Int) {
        // What is not looked at is reported again. Another one is first in each turn, so that nobody is always last.
        let first = count == 0 ? 0 : Int(statistics.turns % UInt64(count))
        for step in 0..<count {
            let index = first &+ step < count ? first &+ step : first &+ step &- count
            let (token, readiness) = poller.event(index)
            if token.isConnection {
                if readiness.contains(.output), clinux_monotonic_ns() &- now >= TurnLimits.releases { continue }
                takeEvent(of: token, readiness)
            } else if let listener = token.listenerIndex {
                acceptConnections(on: listener)
            } else if token == .signals {
                takeSignals()
            } else if token == .journal {
                store.journal.silenceBell()
            } else if token == .archive {
                archivist.mail.loopBell.silence()
            }
            // The news themselves are taken in each turn, whether they woke the loop or not.
        }
        if timers.take(.accepting, at: now) { resumeAccepting() }
        if timers.take(.patience, at: now) { closeImpatiently() }
        stopping.input(wasReady: count > 0)
    }

    // MARK: The work of the clock

    /// Releases holds that have run out, as many as a turn may.
    mutating func releaseDueHolds() {
        record.leavesDueHolds = false
        guard admission != .readOnly else {
            // Only shows the ledger what time it is.
            _ = store.ledger.expire(at: ledgerTime, limit: 0, events: &events)
            return
        }
        let late = store.ledger.nextExpiry.map { max(0, ledgerTime.milliseconds &- $0.milliseconds) } ?? 0
        statistics.longestExpiryLag = max(statistics.longestExpiryLag, late)
        let duration = min(
            TurnLimits.mostExpiry, TurnLimits.leastExpiry &+ min(late, 1_000) &* TurnLimits.expiryPerMillisecondLate)
        while record.expirySteps < TurnLimits.expirySteps, events.count <= eventLimit {
            let used = store.ledger.expire(at: ledgerTime, limit: expiryBatch, events: &events)
            record.expirySteps &+= used
            if used < expiryBatch { return }
            if clinux_monotonic_ns() &- now >= duration { break }
        }
        record.leavesDueHolds = true
    }

    /// Holds released between two looks at the size of the events.
    private var expiryBatch: Int {
        eventLimit >= TurnLimits.expiryBatch * TurnLimits.eventReserve / 2 ? TurnLimits.expiryBatch : 1
    }

    /// Forgets orders whose retention is over, as many as a turn may.
    mutating func forgetEndedOrders() {
        guard admission != .readOnly, events.count <= eventLimit, let next = store.ledger.nextForgetting,
            next <= ledgerTime
        else { return }
        let start = clinux_monotonic_ns()
        record.forgettingSteps = store.ledger.forget(
            at: ledgerTime, limit: TurnLimits.forgettingSteps, events: &events)
        record.forgettingDuration = clinux_monotonic_ns() &- start
    }

    /// When the clock has work again, after all that this turn has brought.
    private mutating func planWorkOfClock() {
        guard admission != .readOnly else {
            timers.set(.expiry, at: nil)
            timers.set(.forgetting, at: nil)
            return
        }
        timers.set(.expiry, at: record.leavesDueHolds ? now : deadline(of: store.ledger.nextExpiry))
        timers.set(.forgetting, at: deadline(of: store.ledger.nextForgetting))
    }

    /// When to look at the clocks for something that is due at `moment` of ledger time.
    private func deadline(of moment: Timestamp?) -> Int64? {
        guard let moment else { return nil }
        let milliseconds = max(0, moment.milliseconds &- ledgerTime.milliseconds)
        // Ledger time that is behind the wall runs at up to double speed.
        let pace: Int64 = store.clock.lead < 0 ? 500_000 : 1_000_000
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: pace)
        return now &+ (overflow ? TurnLimits.clockInterval : min(nanoseconds, TurnLimits.clockInterval))
    }

    // MARK: The end of a turn

    mutating func finishTurn() {
        replies.removeAll(keepingCapacity: TurnLimits.keptReplies)
        runs.removeAll(keepingCapacity: true)
        planWorkOfClock()
        advanceStopping()
        statistics.turns &+= 1
        statistics.expirySteps &+= UInt64(record.expirySteps)
        record.nanoseconds = clinux_monotonic_ns() &- now
        statistics.busyTime &+= record.nanoseconds
        if record.nanoseconds > statistics.longestTurn.nanoseconds { statistics.longestTurn = record }
        if slowLog.wantsLook(record.nanoseconds) { lookAtTurn() }
    }

    @inline(never)
    private mutating func lookAtTurn() {
        slowLog.look(
            at: record, start: now, statistics, ledgerBytes: store.ledger.memoryInUse,
            segment: store.journal.counts.segment)
    }
}
