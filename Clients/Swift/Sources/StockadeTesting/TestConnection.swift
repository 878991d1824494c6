// One connection of a test server: bytes to the shop, replies back, and the faults that are the network's.

import NIOCore
import NIOPosix

final class TestConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let hatch: ServerHatch
    private var input = ByteBuffer()
    private var session: Session?
    /// A reply is being delayed. Replies keep their order, so nothing behind it is served meanwhile.
    private var isDelayed = false
    /// Requests are carried out and nothing is answered any more.
    private var isSilent = false
    private var isClosing = false

    init(_ hatch: ServerHatch) {
        self.hatch = hatch
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        hatch.current?.state.withLock { $0.channels[ObjectIdentifier(channel)] = channel }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        let channel = context.channel
        hatch.current?.state.withLock { $0.channels[ObjectIdentifier(channel)] = nil }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        input.writeBuffer(&bytes)
        serve(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func serve(_ context: ChannelHandlerContext) {
        guard let server = hatch.current else { return context.close(promise: nil) }
        var output = context.channel.allocator.buffer(capacity: 256)
        defer {
            if output.readableBytes > 0 && !isClosing { context.writeAndFlush(wrapOutboundOut(output), promise: nil) }
        }
        while !isDelayed, !isClosing, input.readableBytes > 0 {
            var reply = ByteBuffer()
            let served = server.state.withLock { state in
                var session = session ?? state.shop.newSession()
                defer { self.session = session }
                return input.withUnsafeReadableBytes { bytes in
                    state.shop.serve(bytes, session: &session, wallClock: WallClock.milliseconds) {
                        reply.writeBytes($0)
                    }
                }
            }
            switch served {
            case .incomplete: return
            case .last:
                output.writeBuffer(&reply)
                context.writeAndFlush(wrapOutboundOut(output), promise: nil)
                output.clear()
                close(context)
            case .served(let consumed, let fault):
                input.moveReaderIndex(forwardBy: consumed)
                input.discardReadBytes()
                switch fault {
                case .dropReply, .dropRequest:
                    if output.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(output), promise: nil) }
                    output.clear()
                    close(context)
                case .reset:
                    output.clear()
                    reset(context)
                case .silence: isSilent = true
                case .delay(let time):
                    delay(reply, by: time, context)
                case .busy, .slowDown, nil:
                    if !isSilent { output.writeBuffer(&reply) }
                }
            }
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        isClosing = true
        context.close(promise: nil)
    }

    /// Closes without the usual farewell: the other side reads "connection reset".
    private func reset(_ context: ChannelHandlerContext) {
        isClosing = true
        let channel = context.channel
        guard let socket = channel as? any SocketOptionProvider else { return context.close(promise: nil) }
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    }

    private func delay(_ reply: ByteBuffer, by time: Duration, _ context: ChannelHandlerContext) {
        isDelayed = true
        let me = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let (seconds, attoseconds) = time.components
        let pause = TimeAmount.seconds(min(seconds, 3_600)) + .nanoseconds(attoseconds / 1_000_000_000)
        context.eventLoop.scheduleTask(in: pause) {
            let (connection, context) = me.value
            guard !connection.isClosing else { return }
            connection.isDelayed = false
            if !connection.isSilent { context.writeAndFlush(connection.wrapOutboundOut(reply), promise: nil) }
            connection.serve(context)
        }
    }
}
