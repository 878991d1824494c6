// A terminal that a test sits at: what it types goes to the program, what the program shows comes back.

import Foundation

/// Both ends of a pseudo-terminal. A program gets the far end as its standard input, output and error, and as the
/// terminal that it belongs to.
final class PseudoTerminal {
    /// The test's end.
    let near: Int32
    /// The path of the program's end.
    let path: String

    // asm-generic/ioctls.h: the number of the far end, and its lock. Swift does not see macros that compute.
    private static let getNumber: UInt = 0x8004_5430
    private static let setLock: UInt = 0x4004_5431

    init(columns: UInt16 = 80, rows: UInt16 = 24) throws {
        near = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard near >= 0 else { throw Failure("open /dev/ptmx: errno \(errno)") }
        var (number, lock): (Int32, Int32) = (0, 0)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(near, Self.getNumber, &number) == 0, ioctl(near, Self.setLock, &lock) == 0,
            ioctl(near, UInt(TIOCSWINSZ), &size) == 0
        else { throw Failure("pseudo-terminal: errno \(errno)") }
        path = "/dev/pts/\(number)"
    }

    deinit { close(near) }

    /// Types `text`; "\r" is the return key.
    func type(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard write(near, bytes, bytes.count) == bytes.count else { throw Failure("typing: errno \(errno)") }
    }

    /// Whether keys are gathered to lines and shown by the terminal itself, as a shell wants it.
    var isCooked: Bool {
        var mode = termios()
        guard tcgetattr(near, &mode) == 0 else { return false }
        return mode.c_lflag & tcflag_t(ICANON | ECHO) == tcflag_t(ICANON | ECHO)
    }
}
