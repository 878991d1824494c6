// A Stockade server inside a test: the real ledger behind a real socket on a free port, started in microseconds, with
// a clock that the test moves and faults that it orders. Nothing is written to disk.

import NIOCore
import NIOPosix
import Synchronization

/// A server for the unit tests of programs that sell.
///
/// ```swift
/// try await StockadeTestServer.withServer { server in
///     server.send("CREATE phone 3")
///     server.order(.dropReply, on: "DEDUCT")
///     try await StockadeClient.withClient(ServerAddress(server.address)) { stock in
///         let sale = try await stock.deduct(order: "o-1", [.init("phone", 2)]).get()
///         // Sold once, though the first reply was lost.
///     }
/// }
/// ```
public final class StockadeTestServer: Sendable {
    /// The shop and the connections that are open.
    struct State: ~Copyable {
        var shop: TestShop
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    let state: Mutex<State>
    private let listener: Mutex<(any Channel)?>

    /// Where it listens: `127.0.0.1:port`, or `unix:path`.
    public let address: String

    /// Starts a server on a free port of the loopback interface.
    ///
    /// - Parameters:
    ///   - unixPath: listens on this Unix socket instead.
    ///   - password: what clients must say.
    ///   - retention: how long ended orders are remembered.
    public static func start(
        unixPath: String? = nil, password: String? = nil, retention: Duration = .seconds(86_400),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> StockadeTestServer {
        let state = Mutex(
            State(shop: TestShop(password: password, retention: retention.milliseconds, seed: .random(in: 0 ... .max))))
        return try await StockadeTestServer(state, unixPath: unixPath, on: group.next())
    }

    /// Starts a server, and stops it when `body` ends.
    public static func withServer<Result>(
        unixPath: String? = nil, password: String? = nil, retention: Duration = .seconds(86_400),
        isolation: isolated (any Actor)? = #isolation,
        _ body: (StockadeTestServer) async throws -> Result
    ) async throws -> Result {
        let server = try await start(unixPath: unixPath, password: password, retention: retention)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    private init(_ state: consuming sending Mutex<State>, unixPath: String?, on loop: any EventLoop) async throws {
        self.state = state
        let hatch = ServerHatch()
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TestConnection(hatch))
                }
            }
        let channel: any Channel
        if let unixPath {
            channel = try await bootstrap.bind(unixDomainSocketPath: unixPath, cleanupExistingSocketFile: true).get()
            address = "unix:\(unixPath)"
        } else {
            channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
            address = "127.0.0.1:\(channel.localAddress?.port ?? 0)"
        }
        listener = Mutex(channel)
        hatch.open(self)
    }

    /// Closes the listener and every connection.
    public func stop() async {
        let channel = listener.withLock { channel in
            defer { channel = nil }
            return channel
        }
        try? await channel?.close()
        await dropConnections()
    }

    /// Closes every connection that is open now; clients may connect again.
    public func dropConnections() async {
        let channels = state.withLock { Array($0.channels.values) }
        for channel in channels { try? await channel.close() }
    }

    // MARK: What tests order

    /// Makes `fault` happen to the next `count` requests.
    ///
    /// - Parameter verb: only to requests that begin with this word, in capitals: `"DEDUCT"`.
    public func order(_ fault: Fault, on verb: String? = nil, count: Int = 1) {
        state.withLock { $0.shop.order(fault, verb: verb, count: count) }
    }

    /// Forgets the faults that have not happened yet.
    public func clearFaults() {
        state.withLock { $0.shop.clearFaults() }
    }

    /// Moves the shop's clock: holds run out without anybody waiting.
    public func advance(by time: Duration) {
        state.withLock { $0.shop.advance(by: time.milliseconds) }
    }

    // MARK: What tests ask

    /// Asks the ledger directly, without a socket and without faults.
    ///
    /// - Parameter line: a request in line framing, without its end.
    /// - Returns: the reply's lines, without their ends, separated by line feeds.
    @discardableResult
    public func send(_ line: String) -> String {
        let bytes = Array((line + "\n").utf8)
        var text = ""
        state.withLock { state in
            var session = Session(isLoggedIn: true)
            bytes.withUnsafeBytes { bytes in
                _ = state.shop.serve(bytes, session: &session, wallClock: WallClock.milliseconds, isFaulty: false) {
                    text = String(decoding: $0, as: UTF8.self)
                }
            }
        }
        return text.split(separator: "\r\n").joined(separator: "\n")
    }

    /// The first law of stock that does not hold; `nil` if all do.
    public func brokenLaw() -> String? {
        state.withLock { $0.shop.brokenLaw() }
    }
}

/// Hands the server to its connections: they can come as soon as the listener is bound, which is before the server is
/// made.
final class ServerHatch: Sendable {
    private let server = Mutex<WeakServer>(WeakServer())

    private struct WeakServer {
        weak var server: StockadeTestServer?
    }

    func open(_ server: StockadeTestServer) {
        self.server.withLock { $0.server = server }
    }

    /// `nil` before it is open, and after the server is gone.
    var current: StockadeTestServer? { server.withLock { $0.server } }
}

extension Duration {
    /// Whole milliseconds, not below 0; what does not fit is as long as can be.
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !isTooLarge else { return seconds < 0 ? 0 : .max / 4 }
        return max(0, product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000).partialValue)
    }
}
