// The terminal that a person sits at. While keys are read one by one it is in raw mode, and whoever ends the program
// meanwhile must not leave it so. Signals that would end it are therefore blocked in raw mode, and waited for beside the
// keys: when one comes the mode is put back first, and the unblocked signal then does what it always does.

import CLinux
import Glibc

/// Standard input and output of a person, in raw mode from `enterRawMode` to `leaveRawMode`. Not for two threads.
public final class Terminal {
    private var cooked: termios?
    private var previousMask = sigset_t()
    private var signals: Int32 = -1

    private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    public init() {}

    deinit { leaveRawMode() }

    /// Whether both streams are a terminal.
    public static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    /// - Returns: false when there is no terminal.
    public func enterRawMode() -> Bool {
        if cooked != nil { return true }
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return false }
        let before = mode
        cfmakeraw(&mode)
        // Output stays as it is: "\n" still begins a line.
        mode.c_oflag = before.c_oflag
        guard pthread_sigmask(SIG_SETMASK, nil, &previousMask) == 0 else { return false }
        signals = clinux_signalfd(Self.endings, Int32(Self.endings.count))
        // TCSADRAIN keeps what was typed ahead.
        guard signals >= 0, tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0 else {
            unblockSignals()
            return false
        }
        cooked = before
        return true
    }

    /// Puts the mode back. A signal that has come meanwhile ends the program here.
    public func leaveRawMode() {
        guard var mode = cooked else { return }
        cooked = nil
        tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
        unblockSignals()
    }

    private func unblockSignals() {
        if signals >= 0 { close(signals) }
        signals = -1
        pthread_sigmask(SIG_SETMASK, &previousMask, nil)
    }

    /// What a wait in raw mode ended with.
    public enum Input: Equatable, Sendable {
        case bytes([UInt8])
        case nothing
        /// The terminal is gone, or a signal asks the program to end: leave raw mode now.
        case end
    }

    /// Waits for bytes.
    ///
    /// - Parameter milliseconds: at most so long; -1: for ever. A change of the window's size ends the wait too.
    public func read(within milliseconds: Int32) -> Input {
        var entries = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        ]
        let ready = poll(&entries, 2, milliseconds)
        if ready < 0 { return errno == EINTR ? .nothing : .end }
        if entries[1].revents != 0 { return .end }
        guard entries[0].revents != 0 else { return .nothing }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
        if count < 0, errno == EINTR { return .nothing }
        return count > 0 ? .bytes(Array(bytes[..<count])) : .end
    }

    public func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            // A terminal that is gone is noticed by the next read.
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
        }
    }

    /// Columns and rows; 80 × 24 when the terminal does not tell.
    public var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
