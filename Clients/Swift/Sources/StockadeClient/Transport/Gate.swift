// Nothing works unless somebody runs the client. A call that comes before `run()` waits a moment, because tasks start
// in no particular order, and then says what is missing. It never hangs.

import NIOCore
import Synchronization

/// Lets calls in while the client is running.
final class Gate: Sendable {
    private enum Phase {
        case notYet(waiting: [UInt64: CheckedContinuation<Void, Never>])
        case open
        case closed
    }

    private struct State {
        var phase = Phase.notYet(waiting: [:])
        var nextNumber: UInt64 = 0
    }

    private let state = Mutex(State())
    private let patience: Duration
    private let mistake: StockadeError?
    private let loop: any EventLoop

    /// - Parameter mistake: what is wrong with the client's configuration; every call then says so.
    init(patience: Duration, mistake: StockadeError?, on loop: any EventLoop) {
        self.patience = patience
        self.mistake = mistake
        self.loop = loop
    }

    /// - Returns: `false` if it was open before.
    func open() -> Bool {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            guard case .notYet(let waiting) = state.phase else { return nil }
            state.phase = .open
            return Array(waiting.values)
        }
        waiting?.forEach { $0.resume() }
        return waiting != nil
    }

    func close() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            defer { state.phase = .closed }
            guard case .notYet(let waiting) = state.phase else { return [] }
            return Array(waiting.values)
        }
        waiting.forEach { $0.resume() }
    }

    func enter() async throws(StockadeError) {
        if let mistake { throw mistake }
        if try isOpen() { return }
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        let timer = loop.scheduleTask(in: .nanoseconds(patience.nanosecondCount)) { self.release(number) }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    guard case .notYet(var waiting) = state.phase, !Task.isCancelled else { return false }
                    waiting[number] = continuation
                    state.phase = .notYet(waiting: waiting)
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            release(number)
        }
        timer.cancel()
        if try isOpen() { return }
        throw Task.isCancelled ? .cancelled : .notRunning
    }

    private func isOpen() throws(StockadeError) -> Bool {
        let phase = state.withLock { $0.phase }
        switch phase {
        case .notYet: return false
        case .open: return true
        case .closed: throw .closed
        }
    }

    /// Ends the wait of one call.
    private func release(_ number: UInt64) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .notYet(var waiting) = state.phase else { return nil }
            let continuation = waiting.removeValue(forKey: number)
            state.phase = .notYet(waiting: waiting)
            return continuation
        }
        continuation?.resume()
    }
}
