// `stockade load FILE`: the stock of a file, put into a running server.

import ArgumentParser
import Glibc
import StockInput
import StockTools

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put the stock of a CSV file into a running server.",
        discussion: """
            A row is sku,onhand and, if wanted, floor,limit,opens,closes; opens and closes are Unix milliseconds or UTC as \
            2026-11-21T20:00. A first line that names the columns may have them in any order. What 'export skus' writes \
            can be loaded.

            SKUs that the server has already are left as they are, whatever the file says, and counted. So a file can be \
            loaded twice, or again after it broke off. Rows that make no sense are named with their line and not loaded.

            EXAMPLES
              stockade load stock.csv
              zcat stock.csv.gz | stockade load -
              stockade load stock.csv --server unix:/run/stockade.sock --json

            EXIT STATUS
              0   every row is on the server's disk, or was there before
              1   some rows were not loaded; the others were
              64  a flag cannot be used
              65  the file is not one of stock
              66  the file cannot be read
              69  the server cannot be reached, or went away: load again
              75  the server takes no more now (full, busy, read-only): load again
                  later
              77  the server wants a password
            """)

    @Argument(help: ArgumentHelp("The file; - is standard input.", valueName: "file"))
    var file: String

    @OptionGroup var server: ServerFlags

    @Flag(help: "Say what was done as JSON: an object for each bad row, and one for the whole.")
    var json = false

    /// Bad rows that are named; beyond that they are counted.
    private static let namedRows = 100

    func run() throws {
        try conclude {
            let source = try ByteSource(path: file)
            let live = try server.connect()
            let progress = ProgressLine()
            let json = json
            var named = 0
            var loader = StockLoader(
                source, on: live.connection,
                report: { problem in
                    named += 1
                    guard json || named <= Self.namedRows else { return }
                    progress.clear()
                    Self.show(problem, json: json)
                },
                progress: { report, bytes in
                    let share = source.size.map { $0 == 0 ? 1 : Double(bytes) / Double($0) }
                    progress.update(share, counted(report.rows, "row"))
                })
            var failure: (any Error)?
            do { try loader.run() } catch { failure = error }
            progress.clear()
            show(loader.summary, isDone: failure == nil, seconds: progress.seconds)
            if let failure { throw failure }
            if !loader.summary.isComplete { throw ExitCode.incomplete }
        }
    }

    private static func show(_ problem: LoadProblem, json: Bool) {
        guard json else { return warn("line \(problem.line): \(problem.problem)") }
        var line = JSONLine()
        line.add("line", problem.line)
        line.add("problem", problem.problem)
        writeAll(STDOUT_FILENO, line.line)
    }

    private func show(_ report: LoadReport, isDone: Bool, seconds: Double) {
        guard !json else {
            var line = JSONLine()
            line.add("rows", report.rows)
            line.add("created", report.created)
            line.add("existing", report.existing)
            line.add("bad", report.bad)
            line.add("refused", report.refused)
            line.add("seq", ifAny: report.sequence)
            line.add("done", isDone)
            writeAll(STDOUT_FILENO, line.line)
            return
        }
        if report.bad > Self.namedRows { warn("… and \(counted(report.bad - Self.namedRows, "bad row")) more") }
        var parts = [
            "\(counted(report.created, "SKU")) created", "\(grouped(report.existing)) there already",
        ]
        if report.bad > 0 { parts.append("\(counted(report.bad, "bad row")) not loaded") }
        if report.refused > 0 { parts.append("\(grouped(report.refused)) refused") }
        let rate = seconds > 0 ? Int(Double(report.rows) / seconds) : 0
        let time = "\(Int(seconds * 10) / 10).\(Int(seconds * 10) % 10) s"
        let speed = report.rows >= 10_000 ? ", \(grouped(rate)) rows/s" : ""
        let end = isDone ? "" : "; not all of the file was read: load it again"
        let place = report.sequence.map { ", on disk up to event \($0)" } ?? ""
        writeAll(STDOUT_FILENO, "\(file): \(parts.joined(separator: ", ")) in \(time)\(speed)\(place)\(end)\n")
    }
}
