// `stockade rebuild DIR`: the database made anew.

import ArgumentParser
import Glibc
import StockServer
import StockTools

struct Rebuild: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the database of a directory anew, from the log or from a backup.",
        discussion: """
            The server must be stopped. Without --from every event of the log is folded, which must reach back to the \
            first one. With --from the work begins with a copy of that backup, and goes on with the events after it.

            The new database is made beside the old one and looked through before it takes its place; the old one is kept \
            as archive.sqlite.old. The log is not changed. What is \
            known of reconciliations is taken over.

            EXAMPLES
              stockade rebuild stockade-data
              stockade rebuild stockade-data --from /backups/monday.sqlite

            EXIT STATUS
              0   rebuilt
              64  a flag cannot be used
              65  the log does not go on where the backup ends, or a backup is needed
              66  there is no store, or no backup, at the path
              73  the new database cannot be put in place
              74  reading or writing failed, or the disk is full
              75  a server has the directory
              78  the log or the backup is damaged
            """)

    @Argument(help: ArgumentHelp("The server's directory.", valueName: "dir"))
    var directory: String

    @Option(help: ArgumentHelp("A copy made by 'stockade backup', or by the server.", valueName: "file"))
    var from: String?

    @Flag(help: "Say what was done as one JSON object.")
    var json = false

    func run() throws {
        try conclude {
            let progress = ProgressLine()
            let report = try ArchiveRebuild(directory, from: from).run { done in
                let share = done.bytesTotal == 0 ? 1 : Double(done.bytesDone) / Double(done.bytesTotal)
                progress.update(share, "event \(grouped(done.sequence))")
            }
            progress.clear()
            guard !json else {
                var line = JSONLine()
                line.add("seq", report.sequence)
                line.add("events", report.events)
                line.add("from", report.from)
                line.add("torn", report.isTorn)
                line.add("kept", ifAny: report.keptIn)
                writeAll(STDOUT_FILENO, line.line)
                return
            }
            let start = report.from > 0 ? "the backup at event \(report.from) and " : ""
            var text = "\(directory): rebuilt from \(start)\(counted(report.events, "event")) of the log, stands at event "
                + "\(report.sequence), verified\n"
            if let kept = report.keptIn { text += "  the old database is \(kept); remove it when all is well\n" }
            if report.isTorn { text += "  the end of the log is torn; the next start cuts it off\n" }
            writeAll(STDOUT_FILENO, text)
        }
    }
}
