// The end of a server: by a signal, by SHUTDOWN, or because its log has failed. A server that is asked to stop accepts
// nobody new, answers what was already sent, waits a bounded time for its replies to be released and taken, closes
// the log, and only then says goodbye to whoever asked.

import Glibc
import Logging
import StockModel
import StockWire

/// How far stopping has come.
struct Stopping {
    private enum Phase {
        case running
        /// What clients had already sent is still read.
        case reading
        /// Replies leave.
        case flushing
    }

    private var phase = Phase.running
    /// Set when the loop is to end: how.
    var status: ExitStatus?
    /// Who asked by `SHUTDOWN`, and hears `+BYE` at the end.
    var farewells: [PollToken] = []
    private var readsUntil: Int64 = 0
    private(set) var flushesUntil: Int64 = 0
    private var heardSomething = false

    /// Whether requests are still taken.
    var readsInput: Bool { phase != .flushing }
    var hasBegun: Bool { phase != .running }
    var isReading: Bool { phase == .reading }

    /// What the poller had in this turn.
    mutating func input(wasReady: Bool) { heardSomething = wasReady }

    mutating func begin(at now: Int64) {
        phase = .reading
        readsUntil = now &+ TurnLimits.stoppingReads
        flushesUntil = readsUntil &+ TurnLimits.stoppingFlush
        heardSomething = true
    }

    /// Whether everything that was sent before has been read.
    func hasHeardAll(at now: Int64, nobodyReady: Bool) -> Bool {
        nobodyReady && !heardSomething || now >= readsUntil
    }

    mutating func stopReading() { phase = .flushing }
}

extension Server {
    mutating func takeSignals() {
        while let name = signals?.next() {
            beginStopping(name)
            signals?.letNextOneKill()
        }
    }

    mutating func beginStopping(_ cause: String) {
        if stopping.hasBegun { return }
        logger.notice("stopping: \(cause)")
        stopping.begin(at: now)
        // Closing them also takes them out of epoll.
        listeners.removeAll()
        timers.set(.accepting, at: nil)
    }

    /// Goes on with stopping at the end of a turn.
    mutating func advanceStopping() {
        guard stopping.hasBegun else { return }
        if stopping.isReading {
            guard stopping.hasHeardAll(at: now, nobodyReady: ready.isEmpty) else {
                timers.set(.stopping, at: now)
                return
            }
            stopReading()
        }
        if !logState.frameWaits, !hasRepliesToFlush() || now >= stopping.flushesUntil {
            stopping.status = stopping.status ?? .clean
        } else {
            timers.set(.stopping, at: max(stopping.flushesUntil, now &+ TurnLimits.firstRetry))
        }
    }

    private mutating func stopReading() {
        stopping.stopReading()
        ready.removeAll()
        readyHead = 0
        // All tokens first: settling may close connections.
        for token in openConnections() {
            guard let connection = connections.find(token) else { continue }
            connection.pointee.hasMore = false
            settle(connection)
        }
    }

    private mutating func openConnections() -> [PollToken] {
        var tokens: [PollToken] = []
        connections.forEach { _, connection in tokens.append(connection.pointee.token) }
        return tokens
    }

    private mutating func hasRepliesToFlush() -> Bool {
        var found = false
        connections.forEach { _, connection in
            if !connection.pointee.replies.isEmpty { found = true }
        }
        return found
    }

    /// Closes the log and says goodbye.
    consuming func end() -> ExitStatus {
        guard stopping.status != .logFailed else { return .logFailed }
        let logger = logger
        let memory = readBuffer.base
        let sequence = store.ledger.sequence
        let archivist = archivist
        let isBehind = sequence > archive.foldedSequence
        let segment = isBehind ? store.journal.finishSegment(within: ArchiveLimits.lastSeal) : nil
        do {
            try store.journal.close()
        } catch {
            logger.critical("the log was not closed in order: \(error)")
            return .logFailed
        }
        Server.endArchive(archivist, segment, at: sequence, logger)
        var farewell = ByteQueue()
        farewell.writeSimple("BYE")
        for token in stopping.farewells {
            guard let connection = connections.find(token), connection.pointee.replies.isEmpty else { continue }
            _ = sendNow(farewell.bytes, to: token.descriptor)
        }
        connections.forEach { _, connection in
            endOutput(of: connection.pointee.descriptor)
            // Closing with unread bytes would destroy replies on their way.
            _ = receiveNow(into: memory, capacity: TurnLimits.read, from: connection.pointee.descriptor)
        }
        logger.notice("stopped in order")
        return .clean
    }
}
