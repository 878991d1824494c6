// From one thread to another, by the batch: what one reads, the other takes in meanwhile. A start reads that way, the
// database's rows as well as the log's frames: it takes little more time than the slower of the two halves.

import StockModel
import Synchronization

/// A few batches that go round between a thread that fills them and one that empties them.
package final class Pipe<Batch: AnyObject & Sendable>: Sendable {
    private struct State: Sendable {
        var filled: [Batch] = []
        var free: [Batch]
        /// The filling is over, and how it ended.
        var end: Result<Void, any Error>?
        /// Nobody takes batches any more.
        var isAbandoned = false
    }

    /// The filler has nobody to fill batches for.
    package struct Abandoned: Error {}

    private let state: Mutex<State>
    private let hasFilled: Bell
    private let hasFree: Bell

    /// - Parameter batches: all that there will ever be, empty.
    package init(_ batches: [Batch]) throws(JournalError) {
        state = Mutex(State(free: batches))
        hasFilled = try Bell()
        hasFree = try Bell()
    }

    // MARK: From the filler

    package func nextFree() throws(Abandoned) -> Batch {
        while true {
            let (batch, isAbandoned) = state.withLock { ($0.free.popLast(), $0.isAbandoned) }
            guard !isAbandoned else { throw Abandoned() }
            if let batch { return batch }
            hasFree.wait(atMost: nil)
        }
    }

    package func put(_ batch: Batch) {
        state.withLock { $0.filled.append(batch) }
        hasFilled.ring()
    }

    package func close(_ end: Result<Void, any Error>) {
        state.withLock { $0.end = end }
        hasFilled.ring()
    }

    // MARK: From the taker

    /// The next batch, `nil` after the last. Throws what the filler threw, after the batches before that.
    package func take() throws -> Batch? {
        while true {
            let (batch, end) = state.withLock { state in
                (state.filled.isEmpty ? nil : state.filled.removeFirst(), state.end)
            }
            if let batch { return batch }
            if let end {
                try end.get()
                return nil
            }
            hasFilled.wait(atMost: nil)
        }
    }

    package func giveBack(_ batch: Batch) {
        state.withLock { $0.free.append(batch) }
        hasFree.ring()
    }

    package func abandon() {
        state.withLock { $0.isAbandoned = true }
        hasFree.ring()
    }
}
