// What the loop and the archivist say to each other: orders one way, news the other, and a board with figures for
// `STATS`. The lock is held for the length of an append, never while either of them works.

import StockJournal
import StockModel
import Synchronization

/// Fold all events up to `sequence`, which stand in sealed segments up to `segment`.
struct FoldOrder: Sendable {
    var segment: UInt64
    var sequence: UInt64
    /// What the rows must be when they stand at `sequence`, if somebody asked.
    var verify: VerifyOrder?
}

/// What memory was at one sequence.
struct VerifyOrder: Sendable {
    var skus: Int
    var orders: Int
    var digest: UInt64
    var shardDigests: [UInt64]
}

/// How the rows compared with memory.
enum RowVerdict: Equatable, Sendable {
    case same
    /// The first difference, in words.
    case differ(String)
    /// They could not be compared.
    case unknown(String)
}

enum ArchiveNews: Sendable {
    /// The database stands at this sequence, and that is on the disk.
    case folded(sequence: UInt64)
    /// It could not be folded this time, and why. It is tried again.
    case foldFailed(String)
    /// The rows at this sequence were compared with what memory was then.
    case verified(sequence: UInt64, RowVerdict)
    /// For the operator.
    case note(String, isTrouble: Bool)
}

/// Figures of the archivist's, for `STATS`. Times are Unix milliseconds.
struct ArchiveFigures: Sendable {
    var databaseBytes = 0
    /// SQLite's write-ahead log.
    var walBytes = 0
    var logFiles = 0
    var logBytes = 0
    var errors: UInt64 = 0
    /// Why the archive is behind; empty when the newest attempt went well.
    var trouble = ""
    /// The newest verified automatic backup.
    var backupSequence: UInt64 = 0
    var backupAt: Int64 = 0
    var backupMilliseconds: Int64 = 0
    var backups = 0
    var backupTrouble = ""
    var removedSegments: UInt64 = 0
    var prunedEntries: UInt64 = 0
    /// The history begins at this event.
    var historyFrom: UInt64 = 1
}

/// The post between the two threads.
final class ArchiveMail: Sendable {
    private struct Boxes: Sendable {
        // Both short: the loop has one order out at a time, and a last one when it stops.
        var orders: [FoldOrder] = []
        var news: [ArchiveNews] = []
        var figures = ArchiveFigures()
    }

    private let boxes = Mutex(Boxes())
    /// Wakes the archivist.
    let bell: Bell
    /// Wakes the loop, which silences it when it has been woken.
    let loopBell: Bell
    private let hasNews = Atomic<Bool>(false)
    /// Somebody waits: an order that failed is to be tried again now.
    private let isUrgent = Atomic<Bool>(false)
    /// End when the orders are done.
    private let isEnding = Atomic<Bool>(false)
    /// End now; what is folded and not committed will be folded by the next server.
    private let isAbandoned = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)

    init() throws(JournalError) {
        bell = try Bell()
        loopBell = try Bell()
    }

    // MARK: From the loop

    func send(_ order: FoldOrder) {
        boxes.withLock { $0.orders.append(order) }
        bell.ring()
    }

    func hurry() {
        isUrgent.store(true, ordering: .releasing)
        bell.ring()
    }

    func takeNews() -> [ArchiveNews] {
        guard hasNews.exchange(false, ordering: .acquiringAndReleasing) else { return [] }
        return boxes.withLock { boxes in
            defer { boxes.news.removeAll() }
            return boxes.news
        }
    }

    var figures: ArchiveFigures { boxes.withLock { $0.figures } }

    func endWhenDone() {
        isEnding.store(true, ordering: .releasing)
        bell.ring()
    }

    func abandon() {
        isAbandoned.store(true, ordering: .releasing)
        bell.ring()
    }

    var isOver: Bool { hasEnded.load(ordering: .acquiring) }

    // MARK: From the archivist

    func nextOrder() -> FoldOrder? {
        boxes.withLock { $0.orders.isEmpty ? nil : $0.orders.removeFirst() }
    }

    var hasOrders: Bool { boxes.withLock { !$0.orders.isEmpty } }

    func takeUrgency() -> Bool { isUrgent.exchange(false, ordering: .acquiringAndReleasing) }

    func tell(_ news: ArchiveNews) {
        boxes.withLock { $0.news.append(news) }
        hasNews.store(true, ordering: .releasing)
        loopBell.ring()
    }

    func publish(_ change: (inout ArchiveFigures) -> Void) {
        boxes.withLock { change(&$0.figures) }
    }

    var shouldEndWhenDone: Bool { isEnding.load(ordering: .acquiring) }
    var shouldStop: Bool { isAbandoned.load(ordering: .acquiring) }

    func noteEnd() {
        hasEnded.store(true, ordering: .releasing)
        loopBell.ring()
    }
}
