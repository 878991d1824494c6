// Steps 5 and 6 of a request's way: replies pass the gate and leave, with one write for each connection and turn.
// In the ordinary turn they leave straight from the buffer that they were written into. What cannot leave, because
// the log is not that far or the client is slow, is kept with its connection.

import CLinux
import StockModel
import StockWire

/// Replies of one connection in the shared buffer that wait for the same thing.
struct ReplyRun {
    var token: PollToken
    /// Offsets in the turn's replies.
    var start: Int
    var end: Int
    /// The ledger's newest sequence when the last of them was decided.
    var sequence: UInt64
    var level: SafetyLevel
}

extension Server {
    /// Notes that the replies from `start` to `end` are the connection's.
    mutating func addRun(
        _ connection: ConnectionPointer, from start: Int, to end: Int, _ level: SafetyLevel? = nil
    ) {
        runs.append(
            ReplyRun(
                token: connection.pointee.token, start: start, end: end, sequence: store.ledger.sequence,
                level: level ?? configuration.sync.replyLevel))
    }

    // MARK: 5. The gate

    /// Lets go what waited and need not wait any longer: those who have waited longest first, and the others in the next
    /// turns if there are very many.
    mutating func openGate() {
        let newer = Gate(written: store.journal.writtenSequence, durable: store.journal.durableSequence)
        if newer == gate, !leavesReleases { return }
        gate = newer
        leavesReleases = false
        if waiting.isEmpty { return }
        var candidates: [PollToken] = []
        swap(&candidates, &waiting)
        let deadline = clinux_monotonic_ns() &+ TurnLimits.releases
        for (index, token) in candidates.enumerated() {
            if index & 31 == 31, clinux_monotonic_ns() >= deadline {
                leavesReleases = true
                waiting = Array(candidates[index...])
                break
            }
            guard let connection = connections.find(token) else { continue }
            connection.pointee.isWaiting = false
            let before = connection.pointee.replies.released
            connection.pointee.replies.release(through: gate)
            // What was released before waits for the client, and epoll tells when that changes.
            if before == 0, connection.pointee.replies.released > 0 {
                guard sendReleased(connection) else { continue }
            }
            // It may have replies of this turn, so it is looked at with them.
            addRun(connection, from: 0, to: 0)
        }
    }

    // MARK: 6. The way out

    /// Sends the turn's replies, or keeps them with their connections.
    mutating func deliverReplies() {
        for index in runs.indices {
            let run = runs[index]
            // It may be gone, and nobody wants its replies.
            guard let connection = connections.find(run.token) else { continue }
            let bytes = UnsafeRawBufferPointer(start: replies.base + run.start, count: run.end - run.start)
            guard deliver(bytes, of: run, to: connection) else { continue }
            let isLast = index + 1 == runs.count || runs[index + 1].token != run.token
            if isLast { settle(connection) }
        }
    }

    /// Whether the connection is still there.
    private mutating func deliver(
        _ bytes: UnsafeRawBufferPointer, of run: ReplyRun, to connection: ConnectionPointer
    ) -> Bool {
        if bytes.isEmpty { return true }
        guard connection.pointee.replies.isEmpty, gate.isOpen(for: run.sequence, run.level) else {
            let before = connection.pointee.replies.released
            if before == 0 { connection.pointee.progressAt = now }
            connection.pointee.replies.append(bytes, until: run.sequence, run.level)
            connection.pointee.replies.release(through: gate)
            // If some were released before, epoll tells when the client takes more.
            return before > 0 || connection.pointee.replies.released == 0 || sendReleased(connection)
        }
        switch sendNow(bytes, to: connection.pointee.descriptor) {
        case .bytes(let sent):
            statistics.bytesOut &+= UInt64(sent)
            if sent < bytes.count {
                connection.pointee.replies.appendReleased(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                connection.pointee.progressAt = now
            }
        case .wouldBlock:
            connection.pointee.replies.appendReleased(bytes)
            connection.pointee.progressAt = now
        case .ended, .failed:
            connections.close(run.token)
            return false
        }
        return true
    }

    /// Sends what was kept and may leave; whether the connection is still there.
    mutating func sendReleased(_ connection: ConnectionPointer) -> Bool {
        let all = connection.pointee.replies.takeable
        if all.isEmpty { return true }
        let bytes = UnsafeRawBufferPointer(rebasing: all.prefix(TurnLimits.release))
        switch sendNow(bytes, to: connection.pointee.descriptor) {
        case .bytes(let sent):
            statistics.bytesOut &+= UInt64(sent)
            connection.pointee.replies.consume(sent)
            connection.pointee.progressAt = now
        case .wouldBlock: break
        case .ended, .failed:
            connections.close(connection.pointee.token)
            return false
        }
        return true
    }

    /// Bytes of replies that may wait for one connection before it is not read from any more. As more wait for all, each
    /// may have less: many that do not take their replies cannot fill the memory, and one that takes them goes on.
    var outputAllowance: Int {
        let left = (configuration.maximumHeldReplies &- connections.heldReplies) / TurnLimits.outputPart
        return min(configuration.maximumOutput, max(TurnLimits.leastOutput, left))
    }

    /// Brings what is watched and awaited for a connection in line with its state, and ends it if that is due. The
    /// connection may be gone afterwards.
    mutating func settle(_ connection: ConnectionPointer) {
        let waitingBytes = connection.pointee.replies.count
        connections.noteReplies(of: connection)
        if waitingBytes == 0 {
            let isDone =
                switch connection.pointee.phase {
                case .open: connection.pointee.inputEnded && !connection.pointee.hasMore
                case .finishing: !connection.pointee.awaitsFarewell
                case .lingering: false
                }
            if isDone {
                let token = connection.pointee.token
                finish(connection)
                guard connections.find(token) != nil else { return }
            }
        }
        if connection.pointee.isPaused {
            if waitingBytes <= outputAllowance / 2 {
                connection.pointee.isPaused = false
                if connection.pointee.hasMore { enqueue(connection) }
            }
        } else if waitingBytes >= outputAllowance {
            connection.pointee.isPaused = true
        }
        if connection.pointee.replies.waitsForGate, !connection.pointee.isWaiting {
            connection.pointee.isWaiting = true
            waiting.append(connection.pointee.token)
        }
        if connection.pointee.replies.released > 0 { watchPatience() }

        let wanted = connection.pointee.wantedInterest(whileReading: stopping.readsInput)
        if wanted != connection.pointee.interest {
            connection.pointee.interest = wanted
            poller.change(connection.pointee.descriptor, to: wanted, as: connection.pointee.token)
        }
    }
}
