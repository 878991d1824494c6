// `stockade log dump DIR`: the log as text, one line per event. Events name SKUs by ordinals; the names are learnt
// from the `created` events on the way, so the log is read from its beginning whatever is asked for.

import ArgumentParser
import CLinux
import Glibc
import StockJournal
import StockModel
import StockServer

struct LogDump: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Print the log, one line per event.",
        discussion: """
            Each line is the event's sequence, time and kind, what it was about, and for each SKU the units it moved and \
            the counters after it. An unknown SKU is shown as # and its ordinal.

            \(Log.exitStatus)
            """)

    @Argument(help: ArgumentHelp("The server's directory.", valueName: "dir"))
    var directory: String

    @Option(help: ArgumentHelp("Begin with this event.", valueName: "seq"))
    var from: UInt64 = 1

    @Option(help: ArgumentHelp("Print at most this many.", valueName: "n"))
    var count: UInt64?

    @Flag(help: "One JSON object per line.")
    var json = false

    /// Ends the reading early: all that was asked for is printed, or nobody reads any more.
    private struct Enough: Error {}

    func run() throws {
        // `| head` closes the pipe; that is the end of the work and no failure.
        clinux_ignore_sigpipe()
        let opened = try Log.open(directory)
        var text = EventText(format: json ? .json : .words)
        var left = count ?? .max
        do {
            let (verdict, _) = try LogInspector.check(
                opened,
                visit: { frame in
                    guard left > 0 else { throw Enough() }
                    try print(frame, with: &text, left: &left)
                })
            guard text.flush() else { return }
            report(verdict)
            throw verdict.exitCode
        } catch is Enough {
            _ = text.flush()
        } catch let error as JournalError {
            _ = text.flush()
            throw fail(error.description, .noInput)
        } catch let error as MalformedEvent {
            _ = text.flush()
            throw fail("\(directory): \(error)", .damaged)
        }
    }

    private func print(_ frame: LogFrame, with text: inout EventText, left: inout UInt64) throws {
        var sequence = frame.firstSequence
        var events = EventReader(frame.payload)
        while let event = try events.next() {
            text.learn(event)
            if sequence >= from {
                guard left > 0 else { throw Enough() }
                left -= 1
                guard text.write(event, sequence: sequence, time: frame.time) else { throw Enough() }
            }
            sequence &+= 1
        }
    }

    private func report(_ verdict: LogVerdict) {
        switch verdict {
        case .intact: break
        case .torn(let position, let sequence, let detail):
            writeAll(
                STDERR_FILENO,
                "stockade: torn at segment \(position.segment), byte \(position.offset), from event \(sequence) on: \(detail)\n")
        case .damaged(let damage):
            writeAll(STDERR_FILENO, "stockade: \(damage)\n")
        }
    }
}
