// How a rehearsal goes: on a terminal one line on stderr that is written over, in a pipe nothing.

import Glibc
import StockRehearsal

/// The line of progress.
final class RehearseProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let isColoured = hasColours(STDERR_FILENO)

    func tell(_ progress: RehearsalProgress) {
        guard isTerminal else { return }
        let text = isColoured ? "\u{1B}[36m\(progress.text)\u{1B}[0m" : progress.text
        writeAll(STDERR_FILENO, "\r\u{1B}[K\(text)")
    }

    /// Takes the line off the terminal.
    func end() {
        if isTerminal { writeAll(STDERR_FILENO, "\r\u{1B}[K") }
    }
}

/// Whether to write colours there: to a terminal, unless NO_COLOR is set (no-color.org).
func hasColours(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
}
