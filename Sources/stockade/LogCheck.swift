// `stockade log check DIR`: reads every byte of the log and says on stdout what a start would find.

import ArgumentParser
import CLinux
import Glibc
import StockJournal
import StockServer

struct LogCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read the whole log and say whether it is as it was written.",
        discussion: """
            Every byte is read and every checksum compared. The events are not applied to a ledger, as a start does.

            \(Log.exitStatus)
            """)

    @Argument(help: ArgumentHelp("The server's directory.", valueName: "dir"))
    var directory: String

    func run() throws {
        clinux_ignore_sigpipe()
        let opened: StoreDirectory
        do {
            opened = try StoreDirectory.open(directory, access: .inspect)
        } catch JournalError.damaged(let damage) {
            writeAll(STDOUT_FILENO, verdict(.damaged(damage)))
            throw ExitCode.damaged
        } catch {
            throw fail("\(error)", .noInput)
        }
        do {
            let (verdict, report) = try LogInspector.check(opened)
            writeAll(STDOUT_FILENO, self.verdict(verdict) + facts(report, of: verdict))
            throw verdict.exitCode
        } catch let error as JournalError {
            throw fail(error.description, .noInput)
        }
    }

    private func verdict(_ verdict: LogVerdict) -> String {
        switch verdict {
        case .intact(isLive: false):
            "\(directory): intact\n"
        case .intact(isLive: true):
            "\(directory): intact; a server is writing to it\n"
        case .torn(let position, let sequence, let detail):
            "\(directory): torn at its end, segment \(position.segment), byte \(position.offset), from event \(sequence) "
                + "on: \(detail). The next start cuts it there and keeps the bytes.\n"
        case .damaged(let damage):
            "\(directory): damaged. \(damage)\n"
        }
    }

    private func facts(_ report: RecoveryReport, of verdict: LogVerdict) -> String {
        guard report.events > 0 else { return "  events    none\n" }
        let read = """
              events    \(report.events), from \(report.firstSequence) to \(report.lastSequence)
              newest    \(UTCTime(report.lastTime))
              size      \(SizeText(Int64(clamping: report.bytes))) in \(report.frames) frames, segments \
            \(report.firstSegment) to \(report.lastSegment)

            """
        // Behind damage nothing was read, so that the rest is not known.
        if case .damaged = verdict { return "  before the damage:\n" + read }
        return read + """
              on disk   up to event \(report.durableSequence), by the log's own marks
              closed    \(report.wasClean ? "in order" : "not in order, or not yet")

            """
    }
}
