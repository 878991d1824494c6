// `stockade log`: looking at a log without touching it, also while a server runs.

import ArgumentParser
import StockJournal

struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a log, also while a server runs.",
        subcommands: [LogCheck.self, LogDump.self])

    /// The exit status of both subcommands, for their help.
    static let exitStatus = """
        EXIT STATUS
          0   the log is as it was written
          1   its end is torn: the next start cuts that off
          64  a flag cannot be used
          66  there is no log at the path, or it cannot be read
          78  the log is damaged: a start is refused
        """

    /// Opens a store's directory for reading.
    static func open(_ path: String) throws -> StoreDirectory {
        do {
            return try StoreDirectory.open(path, access: .inspect)
        } catch {
            guard case .damaged(let damage) = error else { throw fail(error.description, .noInput) }
            throw fail(damage.description, .damaged)
        }
    }
}

extension LogVerdict {
    var exitCode: ExitCode {
        switch self {
        case .intact: .success
        case .torn: .torn
        case .damaged: .damaged
        }
    }
}
