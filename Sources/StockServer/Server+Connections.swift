// Clients come, say something, and go. Step 2 of a request's way is here: the bytes of one connection are brought
// together and cut into requests, for as long as its share of the turn lasts.

import CLinux
import Glibc
import StockModel
import StockWire

/// The memory that sockets are read into.
struct ReadBuffer: ~Copyable {
    let base: UnsafeMutableRawPointer

    init(capacity: Int) {
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        base.deallocate()
    }
}

extension Server {
    typealias ConnectionPointer = UnsafeMutablePointer<Connection>

    // MARK: Coming

    mutating func acceptConnections(on index: Int) {
        guard index < listeners.count else { return }
        for _ in 0..<TurnLimits.accepts {
            switch listeners[index].accept() {
            case .connection(let descriptor):
                record.accepted += 1
                admit(descriptor)
            case .none: return
            case .exhausted(let code):
                pauseAccepting(code)
                return
            }
        }
    }

    private mutating func admit(_ descriptor: Int32) {
        guard connections.count < configuration.maximumClients else {
            turnAway(descriptor)
            return
        }
        let token = connections.newToken(for: descriptor)
        statistics.accepted &+= 1
        let connection = Connection(
            token: token, number: statistics.accepted, isLoggedIn: configuration.password == nil, now: now)
        guard poller.add(descriptor, for: connection.interest, as: token) else {
            close(descriptor)
            return
        }
        connections.insert(connection)
    }

    private mutating func turnAway(_ descriptor: Int32) {
        statistics.turnedAway &+= 1
        var line = ByteQueue()
        line.writeRefusal(.busy, "too many connections")
        statistics.countRefusal(.busy)
        _ = sendNow(line.bytes, to: descriptor)
        endOutput(of: descriptor)
        // Closing with unread bytes would destroy the line on its way.
        _ = receiveNow(into: readBuffer.base, capacity: TurnLimits.read, from: descriptor)
        close(descriptor)
    }

    /// Descriptors have run out. Those who knock wait in the kernel's queue until it is tried again.
    private mutating func pauseAccepting(_ code: Int32) {
        if !timers.isSet(.accepting) {
            statistics.acceptPauses &+= 1
            logger.warning("accepting pauses: \(errorText(code))", metadata: ["clients": "\(connections.count)"])
        }
        for (index, listener) in listeners.enumerated() {
            poller.change(listener.descriptor, to: [], as: .listener(index))
        }
        timers.set(.accepting, at: now &+ TurnLimits.acceptPause)
    }

    mutating func resumeAccepting() {
        for (index, listener) in listeners.enumerated() {
            poller.change(listener.descriptor, to: .input, as: .listener(index))
        }
    }

    // MARK: Saying something

    mutating func takeEvent(of token: PollToken, _ readiness: Readiness) {
        guard let connection = connections.find(token) else { return }
        if readiness.contains(.output) {
            guard sendReleased(connection) else { return }
            settle(connection)
            // It may be gone now.
            guard connections.find(token) != nil else { return }
        }
        let isRead = connection.pointee.interest.contains(.input)
        guard isRead else {
            // Nobody is there to take what is still to be said.
            if !readiness.isDisjoint(with: [.hangUp, .failed]) { connections.close(token) }
            return
        }
        guard !readiness.isDisjoint(with: [.input, .inputEnded, .hangUp, .failed]) else { return }
        if connection.pointee.phase == .lingering {
            throwAwayInput(connection)
        } else {
            enqueue(connection)
        }
    }

    mutating func enqueue(_ connection: ConnectionPointer) {
        if connection.pointee.isQueued { return }
        connection.pointee.isQueued = true
        ready.append(connection.pointee.token)
    }

    /// Serves the queue. Those whose turn did not come go first in the next, then those that have more to say.
    mutating func serveReadyConnections() {
        record.servingAt = clinux_monotonic_ns()
        var budget = TurnBudget(start: record.servingAt)
        let end = ready.count
        while readyHead < end, !budget.isOver {
            let token = ready[readyHead]
            readyHead += 1
            guard let connection = connections.find(token) else { continue }
            connection.pointee.isQueued = false
            budget.reserveDelivery()
            serve(connection, &budget)
        }
        if readyHead == ready.count {
            ready.removeAll(keepingCapacity: true)
            readyHead = 0
        } else if readyHead >= 1_024 {
            // Now and then, so that moving the rest costs little.
            ready.removeFirst(readyHead)
            readyHead = 0
        }
        record.requests = TurnLimits.requests - budget.requestsLeft
    }

    /// Reads once, and answers what has come whole, until the share ends.
    private mutating func serve(_ connection: ConnectionPointer, _ budget: inout TurnBudget) {
        guard connection.pointee.phase == .open, !connection.pointee.isPaused, !connection.pointee.awaitsReply else {
            return
        }
        // Small leftovers are brought to the shared buffer, so that they and what is read lie together.
        let isShared = connection.pointee.input.count <= TurnLimits.smallInput
        guard let window = isShared ? readBehindLeftover(connection) : readInPlace(connection) else {
            connections.close(connection.pointee.token)
            return
        }
        let consumed = answerRequests(in: window, of: connection, &budget)
        let rest = UnsafeRawBufferPointer(rebasing: window[consumed...])
        if !isShared {
            connection.pointee.input.consume(consumed)
            if rest.isEmpty { connection.pointee.input.removeAll(keepingCapacity: 0) }
        } else if !rest.isEmpty {
            connection.pointee.input.append(rest)
        }
        if connection.pointee.hasMore, !connection.pointee.awaitsReply { enqueue(connection) }
    }

    /// The bytes of the connection in the shared buffer, where they are until the next connection is served; `nil`
    /// when it is broken.
    private mutating func readBehindLeftover(_ connection: ConnectionPointer) -> UnsafeRawBufferPointer? {
        var count = connection.pointee.input.count
        if count > 0 {
            readBuffer.base.copyMemory(from: connection.pointee.input.base, byteCount: count)
            connection.pointee.input.removeAll(keepingCapacity: 0)
        }
        switch read(connection, into: readBuffer.base + count) {
        case .bytes(let read): count += read
        case .wouldBlock, .ended: break
        case .failed: return nil
        }
        return UnsafeRawBufferPointer(start: readBuffer.base, count: count)
    }

    /// The bytes of the connection where they lie, with more read behind them unless there may be whole requests
    /// among them already; `nil` when it is broken.
    private mutating func readInPlace(_ connection: ConnectionPointer) -> UnsafeRawBufferPointer? {
        if !connection.pointee.hasMore {
            let room = connection.pointee.input.reserve(TurnLimits.read)
            switch read(connection, into: room) {
            case .bytes(let read): connection.pointee.input.advance(read)
            case .wouldBlock, .ended: break
            case .failed: return nil
            }
        }
        return connection.pointee.input.bytes
    }

    private mutating func read(_ connection: ConnectionPointer, into memory: UnsafeMutableRawPointer) -> TransferResult {
        if connection.pointee.inputEnded { return .ended }
        let result = receiveNow(into: memory, capacity: TurnLimits.read, from: connection.pointee.descriptor)
        switch result {
        case .bytes(let read): statistics.bytesIn &+= UInt64(read)
        case .ended: connection.pointee.inputEnded = true
        case .wouldBlock, .failed: break
        }
        return result
    }

    /// Parses and answers requests, a batch at a time; how many bytes they were.
    private mutating func answerRequests(
        in window: UnsafeRawBufferPointer, of connection: ConnectionPointer, _ budget: inout TurnBudget
    ) -> Int {
        var offset = 0
        var share = TurnLimits.share
        var runStart = replies.count
        let outputRoom = outputAllowance &- connection.pointee.replies.count &+ runStart
        connection.pointee.hasMore = false
        defer { store.ledger.expectNothing() }

        requests: while offset < window.count {
            parser.fill(&batch, in: window, from: offset, progress: connection.pointee.progress)
            connection.pointee.progress = ParseProgress()
            announceBatch()
            for index in 0..<batch.count {
                if share == 0 || budget.isOver || events.count > eventLimit || replies.count >= outputRoom {
                    connection.pointee.hasMore = true
                    break requests
                }
                let written = replies.count
                let eventBytes = events.count
                let end = batch[index].pointee.end
                switch batch[index].pointee.parsed {
                case .request(.command(.deduct(let order)), _, _) where connection.pointee.isLoggedIn: sell(order)
                case .request(let request, let verb, _):
                    switch answer(request, verb, connection) {
                    case .answered: break
                    case .answeredAtLength: budget.look()
                    case .answeredWhenDurable:
                        // Its own run: what stands before it need not wait for the disk.
                        addRun(connection, from: runStart, to: written)
                        addRun(connection, from: written, to: replies.count, .durable)
                        runStart = replies.count
                    case .awaited:
                        // There may be more behind it, and the connection is not done.
                        connection.pointee.hasMore = true
                        offset = end
                        break requests
                    case .finished:
                        connection.pointee.phase = .finishing
                        offset = window.count
                        break requests
                    }
                case .ignored: break
                case .refused(let refusal, _):
                    statistics.countRefusal(refusal.code)
                    replies.write(refusal)
                case .fatal(let refusal):
                    statistics.countRefusal(refusal.code)
                    replies.write(refusal)
                    connection.pointee.phase = .finishing
                    offset = window.count
                    break requests
                case .incomplete:
                    connection.pointee.progress = batch.progress
                    break requests
                }
                share &-= 1
                budget.spend(bytes: end &- offset &+ (replies.count &- written) &+ (events.count &- eventBytes))
                offset = end
            }
        }
        // Also an empty run: the connection may have ended.
        addRun(connection, from: runStart, to: replies.count)
        return offset
    }

    /// Tells the ledger what comes next, if there is enough of it for the waits to overlap.
    private mutating func announceBatch() {
        store.ledger.expectNothing()
        guard batch.count >= TurnLimits.deepBatch else { return }
        for index in 0..<batch.count {
            if case .request(.command(let command), _, _) = batch[index].pointee.parsed {
                store.ledger.expect(command)
            }
        }
        store.ledger.fetchExpected()
    }

    // MARK: Going

    /// Closes a connection that has had its last reply. One that may still be sending is told first, and what it
    /// sends is thrown away for a moment.
    mutating func finish(_ connection: ConnectionPointer) {
        if connection.pointee.inputEnded {
            connections.close(connection.pointee.token)
            return
        }
        endOutput(of: connection.pointee.descriptor)
        connection.pointee.phase = .lingering
        connection.pointee.progressAt = now
        connection.pointee.input.removeAll(keepingCapacity: 0)
        watchPatience()
    }

    private mutating func throwAwayInput(_ connection: ConnectionPointer) {
        let result = receiveNow(
            into: readBuffer.base, capacity: TurnLimits.read, from: connection.pointee.descriptor)
        switch result {
        case .bytes, .wouldBlock: break
        case .ended, .failed: connections.close(connection.pointee.token)
        }
    }

    /// From now on, and as long as somebody has replies to take, those who do not are looked for.
    mutating func watchPatience() {
        if !timers.isSet(.patience) { timers.set(.patience, at: now &+ patienceInterval) }
    }

    private var patience: Int64 { configuration.outputPatience.multipliedReportingOverflow(by: 1_000_000).partialValue }
    private var patienceInterval: Int64 { min(1_000_000_000, max(1_000_000, patience / 4)) }

    /// Closes connections that have not taken a byte of their replies for too long, or linger for too long.
    mutating func closeImpatiently() {
        let now = now
        let patience = patience
        var closed: UInt64 = 0
        var somebodyWaits = false
        connections.forEach { connections, connection in
            let age = now &- connection.pointee.progressAt
            if connection.pointee.phase == .lingering {
                if age < TurnLimits.lingering { somebodyWaits = true } else { connections.close(connection.pointee.token) }
            } else if connection.pointee.replies.released > 0 {
                if age < patience {
                    somebodyWaits = true
                } else {
                    closed &+= 1
                    connections.close(connection.pointee.token)
                }
            }
        }
        if closed > 0 {
            statistics.closedForPatience &+= closed
            logger.info("closed connections that did not take their replies", metadata: ["count": "\(closed)"])
        }
        if somebodyWaits { watchPatience() }
    }
}
