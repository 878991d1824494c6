// A thread that touches the ledger's memory before the loop does. The kernel clears a page when it is first written to;
// at a million sales a second that is a hundred megabytes of clearing a second, which otherwise a request would wait for.

import CMemory
import StockJournal
import StockLedger
import StockModel
import Synchronization

/// Makes memory ready, a piece at a time. When it falls behind, nothing is lost: the loop touches the memory itself.
public final class MemoryPreparer: Sendable {
    private let mail: Mail
    private let thread: Thread

    /// One piece, from the loop to the thread.
    private final class Mail: Sendable {
        let address = Atomic<UInt>(0)
        /// Bytes; 0: the thread has nothing to do.
        let count = Atomic<Int>(0)
        let isStopping = Atomic<Bool>(false)
        let bell: Bell

        init() throws(JournalError) {
            bell = try Bell()
        }
    }

    public init() throws(JournalError) {
        let mail = try Mail()
        self.mail = mail
        thread = try Thread(
            name: "memory",
            stop: {
                mail.isStopping.store(true, ordering: .sequentiallyConsistent)
                mail.bell.ring()
            },
            body: {
                while !mail.isStopping.load(ordering: .sequentiallyConsistent) {
                    let count = mail.count.load(ordering: .acquiring)
                    if count == 0 {
                        mail.bell.wait(atMost: nil)
                    } else {
                        cmemory_populate(UnsafeMutableRawPointer(bitPattern: mail.address.load(ordering: .relaxed)), count)
                        mail.count.store(0, ordering: .releasing)
                    }
                }
            })
    }

    /// From the loop: hands on what the ledger will need next, when the thread is at rest.
    @inline(__always)
    func serve(_ ledger: inout Ledger) {
        guard mail.count.load(ordering: .acquiring) == 0, let memory = ledger.takeUnready() else { return }
        mail.address.store(UInt(bitPattern: memory.baseAddress), ordering: .relaxed)
        mail.count.store(memory.count, ordering: .releasing)
        mail.bell.ring()
    }
}
