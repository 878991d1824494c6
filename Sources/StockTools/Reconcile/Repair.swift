// A plan carried out: each step is a request of its own, and what the server says to it is the outcome.

import Glibc
import StockConnection
import StockInput
import StockModel

/// What became of a plan.
public struct RepairReport: Equatable, Sendable {
    public var done = 0
    /// Steps that an earlier run of the same plan had done.
    public var doneBefore = 0
    /// Steps that the server refused, with its words.
    public var refused: [(step: RepairPlan.Step, reply: String)] = []
    /// The newest event, once all is on the server's disk.
    public var sequence: UInt64?

    public static func == (a: RepairReport, b: RepairReport) -> Bool {
        a.done == b.done && a.doneBefore == b.doneBefore && a.sequence == b.sequence
            && a.refused.map(\.reply) == b.refused.map(\.reply) && a.refused.map(\.step) == b.refused.map(\.step)
    }
}

extension RepairPlan {
    /// Refuses a plan whose ids the server may have forgotten, so that a step could be done a second time.
    ///
    /// - Parameters:
    ///   - retention: the server's, in milliseconds.
    ///   - now: Unix milliseconds.
    public func checkAge(retention: Int64, now: Int64) throws(ToolError) {
        // Half of it: clocks differ, and applying takes time.
        guard made <= now &+ 60_000, now &- made < retention / 2 else {
            throw ToolError(
                .tryLater,
                "the plan is too old: the server remembers ids for \(retention / 1_000) s, after which a step could be "
                    + "done twice. Compare again")
        }
    }

    /// Sends every step and waits until all is on the server's disk.
    public func apply(on server: LiveServer, progress: (Int) -> Void = { _ in }) throws -> RepairReport {
        guard let retention = try server.statistic("retention_ms", of: "limits") else {
            throw ToolError(.unreachable, "the server does not tell how long it remembers ids")
        }
        try checkAge(retention: retention, now: Int64(time(nil)) * 1_000)
        var report = RepairReport()
        var pipeline = RequestPipeline(server.connection)
        let id = id
        func take(_ index: Int, _ reply: ReplyLine) throws {
            switch reply.word {
            case "ADJUSTED", "CREATED":
                if reply.isReplay { report.doneBefore += 1 } else { report.done += 1 }
            case "EXISTS":
                report.doneBefore += 1
            case "INSUFFICIENT", "NOSKU", "CONFLICT", "RANGE", "SYNTAX":
                report.refused.append((steps[index], reply.text))
            default:
                throw ToolError(refusal: reply)
            }
            progress(report.done + report.doneBefore + report.refused.count)
        }
        for (index, step) in steps.enumerated() {
            try pipeline.send(Array(request(of: step, id: id).utf8), tag: index, handle: take)
        }
        try pipeline.finish(handle: take)
        let reply = try server.ask("DURABLE").head
        guard reply.word == "DURABLE" else { throw ToolError(refusal: reply) }
        report.sequence = reply["seq"].flatMap { UInt64($0) }
        return report
    }
}

/// Keeps two repairs of one store from working at once.
public final class RepairLock {
    private let file: Int32

    /// Throws `tryLater` while another repair runs.
    public init(in store: StoreFiles) throws(ToolError) {
        let path = "\(store.path)/reconcile.lock"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw ToolError(.cannotWrite, "cannot make \(path): \(String(cString: strerror(errno)))") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw ToolError(.tryLater, "another repair of \(store.path) is running")
        }
    }

    deinit {
        close(file)
    }
}
