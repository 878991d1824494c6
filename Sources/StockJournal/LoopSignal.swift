// How the journal's threads tell the loop that there is news.

import Synchronization

/// One eventfd for the loop to poll, with a flag in front so that a turn without news costs no system call.
final class LoopSignal: Sendable {
    let bell: Bell
    private let isRinging = Atomic<Bool>(false)

    init() throws(JournalError) { bell = try Bell() }

    /// From a thread, after the news is in place.
    func raise() {
        // In this order: a flag without a readable descriptor would be taken too early, and the descriptor would then
        // stay readable for ever. The other way round the loop looks twice at worst.
        bell.ring()
        isRinging.store(true, ordering: .releasing)
    }

    /// From the loop, before it looks at the news.
    @inline(__always)
    func take() {
        guard isRinging.load(ordering: .acquiring) else { return }
        isRinging.store(false, ordering: .relaxed)
        bell.silence()
    }
}
