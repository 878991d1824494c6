// A network that misbehaves: a proxy between client and server, in user space, which splits, delays, swallows, cuts,
// resets and half-closes, as a seed decides.

import NIOCore
import NIOPosix
import SeededRandom
import Synchronization

/// How a connection through the proxy ends before its time.
public enum Disaster: CaseIterable, Sendable {
    /// What the server says is swallowed, after it did what it was asked, and both sides are closed.
    case dropReply
    /// Half of what the server says arrives, then the connection closes.
    case cutReply
    /// Half of what the client says arrives, then both sides are closed.
    case cutRequest
    /// The client reads "connection reset".
    case reset
    /// The client is told that the server will say no more, but its requests still arrive.
    case halfClose
    /// The server is told that the client will say no more; what was asked is answered, and then it closes.
    case halfCloseToServer
    /// Nothing arrives any more, in either direction, and nothing is closed.
    case blackHole
    /// The client's connection closes; what it said is on its way still and arrives later.
    case lateRequest
}

/// A proxy on a free port of the loopback interface.
public final class FaultyProxy: Sendable {
    private let listener: any Channel
    public let port: Int

    private let toll = Toll()

    /// - Parameter target: the server's port on the loopback interface.
    public init(to target: Int, seed: UInt64) async throws {
        let random = Mutex(SeededGenerator(seed: seed))
        let toll = toll
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let seed = random.withLock { $0.next() }
                    try channel.pipeline.syncOperations.addHandler(
                        ProxyHandler(target: target, seed: seed, toll))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
    }

    /// Stops taking connections, and waits until the server has seen the end of every one.
    public func drain() async throws {
        try await listener.close()
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            toll.whenEmpty { continuation.resume() }
        }
    }

    /// What has happened, by kind.
    public var disasters: [Disaster: Int] { toll.disasters.withLock { $0 } }
}

/// What the connections of a proxy have in common.
private final class Toll: Sendable {
    private struct Open {
        /// Connections to the server that are being made or are there.
        var count = 0
        var whenEmpty: (@Sendable () -> Void)?
    }

    let disasters = Mutex<[Disaster: Int]>([:])
    private let open = Mutex(Open())

    func opened() { open.withLock { $0.count += 1 } }

    func closed() {
        let then = open.withLock { open -> (@Sendable () -> Void)? in
            open.count -= 1
            guard open.count == 0 else { return nil }
            defer { open.whenEmpty = nil }
            return open.whenEmpty
        }
        then?()
    }

    /// Calls `body` when no connection to the server is left.
    func whenEmpty(_ body: @escaping @Sendable () -> Void) {
        let isEmpty = open.withLock { open in
            if open.count > 0 { open.whenEmpty = body }
            return open.count == 0
        }
        if isEmpty { body() }
    }

    func add(_ disaster: Disaster) { disasters.withLock { $0[disaster, default: 0] += 1 } }
}

/// The client's side of one connection; the server's side is its `Backend`.
private final class ProxyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let target: Int
    private let toll: Toll
    private var random: SeededGenerator
    private var disaster: Disaster
    /// Pieces of replies until the disaster.
    private var fuse: Int
    private var isSilent = false
    private var context: ChannelHandlerContext?
    private var backend: (any Channel)?
    private var waiting: [ByteBuffer] = []
    /// Pieces on their way to the client are delayed one after the other, so that they stay in order.
    private var busyUntil = NIODeadline.now()

    init(target: Int, seed: UInt64, _ toll: Toll) {
        self.target = target
        self.toll = toll
        random = SeededGenerator(seed: seed)
        disaster = Disaster.allCases.randomElement(using: &random) ?? .reset
        fuse = Int.random(in: 1...4, using: &random)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        let toll = toll
        toll.opened()
        ClientBootstrap(group: context.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Backend(me.value))
                }
            }
            .connect(host: "127.0.0.1", port: target)
            .whenComplete { result in
                guard case .success(let channel) = result else {
                    toll.closed()
                    return me.value.closeClient()
                }
                channel.closeFuture.whenComplete { _ in toll.closed() }
                me.value.backend = channel
                for bytes in me.value.waiting { channel.writeAndFlush(bytes, promise: nil) }
                me.value.waiting = []
                // The client may be gone already; what it said was delivered all the same.
                if me.value.context == nil { channel.close(mode: .output, promise: nil) }
            }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isSilent else { return }
        let bytes = unwrapInboundIn(data)
        if fuse <= 0, disaster == .cutRequest || disaster == .lateRequest {
            isSilent = true
            toll.add(disaster)
            let half = bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes / 2)
            if disaster == .cutRequest {
                if let half { forward(half) }
                backend?.close(promise: nil)
            } else {
                // Arrives when the client has long given up on this connection and asked again on another.
                let me = NIOLoopBound(self, eventLoop: context.eventLoop)
                let pause = TimeAmount.milliseconds(Int64.random(in: 1...20, using: &random))
                context.eventLoop.scheduleTask(in: pause) {
                    me.value.forward(bytes)
                    me.value.backend?.close(mode: .output, promise: nil)
                }
            }
            return closeClient()
        }
        forward(bytes)
    }

    private func forward(_ bytes: ByteBuffer) {
        guard let backend else { return waiting.append(bytes) }
        backend.writeAndFlush(bytes, promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { backend?.close(mode: .output, promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        switch disaster {
        case .lateRequest where isSilent: break
        // What the client said before it left still arrives.
        case .halfClose: backend?.close(mode: .output, promise: nil)
        default: backend?.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: What the server says

    func fromServer(_ bytes: ByteBuffer) {
        guard !isSilent else { return }
        fuse -= 1
        guard fuse == 0 else { return trickle(bytes) }
        switch disaster {
        case .cutRequest, .lateRequest: return trickle(bytes)
        default: toll.add(disaster)
        }
        isSilent = true
        switch disaster {
        case .dropReply:
            backend?.close(promise: nil)
            closeClient()
        case .cutReply:
            if let half = bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes / 2) { trickle(half) }
            backend?.close(promise: nil)
        case .reset:
            guard let context else { return }
            let channel = context.channel
            guard let socket = channel as? any SocketOptionProvider else { return closeClient() }
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
        case .halfClose:
            isSilent = false
            context?.close(mode: .output, promise: nil)
        case .halfCloseToServer:
            isSilent = false
            trickle(bytes)
            backend?.close(mode: .output, promise: nil)
        case .blackHole, .cutRequest, .lateRequest: break
        }
    }

    func serverClosed() {
        guard disaster != .blackHole || !isSilent else { return }
        guard let context else { return }
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(deadline: busyUntil) { me.value.closeClient() }
    }

    /// Passes bytes on, in one piece or several, at once or a little later.
    private func trickle(_ bytes: ByteBuffer) {
        guard let context else { return }
        var rest = bytes
        while rest.readableBytes > 0 {
            let isWhole = Bool.random(using: &random)
            let length = isWhole ? rest.readableBytes : Int.random(in: 1...rest.readableBytes, using: &random)
            guard let piece = rest.readSlice(length: length) else { return }
            let delay = Int.random(in: 0..<4, using: &random) == 0 ? Int64.random(in: 0...2_000, using: &random) : 0
            busyUntil = max(busyUntil, .now()) + .microseconds(delay)
            let me = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(deadline: busyUntil) { me.value.send(piece) }
        }
    }

    private func send(_ bytes: ByteBuffer) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    private func closeClient() {
        context?.close(promise: nil)
    }
}

/// The server's side of a connection.
private final class Backend: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let front: ProxyHandler

    init(_ front: ProxyHandler) { self.front = front }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { front.fromServer(unwrapInboundIn(data)) }
    func channelInactive(context: ChannelHandlerContext) { front.serverClosed() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
