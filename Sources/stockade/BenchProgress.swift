// How a run goes, on stderr: on a terminal one line that is written over four times a second, in a pipe one line a
// second.

import Glibc
import StockBench

/// The progress of one run.
final class BenchProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var isOpen = false

    var observer: LoadObserver {
        LoadObserver(period: isTerminal ? 250_000_000 : 1_000_000_000) { [self] in tell($0) }
    }

    private func tell(_ progress: LoadProgress) {
        if isTerminal {
            // To the first column, and clear what stood there.
            writeAll(STDERR_FILENO, "\r\u{1B}[K\(progress.text)")
            isOpen = true
        } else {
            writeAll(STDERR_FILENO, progress.text + "\n")
        }
    }

    /// Takes the line off the terminal.
    func end() {
        if isOpen { writeAll(STDERR_FILENO, "\r\u{1B}[K") }
        isOpen = false
    }
}
