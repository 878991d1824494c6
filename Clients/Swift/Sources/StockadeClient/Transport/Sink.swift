// Where the end of a request goes: to one task that waits for it, or to its place in a batch.

import Synchronization

/// The continuation of a request. It is used once.
enum Sink: Sendable {
    case call(CheckedContinuation<Attempt, Never>)
    case part(of: BatchSink, index: Int)

    func finish(_ attempt: Attempt) {
        switch self {
        case .call(let continuation): continuation.resume(returning: attempt)
        case .part(let batch, let index): batch.finish(index, attempt)
        }
    }
}

/// One continuation for many requests: the task that sent a batch is woken once, when the last of them has ended.
final class BatchSink: Sendable {
    private struct State {
        var attempts: [Attempt?]
        var missing: Int
        let continuation: CheckedContinuation<[Attempt], Never>
    }

    private let state: Mutex<State>

    init(count: Int, continuation: CheckedContinuation<[Attempt], Never>) {
        state = Mutex(
            State(attempts: Array(repeating: nil, count: count), missing: count, continuation: continuation))
    }

    func finish(_ index: Int, _ attempt: Attempt) {
        let done = state.withLock { state -> (CheckedContinuation<[Attempt], Never>, [Attempt])? in
            state.attempts[index] = attempt
            state.missing -= 1
            guard state.missing == 0 else { return nil }
            return (state.continuation, state.attempts.compactMap { $0 })
        }
        if let (continuation, attempts) = done { continuation.resume(returning: attempts) }
    }
}
