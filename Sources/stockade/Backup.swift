// `stockade backup FILE`: a copy of the database at one event, made while the server runs.

import ArgumentParser
import Glibc
import StockArchive
import StockInput
import StockServer
import StockTools

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the database at one moment, also while the server runs.",
        discussion: """
            A server that runs is asked for a snapshot first, so that the copy has everything up to now. The copy is looked \
            through from end to end before it gets its name: it is one file, and it is whole or not there.

            To go back to it, give it to 'stockade rebuild DIR --from FILE': it becomes the directory's archive.sqlite, and \
            the events of the log that came after it are folded in.

            EXAMPLES
              stockade backup /backups/monday.sqlite
              stockade backup /backups/today.sqlite --force --dir /var/lib/stockade

            EXIT STATUS
              0   the copy is complete and verified
              64  a flag cannot be used
              66  there is no store, or no database in it yet
              73  the file is there already (--force replaces it)
              74  reading or writing failed, or the disk is full
              75  the database is locked
              78  the database is damaged
            """)

    @Argument(help: ArgumentHelp("Where the copy goes.", valueName: "file"))
    var file: String

    @Flag(help: "Replace the file if it is there. It is replaced when the copy is complete.")
    var force = false

    @Flag(help: "Say what was done as one JSON object.")
    var json = false

    @OptionGroup var directory: DirectoryFlag
    @OptionGroup var server: ServerFlags

    /// Pages between two looks at the progress: 16 MiB.
    private static let step: Int32 = 4_096

    func run() throws {
        try conclude {
            let store = try directory.open()
            guard force || access(file, F_OK) != 0 else {
                throw ToolError(.cannotWrite, "\(file) is there already; --force replaces it")
            }
            if let live = try server.server(of: store) { _ = try live.snapshot() }
            // Says what to do when there is none.
            _ = try store.read()
            let progress = ProgressLine()
            var copy = try StockArchive.Backup(of: store.archive, to: file, identity: store.identity)
            let sequence = copy.sequence
            while try !copy.step(pages: Self.step) {
                progress.update(Double(copy.pagesDone) / Double(max(1, copy.pagesTotal)), "copying event \(sequence)")
            }
            let bytes = Int64(copy.pagesTotal) * 4_096
            try copy.finish()
            progress.clear()
            guard !json else {
                var line = JSONLine()
                line.add("file", file)
                line.add("seq", sequence)
                line.add("bytes", bytes)
                writeAll(STDOUT_FILENO, line.line)
                return
            }
            writeAll(STDOUT_FILENO, "\(file): the store at event \(sequence), \(SizeText(bytes)), verified\n")
        }
    }
}
