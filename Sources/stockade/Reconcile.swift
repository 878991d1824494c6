// `stockade reconcile`: the server's stock against the shop's record of it. What is found and how it is said is in
// Reconcile+Report.swift.

import ArgumentParser
import CLinux
import Glibc
import StockInput
import StockTools

extension CountKind: ExpressibleByArgument {}

struct Reconcile: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare the stock with the shop's record, explain each difference, repair it.",
        discussion: """
            The shop's record is a CSV file of sku,units (a header may name the columns; others are passed over), or the \
            answer of an SQLite database to a query of two columns. A server that runs is asked for a snapshot first; \
            everything of ours is then of one event.

            Both may count open holds differently, so say what the record counts: onhand (units not yet sold, held ones \
            among them), available (less what is held and the floor), or sold. A drift is explained by the orders and \
            adjustments since both agreed last; that is remembered in the database.

            --repair makes the server agree with the record: a plan of ADJUST and CREATE requests is saved, shown, and \
            applied when you say yes (--yes). Each step has an id made of the plan and the SKU, so that a plan can be \
            applied again (--apply) and nothing is done twice. SKUs that the record does not have are reported and never \
            touched.

            EXAMPLES
              stockade reconcile --against stock.csv
              stockade reconcile --count available \\
                --against 'sqlite:shop.db?SELECT sku, stock FROM product'
              stockade reconcile --against stock.csv --threshold 100 --json
              stockade reconcile --against stock.csv --repair
              stockade reconcile --apply stockade-data/reconcile-1234-5f0c9a31.plan

            EXIT STATUS
              0   no more differences than --threshold (after a repair: left)
              1   more differences than that
              2   no repair was begun: too many differences, rows that make no
                  sense, or you said no
              64  a flag cannot be used
              65  the record or the plan cannot be understood
              66  there is no record, no store, or no database in it yet
              69  the server is needed and cannot be reached
              73  the plan cannot be saved
              75  the database is locked or behind the server, the plan is too old,
                  or the server takes no changes now
              77  the server wants a password
              78  the database is damaged
            """)

    @Option(help: ArgumentHelp("The shop's record: FILE.csv, - or sqlite:FILE?QUERY.", valueName: "record"))
    var against: String?

    @Option(help: "What the record counts: onhand, available or sold.")
    var count = CountKind.onhand

    @Option(help: ArgumentHelp("Differences that are in order.", valueName: "n"))
    var threshold = 0

    @Option(help: ArgumentHelp("Differences that are named; beyond that they are counted. JSON has all.", valueName: "n"))
    var show = 100

    @Flag(help: "Make the server agree with the record.")
    var repair = false

    @Option(
        help: ArgumentHelp(
            "Refuse to repair more differences than this: then rather the record is wrong.", valueName: "n"))
    var maxDifferences = 100

    @Option(help: ArgumentHelp("Save the plan here, not in the server's directory.", valueName: "file"))
    var plan: String?

    @Option(help: ArgumentHelp("Apply a saved plan, compare nothing.", valueName: "file"))
    var apply: String?

    @Flag(help: "Repair without asking.")
    var yes = false

    @Flag(help: "An object for each difference, and one for the whole.")
    var json = false

    @OptionGroup var directory: DirectoryFlag
    @OptionGroup var server: ServerFlags

    func validate() throws {
        guard (against == nil) != (apply == nil) else {
            throw ValidationError("say what to compare with (--against), or which plan to apply (--apply)")
        }
        guard threshold >= 0, maxDifferences >= 0, show >= 0 else { throw ValidationError("a number is below zero") }
        guard !repair || count != .sold else {
            throw ValidationError("units sold cannot be adjusted; repair by onhand or available")
        }
        guard repair || plan == nil else { throw ValidationError("--plan says where --repair saves its plan") }
    }

    func run() throws {
        try conclude {
            let store = try directory.open()
            if let apply {
                try applyPlan(RepairPlan(path: apply), savedIn: apply, store)
            } else if let against {
                try compare(ShopRecord(against), store)
            }
        }
    }

    // MARK: Comparing

    private func compare(_ record: ShopRecord, _ store: StoreFiles) throws {
        let lock = repair ? try RepairLock(in: store) : nil
        defer { withExtendedLifetime(lock) {} }
        let progress = ProgressLine()
        let report = ReconcileReport(json: json, show: show)
        // The record first, then ours: what was sold in between is in ours, and an explanation can name it.
        let comparison = try Comparison(with: record, counting: count) { problem in
            progress.clear()
            report.write(problem)
        }
        let live = try server.server(of: store)
        let needed = try live?.snapshot()
        let comparedAt = try compareAndReport(comparison, store, progress, report)
        if let needed, comparedAt < needed {
            warn("the server is at event \(needed); this is what the database had at event \(comparedAt)")
        }
        do {
            try comparison.keepAgreements(in: store, at: clinux_realtime_ns() / 1_000_000)
        } catch {
            warn("what agreed could not be kept for the next explanation: \(error)")
        }
        guard repair else {
            if comparison.summary.differences > threshold { throw ExitCode.incomplete }
            return
        }
        try repair(comparison, store, live, isFresh: needed.map { comparedAt >= $0 } ?? false)
    }

    /// - Returns: the event that ours was of.
    private func compareAndReport(
        _ comparison: Comparison, _ store: StoreFiles, _ progress: ProgressLine, _ report: ReconcileReport
    ) throws -> UInt64 {
        try store.bringUpToDate()
        let reader = try store.read()
        try comparison.run(on: reader) { progress.update(nil, "\(counted($0, "SKU")) compared") }
        progress.clear()
        try report.write(comparison, explaining: Explainer(count, on: reader), store.path)
        return comparison.summary.sequence
    }

    // MARK: Repairing

    private func repair(_ comparison: Comparison, _ store: StoreFiles, _ live: LiveServer?, isFresh: Bool) throws {
        let summary = comparison.summary
        guard summary.bad == 0 else {
            throw fail(
                "no repair: \(counted(summary.bad, "row")) of the record cannot be compared. Mend the record",
                .repairRefused)
        }
        let changes = summary.drifting + summary.onlyThere
        guard changes <= maxDifferences else {
            throw fail(
                "no repair: \(counted(changes, "difference")) would be repaired, --max-differences allows "
                    + "\(grouped(maxDifferences)). Is it the right record, and the right --count?", .repairRefused)
        }
        let plan = try RepairPlan(for: comparison, in: store, at: clinux_realtime_ns() / 1_000_000)
        guard !plan.steps.isEmpty else {
            if !json { writeAll(STDOUT_FILENO, "nothing to repair\n") }
            return try finish(left: summary.differences)
        }
        guard live != nil else { throw noServer(of: store) }
        guard isFresh else {
            throw ToolError(
                .tryLater,
                "no repair: the database is behind the server, and what was repaired since would be repaired again")
        }
        let path = self.plan ?? "\(store.path)/reconcile-\(plan.sequence)-\(plan.id).plan"
        try plan.save(path)
        try applyPlan(plan, savedIn: path, store, left: summary.onlyHere)
    }

    /// - Parameter left: differences that the plan does not touch.
    private func applyPlan(_ plan: RepairPlan, savedIn path: String, _ store: StoreFiles, left: Int = 0) throws {
        guard plan.store == String(store.identity.store, radix: 16) else {
            throw ToolError(.usage, "\(path) is a plan for another store than \(store.path)")
        }
        if !json { writeAll(STDOUT_FILENO, ReconcileReport.text(of: plan, savedIn: path)) }
        guard yes || isAgreed() else {
            throw fail(
                "nothing was changed; the plan is \(path). Apply it with: stockade reconcile --apply \(path)",
                .repairRefused)
        }
        guard let live = try server.server(of: store) else {
            throw noServer(of: store)
        }
        let progress = ProgressLine()
        let report = try plan.apply(on: live) { done in
            progress.update(Double(done) / Double(plan.steps.count), counted(done, "step"))
        }
        progress.clear()
        ReconcileReport(json: json, show: show).write(report, of: plan, savedIn: path)
        try finish(left: left + report.refused.count)
    }

    private func noServer(of store: StoreFiles) -> ToolError {
        ToolError(.unreachable, "a repair needs the server of \(store.path): start it, or name it with --server")
    }

    private func finish(left: Int) throws {
        if left > threshold { throw ExitCode.incomplete }
    }

    private func isAgreed() -> Bool {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return false }
        writeAll(STDERR_FILENO, "Apply this plan? [y/N] ")
        let answer = readLine()?.lowercased() ?? ""
        return answer == "y" || answer == "yes"
    }
}
