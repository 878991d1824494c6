// The end of the channel's pipeline: it passes on what happens to the socket, and decides nothing.

import NIOCore

/// Connects a NIO channel to a `LaneCore` on the same event loop.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let core: LaneCore

    init(core: LaneCore) {
        self.core = core
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unwrapInboundIn(data).withUnsafeReadableBytes { core.received($0) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { core.writable() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        core.disconnected(context.channel)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        core.broke(error)
        context.close(promise: nil)
    }
}
