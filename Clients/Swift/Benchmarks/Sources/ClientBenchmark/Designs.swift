// The two designs. Both use the same connection, the same requests and the same typed calls.

import StockadeClient
import Synchronization

/// A way to share connections among tasks.
protocol Design: Sendable {
    associatedtype Client: Selling
    func open() async throws -> Client
}

protocol Selling: Sendable {
    /// Whether the order was sold.
    func deduct(_ order: NewOrder) async -> Bool
    func close() async
}

/// A client that is running in a task of its own.
struct Running: Sendable {
    let stock: StockadeClient
    private let task: Task<Void, any Error>

    init(_ address: ServerAddress) async throws {
        let stock = StockadeClient(address)
        self.stock = stock
        task = Task { try await stock.run() }
        try await stock.ping()
    }

    func sells(_ order: NewOrder) async -> Bool {
        (try? await stock.deduct(order))?.value != nil
    }

    func close() async {
        await stock.shutDown()
        task.cancel()
        _ = await task.result
    }
}

/// All tasks on one connection.
struct Shared: Design {
    struct Client: Selling {
        let running: Running
        func deduct(_ order: NewOrder) async -> Bool { await running.sells(order) }
        func close() async { await running.close() }
    }

    let address: ServerAddress

    init(_ address: ServerAddress) { self.address = address }

    func open() async throws -> Client { Client(running: try await Running(address)) }
}

/// A connection is leased for each call.
struct Leased: Design {
    let address: ServerAddress
    let connections: Int

    init(_ address: ServerAddress, connections: Int) {
        self.address = address
        self.connections = connections
    }

    func open() async throws -> Pool {
        var all: [Running] = []
        for _ in 0..<connections { all.append(try await Running(address)) }
        return Pool(all)
    }
}

/// Connections, and the tasks that wait for one: first come, first served.
final class Pool: Selling {
    private struct State {
        var idle: [Running]
        /// Waiting tasks; those before `front` have been served.
        var waiting: [CheckedContinuation<Running, Never>] = []
        var front = 0
    }

    private let state: Mutex<State>
    private let all: [Running]

    init(_ connections: [Running]) {
        all = connections
        state = Mutex(State(idle: connections))
    }

    func deduct(_ order: NewOrder) async -> Bool {
        let connection = await lease()
        defer { giveBack(connection) }
        return await connection.sells(order)
    }

    func close() async {
        for connection in all { await connection.close() }
    }

    private func lease() async -> Running {
        await withCheckedContinuation { continuation in
            let connection = state.withLock { state -> Running? in
                if let connection = state.idle.popLast() { return connection }
                state.waiting.append(continuation)
                return nil
            }
            if let connection { continuation.resume(returning: connection) }
        }
    }

    private func giveBack(_ connection: Running) {
        let next = state.withLock { state -> CheckedContinuation<Running, Never>? in
            guard state.front < state.waiting.count else {
                state.idle.append(connection)
                return nil
            }
            defer {
                state.front += 1
                if state.front == state.waiting.count || state.front > 4_096 {
                    state.waiting.removeFirst(state.front)
                    state.front = 0
                }
            }
            return state.waiting[state.front]
        }
        next?.resume(returning: connection)
    }
}
