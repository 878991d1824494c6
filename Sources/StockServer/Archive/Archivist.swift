// The archivist: a thread that folds the log into the database, copies the database, and takes away what nobody needs
// any more. It gives way to every other thread, and nothing ever waits for it but who asked it to.
//
// This file is the thread and its days; what it does is in ArchivistWork.swift and its extensions.

import CLinux
import StockArchive
import StockJournal
import StockModel

/// The loop's hold on the archivist.
final class Archivist {
    let mail: ArchiveMail
    private var thread: Thread?

    init(_ directory: StoreDirectory, _ configuration: ServerConfiguration) throws(JournalError) {
        let mail = try ArchiveMail()
        let options = ArchivistOptions(configuration)
        self.mail = mail
        thread = try Thread(
            name: "archivist", stop: { mail.abandon() },
            body: {
                clinux_give_way()
                var work = ArchivistWork(directory: directory, options: options, mail: mail)
                work.run()
                mail.noteEnd()
            })
    }

    /// The last order, and then its end; waits at most `nanoseconds` for both.
    ///
    /// - Returns: whether the order was carried out.
    func end(with order: FoldOrder?, within nanoseconds: Int64) -> Bool {
        if let order { mail.send(order) }
        mail.endWhenDone()
        waitForEnd(within: nanoseconds)
        let isDone = mail.isOver
        release()
        return isDone && !mail.takeNews().contains { if case .foldFailed = $0 { true } else { false } }
    }

    deinit { release() }

    private func waitForEnd(within nanoseconds: Int64) {
        let deadline = clinux_monotonic_ns() &+ nanoseconds
        while !mail.isOver {
            let left = deadline &- clinux_monotonic_ns()
            guard left > 0 else { return }
            mail.loopBell.wait(atMost: left)
        }
    }

    /// Stops the thread between two steps of its work. If the disk does not let it get there, the process ends without
    /// waiting for it: SQLite takes that for what it is, a crash between two commits.
    private func release() {
        guard let thread else { return }
        mail.abandon()
        waitForEnd(within: ArchiveLimits.patienceAtEnd)
        if !mail.isOver { _ = Unmanaged.passRetained(thread) }
        self.thread = nil
    }
}

/// What the archivist is told at its start. Durations are milliseconds; 0: never, or for ever.
struct ArchivistOptions: Sendable {
    var backupInterval: Int64
    var keepLog: Int64
    var history: Int64

    init(_ configuration: ServerConfiguration) {
        backupInterval = configuration.backupInterval
        keepLog = configuration.keepLog
        history = configuration.history
    }
}

/// Sizes and times of the archivist's work. Times are nanoseconds, unless their name says otherwise.
enum ArchiveLimits {
    /// A fold or a backup that failed is tried again after this, doubled each time up to the last.
    static let firstRetry: Int64 = 100_000_000
    static let lastRetry: Int64 = 30_000_000_000
    static let lastBackupRetry: Int64 = 3_600_000_000_000
    /// How long SQLite waits for a stranger's lock, in milliseconds.
    static let lockPatience: Int32 = 2_000
    /// How often it looks for what is old enough to go.
    static let tidyInterval: Int64 = 10_000_000_000
    /// Automatic backups that are kept.
    static let backups = 2
    /// Pages copied, entries pruned, rows recounted and segments looked at between two looks at the post.
    static let backupPages: Int32 = 2_048
    static let prunedEntries = 20_000
    static let walkedRows = 1_000
    /// The archivist works for so long at a stretch, and then sleeps for so long.
    static let stretch: Int64 = 1_000_000
    static let nap: Int64 = 50_000
    static let segmentsAtOnce = 256
    /// A server that stops waits this long for its last events to be folded …
    static let lastFold: Int64 = 20_000_000_000
    /// … this long for the segment before it to be sealed …
    static let lastSeal: Int64 = 2_000_000_000
    /// … and this long for the archivist to come to a place where it can stop.
    static let patienceAtEnd: Int64 = 5_000_000_000
    /// What the laws may be walked for in one turn of the loop, and records between two looks at the clock.
    static let walkDuration: Int64 = 150_000
    static let walkSteps = 64
}
