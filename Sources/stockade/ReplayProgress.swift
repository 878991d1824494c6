// What is to be seen of a replay that takes longer than a second: one line that is redrawn on a terminal, a plain
// line of the log every few seconds elsewhere.

import CLinux
import Glibc
import Logging
import StockJournal
import StockServer

struct ReplayProgress {
    private static let silence: Int64 = 1_000_000_000
    private static let redrawInterval: Int64 = 100_000_000
    private static let lineInterval: Int64 = 5_000_000_000

    private let logger: Logger
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let began = clinux_monotonic_ns()
    private var shown: Int64?

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func update(_ progress: LogProgress) {
        let now = clinux_monotonic_ns()
        let interval = isTerminal ? Self.redrawInterval : Self.lineInterval
        guard now - began >= Self.silence, now - (shown ?? 0) >= interval else { return }
        shown = now
        let text = line(progress, after: now - began)
        if isTerminal {
            writeAll(STDERR_FILENO, "\r\(text)\u{1B}[K")
        } else {
            logger.info("\(text)")
        }
    }

    /// Takes the redrawn line away again.
    func finish() {
        if isTerminal, shown != nil { writeAll(STDERR_FILENO, "\r\u{1B}[K") }
    }

    private func line(_ progress: LogProgress, after nanoseconds: Int64) -> String {
        let done = Int64(clamping: progress.bytesDone)
        let total = Int64(clamping: progress.bytesTotal)
        let percent = total == 0 ? 100 : Int(Double(done) / Double(total) * 100)
        return "replaying the log: \(percent)%, \(SizeText(done)) of \(SizeText(total)), event \(progress.sequence), "
            + "\(DurationText(nanoseconds / 1_000_000))"
    }
}
