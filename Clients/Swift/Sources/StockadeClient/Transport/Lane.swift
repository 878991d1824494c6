// A lane is one connection as callers see it: any number of tasks put their requests in, and each gets its own reply
// back. Requests that are put in while the event loop is busy go out together, in one write; nobody leases anything.

import Logging
import NIOCore
import Synchronization

/// The way from the tasks to the event loop of one connection, and back.
final class Lane: Sendable {
    private enum Mail {
        case submit(Request, Ticket, Sink, deadline: Nanoseconds)
        case cancel(Ticket)
    }

    private struct Outbox {
        var mail: [Mail] = []
        /// The event loop will look; nobody need tell it again.
        var isExpected = false
    }

    private let loop: any EventLoop
    private let outbox = Mutex(Outbox())
    private let tickets = Atomic<UInt64>(0)
    private let core: NIOLoopBoundBox<LaneCore>

    /// The main lane connects before anything is asked, and again whenever its connection is lost.
    init(
        _ name: LaneName, to address: ServerAddress, _ configuration: StockadeClient.Configuration, login: Request?,
        on loop: any EventLoop, logger: Logger, _ instruments: Instruments
    ) {
        self.loop = loop
        core = NIOLoopBoundBox.makeBoxSendingValue(
            LaneCore(name, to: address, configuration, login: login, on: loop, logger: logger, instruments),
            as: LaneCore.self, eventLoop: loop)
    }

    func start() {
        loop.execute { self.core.value.start() }
    }

    /// Ends the lane: at once, or when what is under way has ended.
    func shutDown(gracefully: Bool) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            loop.execute { self.core.value.shutDown(gracefully: gracefully) { continuation.resume() } }
        }
    }

    /// Sends one request and waits for what becomes of it, `deadline` at the longest. A cancelled task stops waiting
    /// at once; the connection lives on.
    func submit(_ request: Request, deadline: Nanoseconds) async -> Attempt {
        let ticket = newTicket()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                post([.submit(request, ticket, .call(continuation), deadline: deadline)])
                // The handler may have run before the request was in: then its message went ahead of it.
                if Task.isCancelled { post([.cancel(ticket)]) }
            }
        } onCancel: {
            post([.cancel(ticket)])
        }
    }

    /// Sends many requests, in this order and next to each other, and waits for all of them.
    ///
    /// - Returns: as many attempts, in the same order.
    func submit(_ requests: [Request], deadline: Nanoseconds) async -> [Attempt] {
        guard !requests.isEmpty else { return [] }
        let tickets = requests.map { _ in newTicket() }
        let cancels = tickets.map { Mail.cancel($0) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let sink = BatchSink(count: requests.count, continuation: continuation)
                post(
                    zip(requests, tickets).enumerated().map { index, pair in
                        .submit(pair.0, pair.1, .part(of: sink, index: index), deadline: deadline)
                    })
                if Task.isCancelled { post(cancels) }
            }
        } onCancel: {
            post(cancels)
        }
    }

    private func newTicket() -> Ticket {
        Ticket(number: tickets.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    private func post(_ mail: [Mail]) {
        let mustCall = outbox.withLock { outbox in
            outbox.mail += mail
            defer { outbox.isExpected = true }
            return !outbox.isExpected
        }
        if mustCall { loop.execute { self.collect() } }
    }

    /// On the event loop: takes everything that was put in since the last time.
    private func collect() {
        let mail = outbox.withLock { outbox in
            outbox.isExpected = false
            // Room for as many again, so that a steady stream of calls does not grow the array step by step.
            var next: [Mail] = []
            next.reserveCapacity(min(outbox.mail.count, 4_096))
            swap(&next, &outbox.mail)
            return next
        }
        let core = core.value
        for item in mail {
            switch item {
            case .submit(let request, let ticket, let sink, let deadline):
                core.submit(request, ticket: ticket, sink: sink, deadline: deadline)
            case .cancel(let ticket):
                core.cancel(ticket)
            }
        }
        core.flush()
    }
}
