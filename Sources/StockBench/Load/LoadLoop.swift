// The loop of the load generator: one thread, one epoll, sockets that never block. The clock is read once per turn
// and once per read of a socket; every reply that a read brings has that moment as its arrival.

import CLinux
import Glibc
import StockConnection

/// Connections that ask and hear until the run is over.
struct LoadLoop: ~Copyable {
    let book: RequestBook
    let plan: Plan
    let rate: Double?
    let length: RunLength
    let warmup: Int64
    let pipeline: Int

    private var poller: Poller
    private let connections: [Connection]
    private let conversations: UnsafeMutableBufferPointer<Conversation>
    /// Where every read goes. Before it is room for the unfinished line of the connection that is read.
    private let input: UnsafeMutableRawBufferPointer
    private static let inputBytes = 256 << 10

    private var tally = Tally()
    private var inFlight = 0
    /// Requests that may still be sent, when the run has so many.
    private var left = Int.max
    private var interrupted = false
    private var schedule: OpenLoopSchedule?
    /// The connection that the next due request is offered to.
    private var turnOf = 0

    /// How long replies are awaited after the last request.
    private static let patience: Int64 = 10_000_000_000

    init(
        connections: [Connection], book: consuming RequestBook, plan: Plan, pipeline: Int, rate: Double? = nil,
        length: RunLength, warmup: Int64 = 0
    ) throws(BenchError) {
        poller = try Poller()
        self.connections = connections
        self.plan = plan
        self.rate = rate
        self.length = length
        self.warmup = warmup
        self.pipeline = pipeline
        conversations = .allocate(capacity: connections.count)
        for index in connections.indices {
            conversations.initializeElement(
                at: index, to: Conversation(number: index, pipeline: pipeline, longest: book.longest))
        }
        self.book = book
        input = .allocate(byteCount: Conversation.longestLine + Self.inputBytes, alignment: 64)
    }

    deinit {
        conversations.deinitialize()
        conversations.deallocate()
        input.deallocate()
    }

    // MARK: The run

    /// Runs to the end.
    ///
    /// - Parameters:
    ///   - interrupt: a descriptor that becomes readable when the run should end early; -1: none.
    ///   - observer: told how it goes, now and then.
    mutating func run(interrupt: Int32 = -1, observer: LoadObserver? = nil) throws(BenchError) -> LoadResult {
        for (index, connection) in connections.enumerated() { try poller.add(connection.descriptor, as: index) }
        if interrupt >= 0 { try poller.add(interrupt, as: Poller.interrupt) }

        let start = clinux_monotonic_ns()
        tally.measureFrom = start + warmup
        switch length {
        case .nanoseconds(let time): tally.measureUntil = tally.measureFrom + time
        case .requests(let count): left = count
        }
        if let rate { schedule = OpenLoopSchedule(start: start, rate: rate) }
        var pulse = Pulse(start: start, period: observer?.period)
        var meter: ProcessorMeter?
        var end: Int64?

        if schedule == nil { for index in connections.indices { try askAgain(index, now: start) } }
        while true {
            let now = clinux_monotonic_ns()
            if meter == nil, now >= tally.measureFrom { meter = ProcessorMeter(now: now) }
            if schedule != nil { try askWhatIsDue(now) }
            if isOver(now) {
                if inFlight == 0 { break }
                end = end ?? now
                if now >= (end ?? now) + Self.patience { break }
            }
            if pulse.isDue(now), let observer { observer.tell(pulse.beat(now, tally: tally)) }
            try poller.wait(until: nextMoment(now, pulse: pulse))
            for event in 0..<poller.count { try serve(poller.token(event), poller.bits(event)) }
        }
        return result(end: clinux_monotonic_ns(), meter: meter)
    }

    private func isOver(_ now: Int64) -> Bool { interrupted || left == 0 || now >= tally.measureUntil }

    /// The latest moment at which the loop must look at the clock again.
    private func nextMoment(_ now: Int64, pulse: Pulse) -> Int64 {
        var moment = pulse.next
        if isOver(now) { return min(moment, now + 100_000_000) }
        moment = min(moment, tally.measureUntil)
        // While every connection is full, a reply wakes the loop, and until then nothing can be sent.
        if let schedule, inFlight < connections.count * pipeline { moment = min(moment, schedule.next) }
        return moment
    }

    private mutating func serve(_ token: Int, _ bits: UInt32) throws(BenchError) {
        if token == Poller.interrupt {
            interrupted = true
            return
        }
        if bits & clinux_epoll_out() != 0 { try flush(token) }
        if bits & ~clinux_epoll_out() != 0 { try read(token) }
    }

    // MARK: Asking

    /// How many of `wanted` requests may be sent at `now`; they count as sent.
    private mutating func allowance(_ wanted: Int, _ now: Int64) -> Int {
        if isOver(now) { return 0 }
        // The warm-up is not on the account of a run of so many requests.
        if left == Int.max || now < tally.measureFrom { return wanted }
        let count = min(wanted, left)
        left -= count
        return count
    }

    /// Closed loop: once all replies are in, the connection fills its pipeline again.
    private mutating func askAgain(_ index: Int, now: Int64) throws(BenchError) {
        let count = allowance(pipeline, now)
        if count == 0 { return }
        conversations[index].ask(count, since: now, plan: plan, book: book)
        inFlight += count
        try flush(index)
    }

    /// Open loop: hands what is due to the connections in turn, as far as they have room.
    private mutating func askWhatIsDue(_ now: Int64) throws(BenchError) {
        guard var due = schedule else { return }
        let first = turnOf
        var passed = 0
        var asked = 0
        let room = connections.count * pipeline - inFlight
        while asked < room, due.next <= now, due.next < tally.measureUntil, allowance(1, due.next) == 1 {
            while conversations[turnOf].room == 0 {
                turnOf = following(turnOf)
                passed += 1
            }
            conversations[turnOf].ask(1, since: due.next, plan: plan, book: book)
            due.take()
            asked += 1
            turnOf = following(turnOf)
            passed += 1
        }
        schedule = due
        inFlight += asked
        var index = first
        for _ in 0..<min(passed, connections.count) {
            if !conversations[index].unsent.isEmpty { try flush(index) }
            index = following(index)
        }
    }

    private func following(_ index: Int) -> Int { index + 1 == connections.count ? 0 : index + 1 }

    private func flush(_ index: Int) throws(BenchError) {
        let descriptor = connections[index].descriptor
        while true {
            let unsent = conversations[index].unsent
            if unsent.isEmpty { return try watchOutput(index, false) }
            let count = clinux_send(descriptor, unsent.baseAddress, unsent.count)
            if count >= 0 {
                conversations[index].sent(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return try watchOutput(index, true)
            case EPIPE, ECONNRESET: throw .connection(.closed)
            case let number: throw .system(call: "send", errno: number)
            }
        }
    }

    private func watchOutput(_ index: Int, _ wanted: Bool) throws(BenchError) {
        guard conversations[index].awaitsRoom != wanted else { return }
        conversations[index].awaitsRoom = wanted
        try poller.watchOutput(connections[index].descriptor, as: index, wanted)
    }

    // MARK: Hearing

    private mutating func read(_ index: Int) throws(BenchError) {
        let kept = conversations[index].unfinished.count
        guard let base = input.baseAddress else { return }
        let target = base + Conversation.longestLine
        let count = clinux_recv(connections[index].descriptor, target, Self.inputBytes)
        guard count > 0 else {
            if count == 0 || errno == ECONNRESET { throw .connection(.closed) }
            if errno == EAGAIN || errno == EINTR { return }
            throw .system(call: "recv", errno: errno)
        }
        let now = clinux_monotonic_ns()
        if kept > 0 {
            conversations[index].unfinished.withUnsafeBytes { piece in
                if let bytes = piece.baseAddress { (target - kept).copyMemory(from: bytes, byteCount: kept) }
            }
        }
        let before = conversations[index].inFlight
        let bytes = UnsafeRawBufferPointer(start: target - kept, count: kept + count)
        do throws(ConnectionError) {
            try conversations[index].hear(bytes, at: now, tally: &tally, book: book)
        } catch {
            throw .connection(error)
        }
        let after = conversations[index].inFlight
        inFlight -= before - after
        if after == 0, schedule == nil { try askAgain(index, now: now) }
    }

    private func result(end: Int64, meter: ProcessorMeter?) -> LoadResult {
        let measuredEnd = max(tally.lastMeasured, tally.measureFrom)
        return LoadResult(
            replies: tally.measured, expected: tally.expected, unexpected: tally.unexpected,
            nanoseconds: measuredEnd - tally.measureFrom, latencies: tally.latencies,
            processorShare: meter?.share(now: end) ?? 0, unanswered: inFlight,
            overdue: schedule?.overdue(before: min(end, tally.measureUntil)) ?? 0, wasInterrupted: interrupted)
    }
}
