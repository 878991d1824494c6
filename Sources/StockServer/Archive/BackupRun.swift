// An automatic backup on a thread of its own: copying and looking through a large database takes minutes, and folding
// goes on meanwhile.

import CLinux
import Glibc
import StockArchive
import StockJournal
import StockModel
import Synchronization

/// A backup that is being made. Dropped before it is finished, it is given up.
final class BackupRun: Sendable {
    enum Outcome: Sendable {
        case made(sequence: UInt64, nanoseconds: Int64)
        case failed(String)
    }

    private final class Shared: Sendable {
        let outcome = Mutex<Outcome?>(nil)
        let isStopping = Atomic<Bool>(false)
    }

    private let shared = Shared()
    private let thread: Thread

    /// How it ended; `nil` while it runs.
    var result: Outcome? { shared.outcome.withLock { $0 } }

    /// - Parameter bell: rings when it has ended.
    init(of archive: String, into directory: String, identity: StoreIdentity, bell: Bell) throws(JournalError) {
        let shared = shared
        thread = try Thread(
            name: "backup", stop: { shared.isStopping.store(true, ordering: .releasing) },
            body: {
                clinux_give_way()
                let outcome = BackupRun.make(of: archive, into: directory, identity: identity, shared)
                shared.outcome.withLock { $0 = outcome }
                bell.ring()
            })
    }

    private static func make(
        of archive: String, into directory: String, identity: StoreIdentity, _ shared: Shared
    ) -> Outcome {
        let start = clinux_monotonic_ns()
        do {
            // Only the copy knows which event it stands for, so it gets its name at the end.
            let unnamed = directory + "/unnamed.sqlite"
            var backup = try Backup(of: archive, to: unnamed, identity: identity)
            let sequence = backup.sequence
            while try !backup.step(pages: ArchiveLimits.backupPages) {
                if shared.isStopping.load(ordering: .acquiring) { return .failed("the server stops") }
            }
            try backup.finish()
            let path = directory + "/" + Backup.name(sequence: sequence)
            guard rename(unnamed, path) == 0 else { throw ArchiveError.system(call: "rename", path: path, errno: errno) }
            return .made(sequence: sequence, nanoseconds: clinux_monotonic_ns() &- start)
        } catch {
            return .failed("\(error)")
        }
    }
}
