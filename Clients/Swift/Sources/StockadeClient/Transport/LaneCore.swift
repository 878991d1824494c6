// The event loop's side of a lane: it owns the state of the connection and does what the state says. Everything in
// this file runs on one event loop.

import Logging
import NIOCore
import NIOPosix

/// Connects, connects again, and carries bytes between a socket and a `ConnectionState`.
final class LaneCore {
    private enum Life {
        case idle
        case running
        /// What is under way may end; `then` is called when it has.
        case draining(then: [() -> Void])
        case closed
    }

    /// How often deadlines and stalls are looked for.
    private static let tickInterval = TimeAmount.milliseconds(20)

    private let name: LaneName
    private let address: ServerAddress
    private let configuration: StockadeClient.Configuration
    private let loop: any EventLoop
    private let logger: Logger
    private let instruments: Instruments
    private var connectsEagerly: Bool { name == .main }

    private var life = Life.idle
    private var state: ConnectionState<Sink>
    private var reachability: Reachability
    private var random = SystemRandomNumberGenerator()
    private var channel: (any Channel)?
    /// A connection is being made, or will be when a pause is over.
    private var isConnecting = false
    private var isTicking = false
    /// Why the last connection failed, for those who are told that there is none.
    private var trouble = "no connection yet"
    private var denial: String?
    private var output: [UInt8] = []

    init(
        _ name: LaneName, to address: ServerAddress, _ configuration: StockadeClient.Configuration, login: Request?,
        on loop: any EventLoop, logger: Logger, _ instruments: Instruments
    ) {
        self.name = name
        self.address = address
        self.configuration = configuration
        self.loop = loop
        self.logger = logger
        self.instruments = instruments
        state = ConnectionState(login: login, stallLimit: configuration.stallLimit.nanosecondCount)
        reachability = Reachability(
            shortestPause: configuration.shortestPause.nanosecondCount,
            longestPause: configuration.longestPause.nanosecondCount,
            failuresUntilOpen: configuration.failuresUntilUnavailable)
    }

    private var now: Nanoseconds { MonotonicClock.now }

    // MARK: Life

    private var isOpen: Bool {
        switch life {
        case .running, .draining: true
        case .idle, .closed: false
        }
    }

    func start() {
        guard case .idle = life else { return }
        life = .running
        if connectsEagerly { connect() }
    }

    func shutDown(gracefully: Bool, then: @escaping () -> Void) {
        switch life {
        case .closed: return then()
        case .draining(let others): life = .draining(then: others + [then])
        case .idle, .running: life = .draining(then: [then])
        }
        if gracefully {
            finishDraining()
        } else {
            end()
        }
    }

    /// Closes once nobody waits any more.
    private func finishDraining() {
        if case .draining = life, state.waitingCount == 0 { end() }
    }

    private func end() {
        guard case .draining(let waiters) = life else { return }
        life = .closed
        var actions: [ConnectionState<Sink>.Action] = []
        state.failUnsent(.closed, into: &actions)
        state.disconnected("the client was shut down", into: &actions)
        perform(actions)
        guard let channel else { return waiters.forEach { $0() } }
        let finish = NIOLoopBound(waiters, eventLoop: loop)
        channel.close().whenComplete { _ in finish.value.forEach { $0() } }
    }

    // MARK: The callers' side

    func submit(_ request: Request, ticket: Ticket, sink: Sink, deadline: Nanoseconds) {
        switch life {
        case .closed: return sink.finish(.closed)
        case .idle, .running, .draining: break
        }
        if let denial { return sink.finish(.denied(denial)) }
        if channel == nil, reachability.isOpen { return sink.finish(.unavailable(trouble)) }
        if state.waitingCount >= configuration.maximumWaiting { return sink.finish(.overloaded) }
        state.submit(request, ticket: ticket, tag: sink, deadline: deadline)
        if channel == nil { connect() }
        tickLater()
    }

    func cancel(_ ticket: Ticket) {
        var actions: [ConnectionState<Sink>.Action] = []
        state.cancel(ticket, into: &actions)
        perform(actions)
    }

    /// Writes what waits, unless the socket has enough to do; then `writable` comes back to it.
    func flush() {
        guard let channel, channel.isWritable else { return }
        state.takeOutput(at: now, limit: configuration.maximumInFlight, into: &output)
        guard !output.isEmpty else { return }
        var buffer = channel.allocator.buffer(capacity: output.count)
        buffer.writeBytes(output)
        output.removeAll(keepingCapacity: output.capacity <= 1 << 20)
        channel.writeAndFlush(buffer, promise: nil)
    }

    // MARK: The socket's side

    private func connect() {
        guard isOpen, channel == nil, !isConnecting else { return }
        isConnecting = true
        let me = NIOLoopBound(self, eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(configuration.connectTimeout.nanosecondCount))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ConnectionHandler(core: me.value))
                }
            }
        let attempt =
            switch address {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        attempt.whenComplete { result in
            me.value.isConnecting = false
            switch result {
            case .success(let channel): me.value.connected(channel)
            case .failure(let error): me.value.failed("\(me.value.address): \(error)")
            }
        }
    }

    private func connected(_ channel: any Channel) {
        guard isOpen else { return channel.close(promise: nil) }
        guard channel.isActive else { return failed("\(address): the connection was closed at once") }
        self.channel = channel
        logger.debug("connected to a Stockade server", metadata: ["address": "\(address)"])
        instruments.connected(name)
        var actions: [ConnectionState<Sink>.Action] = []
        state.connected(at: now, into: &actions)
        perform(actions)
        flush()
        tickLater()
    }

    func received(_ bytes: UnsafeRawBufferPointer) {
        var actions: [ConnectionState<Sink>.Action] = []
        state.received(bytes, into: &actions)
        perform(actions)
        flush()
    }

    func writable() {
        flush()
    }

    /// The socket failed; it will be closed.
    func broke(_ error: any Error) {
        trouble = "\(address): \(error)"
    }

    func disconnected(_ channel: any Channel) {
        guard let ours = self.channel, ours === channel else { return }
        self.channel = nil
        let why = trouble
        var actions: [ConnectionState<Sink>.Action] = []
        state.disconnected("the connection was lost (\(why))", into: &actions)
        perform(actions)
        if case .closed = life { return }
        failed(why)
    }

    /// There is no connection now. Tries again after a pause.
    private func failed(_ why: String) {
        trouble = why
        instruments.disconnected(name)
        let wasOpen = reachability.isOpen
        let pause = reachability.failed(using: &random)
        if reachability.isOpen {
            if !wasOpen {
                instruments.circuit(name, isOpen: true)
                logger.warning("the Stockade server is not reachable", metadata: ["reason": "\(why)"])
            }
            var actions: [ConnectionState<Sink>.Action] = []
            state.failUnsent(.unavailable(why), into: &actions)
            perform(actions)
        }
        guard connectsEagerly || state.waitingCount > 0 || reachability.isOpen, !isConnecting else { return }
        isConnecting = true
        let me = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: .nanoseconds(pause)) {
            me.value.isConnecting = false
            me.value.denial = nil
            me.value.connect()
        }
    }

    private func answered() {
        if reachability.isOpen { instruments.circuit(name, isOpen: false) }
        reachability.answered()
    }

    // MARK: The clock's side

    private func tickLater() {
        guard !isTicking, state.waitingCount > 0 || state.phase == .loggingIn else { return }
        isTicking = true
        let me = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: Self.tickInterval) {
            me.value.isTicking = false
            me.value.tick()
        }
    }

    private func tick() {
        var actions: [ConnectionState<Sink>.Action] = []
        state.tick(at: now, into: &actions)
        perform(actions)
        tickLater()
    }

    private func perform(_ actions: [ConnectionState<Sink>.Action]) {
        for action in actions {
            switch action {
            case .finish(let sink, let attempt):
                if case .reply = attempt { answered() }
                sink.finish(attempt)
            case .ready:
                denial = nil
                trouble = "it was closed by the other side"
                flush()
            case .denied(let text):
                logger.error("the Stockade server denies access", metadata: ["reply": "\(text)"])
                denial = text
                var more: [ConnectionState<Sink>.Action] = []
                state.failUnsent(.denied(text), into: &more)
                perform(more)
            case .close(let why):
                trouble = why
                logger.info("closing a connection to Stockade", metadata: ["reason": "\(why)"])
                channel?.close(promise: nil)
            }
        }
        finishDraining()
    }
}

/// Nanoseconds of a clock that never goes back.
enum MonotonicClock {
    static var now: Nanoseconds { Nanoseconds(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds) }
}
