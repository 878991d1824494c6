// `stockade verify DIR`: everything recomputed, one verdict.

import ArgumentParser
import Glibc
import StockInput
import StockTools

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look a server's directory through: log, database, laws, digest.",
        discussion: """
            Every byte of the log is read and its events are applied to a ledger; every row of the database is read and \
            its digests counted again; both must say the same at the event where the database stands, and the laws of \
            stock must hold in both. Nothing is written. It needs about the memory that the server has.

            It is meant for a directory that nobody serves; of one that is served it sees a moment that has just passed. \
            A running server is asked with VERIFY.

            EXAMPLES
              stockade verify stockade-data
              stockade verify stockade-data --json

            EXIT STATUS
              0   verified
              1   verified, but the end of the log is torn: the next start
                  cuts it off
              64  a flag cannot be used
              66  there is no store at the path
              75  the database is locked
              78  the log or the database is damaged, or they contradict each
                  other
            """)

    @Argument(help: ArgumentHelp("The server's directory.", valueName: "dir"))
    var directory: String

    @Flag(help: "The verdict as one JSON object.")
    var json = false

    func run() throws {
        try conclude {
            let store: StoreFiles
            do {
                store = try StoreFiles(directory)
            } catch {
                throw ToolError(error)
            }
            let progress = ProgressLine()
            let verdict = try StoreCheck(store) { stage in
                switch stage {
                case .database(let share): progress.update(share, "the database")
                case .log(let share): progress.update(share, "the log")
                case .laws: progress.update(nil, "the laws of stock")
                }
            }.run()
            progress.clear()
            writeAll(STDOUT_FILENO, json ? object(verdict) : text(verdict))
            if !verdict.isSound { throw ExitCode.damaged }
            if verdict.isTorn { throw ExitCode.torn }
        }
    }

    private func text(_ verdict: StoreVerdict) -> String {
        var lines: [String] = []
        if verdict.isSound {
            lines.append("\(directory): verified at event \(verdict.logSequence)")
        } else {
            lines.append("\(directory): CORRUPT")
            lines += verdict.problems.map { "  problem   \($0)" }
        }
        lines += verdict.notes.map { "  note      \($0)" }
        lines.append(
            "  stock     \(counted(verdict.skus, "SKU")), \(counted(verdict.orders, "order")), "
                + counted(verdict.operations, "other id"))
        lines.append("  log       \(counted(verdict.events, "event")) read, the newest is \(verdict.logSequence)")
        if let sequence = verdict.archiveSequence { lines.append("  database  stands at event \(sequence)") }
        if let digest = verdict.digest { lines.append("  digest    \(hexadecimal(digest))") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func object(_ verdict: StoreVerdict) -> String {
        var line = JSONLine()
        line.add("verified", verdict.isSound)
        line.add("torn", verdict.isTorn)
        line.add("seq", verdict.logSequence)
        line.add("database_seq", ifAny: verdict.archiveSequence)
        line.add("events", verdict.events)
        line.add("skus", verdict.skus)
        line.add("orders", verdict.orders)
        line.add("operations", verdict.operations)
        line.add("digest", ifAny: verdict.digest.map(hexadecimal))
        line.add("problems", strings: verdict.problems)
        line.add("notes", strings: verdict.notes)
        return line.line
    }

    /// As `STATS digest` shows it.
    private func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
