// What the archivist does with its time. Orders come first: fold, compare. Between them it keeps house: a backup now
// and then, old segments and old history. Whatever fails is reported, left as it was, and tried again later; the sale
// goes on, and the log has every event.

import CLinux
import Glibc
import StockArchive
import StockJournal
import StockModel

/// The archivist is to stop at once.
struct Abandoned: Error {}

/// The state of the archivist's thread; nobody else sees it.
struct ArchivistWork: ~Copyable {
    let directory: StoreDirectory
    let options: ArchivistOptions
    let mail: ArchiveMail
    let breath: Breath
    let archivePath: String
    let backupDirectory: String

    /// Opened when it is first needed, and anew after each error.
    var archive: Archive?
    /// The order that is being carried out, or tried again.
    private var order: FoldOrder?
    private var retryAt: Int64 = 0
    private var retryDelay = ArchiveLimits.firstRetry

    var tidyAt: Int64 = 0
    var backup: BackupRun?
    /// When the next backup is due, and how soon a failed one is tried again. Monotonic nanoseconds.
    var backupAt: Int64 = 0
    var backupDelay = ArchiveLimits.firstRetry
    /// The newest verified automatic backup.
    var backupSequence: UInt64 = 0

    init(directory: StoreDirectory, options: ArchivistOptions, mail: ArchiveMail) {
        self.directory = directory
        self.options = options
        self.mail = mail
        breath = Breath(unless: { mail.shouldEndWhenDone })
        archivePath = Store.archivePath(in: directory.path)
        backupDirectory = directory.path + "/backup"
    }

    /// Works until it is told to end.
    mutating func run() {
        findBackups()
        measure()
        while !mail.shouldStop {
            if mail.takeUrgency() { retryAt = 0 }
            if order == nil { order = mail.nextOrder() }
            let now = clinux_monotonic_ns()
            if order != nil {
                // A server that stops does not wait for better times.
                if now >= retryAt || mail.shouldEndWhenDone { carryOut() }
            } else if mail.shouldEndWhenDone {
                return
            }
            // A server that stops has no time for housekeeping.
            if !mail.shouldEndWhenDone, !mail.hasOrders { keepHouse() }
            rest()
        }
    }

    private func rest() {
        if mail.shouldStop || (order == nil && (mail.hasOrders || mail.shouldEndWhenDone)) { return }
        let now = clinux_monotonic_ns()
        var wakeAt = tidyAt
        if order != nil { wakeAt = min(wakeAt, retryAt) }
        if wakeAt > now { mail.bell.wait(atMost: wakeAt &- now) }
    }

    // MARK: Folding

    private mutating func carryOut() {
        guard let order else { return }
        do {
            try fold(order)
        } catch is Abandoned {
            archive?.rollback()
            return
        } catch {
            fail("\(error)")
            return
        }
        self.order = nil
        retryDelay = ArchiveLimits.firstRetry
        retryAt = 0
        tidyAt = 0
        mail.publish { $0.trouble = "" }
        measure()
        mail.tell(.folded(sequence: order.sequence))
        if let wanted = order.verify { compare(wanted, at: order.sequence) }
    }

    private mutating func fail(_ text: String) {
        // Opened anew the next time: whatever this connection believes may be wrong.
        archive = nil
        // Who waited for it has been told; it is too late for the comparison.
        order?.verify = nil
        retryAt = clinux_monotonic_ns() &+ retryDelay
        retryDelay = min(retryDelay &* 2, ArchiveLimits.lastRetry)
        mail.publish {
            $0.errors &+= 1
            $0.trouble = text
        }
        mail.tell(.foldFailed(text))
        if mail.shouldEndWhenDone { order = nil }
    }

    private mutating func fold(_ order: FoldOrder) throws {
        if access(archivePath, F_OK) != 0 { archive = nil }
        if archive == nil {
            var options = ArchiveOptions()
            options.patience = ArchiveLimits.lockPatience
            options.pause = { [breath] in breath.take() }
            archive = try Archive.open(archivePath, identity: directory.identity, options: options)
        }
        guard var open = archive.take() else { return }
        let result = Result { try fold(order, into: &open) }
        archive = consume open
        try result.get()
    }

    private func fold(_ order: FoldOrder, into archive: inout Archive) throws {
        guard archive.position.sequence != order.sequence else { return }
        var committed = archive.position.sequence
        try LogInspector.readSealed(directory, from: committed &+ 1, through: order.segment) { frame in
            if mail.shouldStop { throw Abandoned() }
            try archive.fold(frame)
            breath.take()
            // A large fold commits in parts, and each counts.
            if archive.position.sequence != committed {
                committed = archive.position.sequence
                mail.tell(.folded(sequence: committed))
            }
        }
        _ = try archive.commit()
        // It is not ours alone: somebody may have put another sequence into it, or another file into its place.
        guard archive.position.sequence == order.sequence else {
            throw ArchiveError.damaged(
                path: archivePath,
                problem: "it stands at event \(archive.position.sequence), its log at event \(order.sequence)")
        }
        mail.publish { $0.historyFrom = archive.position.historyFrom }
    }

    // MARK: Comparing

    /// Counts the digests again from the rows, and compares them with those of memory.
    private func compare(_ wanted: VerifyOrder, at sequence: UInt64) {
        do {
            let verdict = try walk(wanted, at: sequence)
            mail.tell(.verified(sequence: sequence, verdict))
        } catch is Abandoned {
            return
        } catch ArchiveError.damaged(_, let problem) {
            mail.tell(.verified(sequence: sequence, .differ(problem)))
        } catch {
            mail.tell(.verified(sequence: sequence, .unknown("\(error)")))
        }
    }

    private func walk(_ wanted: VerifyOrder, at sequence: UInt64) throws -> RowVerdict {
        let reader = try ArchiveReader(archivePath, identity: directory.identity, patience: ArchiveLimits.lockPatience)
        guard reader.position.sequence == sequence else {
            return .unknown("the database is at event \(reader.position.sequence), not \(sequence)")
        }
        var walk = try reader.digestWalk()
        while try !walk.step(rows: ArchiveLimits.walkedRows) {
            if mail.shouldStop { throw Abandoned() }
            breath.take()
        }
        let found = walk.shardDigests
        if let shard = found.indices.first(where: { found[$0] != wanted.shardDigests[$0] }) {
            let suspect = try suspect(in: reader).map { "\($0), " } ?? ""
            let rows = walk.differences.contains(shard) ? "rows were changed after they were folded" : "rows are not those of memory"
            return .differ("\(suspect)shard=\(shard) seq=\(sequence) its \(rows)")
        }
        if walk.skuCount != wanted.skus || walk.orderCount != wanted.orders {
            return .differ(
                "seq=\(sequence) skus=\(walk.skuCount) orders=\(walk.orderCount), memory has skus=\(wanted.skus) "
                    + "orders=\(wanted.orders)")
        }
        guard reader.position.digest == wanted.digest else {
            return .differ("seq=\(sequence) what the database says of itself differs: its meta table was changed")
        }
        return .same
    }

    /// A SKU whose own row contradicts itself or its orders: most likely the one that was changed.
    private func suspect(in reader: borrowing ArchiveReader) throws(ArchiveError) -> String? {
        let statement = try reader.prepare(ArchivistWork.suspects)
        guard try statement.step() else { return nil }
        return "sku=\(statement.text(0))"
    }
}
