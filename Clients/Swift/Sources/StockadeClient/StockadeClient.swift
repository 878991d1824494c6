// The client: what a program holds on to. It owns two lanes to the server and the rule that somebody must be running
// it; the calls are in Calls/, one file for orders, stock, batches, pages and the server.

import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// A client of a Stockade server.
///
/// One client serves a whole process: any number of tasks may call it at the same time, and their requests share its
/// connections. Most calls travel on one connection; what may take long (``sync(deadline:)``, pages, statistics,
/// and finding out what became of an order) travels on a second, so that nothing waits behind it.
///
/// ```swift
/// try await StockadeClient.withClient("127.0.0.1:7865") { stock in
///     let hold = try await stock.reserve(order: "o-1", [.init("phone", 2)], for: .minutes(15)).get()
///     try await hold.confirm()
/// }
/// ```
///
/// In a long-lived program, make one and run it: in a `ServiceGroup`, or with ``run()`` in a task of its own.
public final class StockadeClient: Service, Sendable {
    public let address: ServerAddress
    let configuration: Configuration
    /// Orders and stock.
    let main: Lane
    /// What may take long.
    let side: Lane
    let instruments: Instruments
    private let gate: Gate

    /// Makes a client; it connects when it is run.
    ///
    /// - Parameters:
    ///   - address: `"127.0.0.1:7865"`, `"unix:/run/stockade.sock"`.
    ///   - group: where the connections live.
    ///   - logger: told about lost connections and about servers that cannot be reached. Silent by default.
    public init(
        _ address: ServerAddress, configuration: Configuration = Configuration(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger? = nil
    ) {
        let logger = logger ?? Logger(label: "stockade.client", factory: { _ in SwiftLogNoOpLogHandler() })
        self.address = address
        self.configuration = configuration
        var login: Request?
        var mistake: StockadeError?
        if let password = configuration.password {
            do throws(StockadeError) { login = try Request.login(password) } catch { mistake = error }
        }
        let loop = group.next()
        instruments = Instruments(configuration, address)
        main = Lane(.main, to: address, configuration, login: login, on: loop, logger: logger, instruments)
        side = Lane(.side, to: address, configuration, login: login, on: group.next(), logger: logger, instruments)
        gate = Gate(patience: configuration.startPatience, mistake: mistake, on: loop)
    }

    /// Makes a client, runs it while `body` does, and shuts it down when `body` ends.
    public static func withClient<Result>(
        _ address: ServerAddress, configuration: Configuration = Configuration(), logger: Logger? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (StockadeClient) async throws -> Result
    ) async throws -> Result {
        let client = StockadeClient(address, configuration: configuration, logger: logger)
        client.open()
        do {
            let result = try await body(client)
            await client.shutDown()
            return result
        } catch {
            await client.shutDown()
            throw error
        }
    }

    /// Runs the client until its task is cancelled or the service group shuts down gracefully. Then no more calls
    /// are taken; those under way end first (in a cancelled task: end at once).
    ///
    /// - Throws: ``StockadeError/closed`` if it has been run before.
    public func run() async throws {
        guard open() else { throw StockadeError.closed }
        // Ends on cancellation too.
        try? await gracefulShutdown()
        await shutDown(gracefully: !Task.isCancelled)
    }

    /// Takes no more calls, lets those under way end, and closes the connections.
    public func shutDown() async {
        await shutDown(gracefully: true)
    }

    /// - Returns: `false` if it is or was open.
    @discardableResult
    private func open() -> Bool {
        guard gate.open() else { return false }
        main.start()
        side.start()
        return true
    }

    private func shutDown(gracefully: Bool) async {
        gate.close()
        await main.shutDown(gracefully: gracefully)
        await side.shutDown(gracefully: gracefully)
    }

    /// Lets a call in, when the client is running.
    func enter() async throws(StockadeError) {
        try await gate.enter()
    }
}
