// How the commands end, as numbers that scripts and service managers can act on. They are those of sysexits.h where
// that has one; 64, a wrong flag or value, is ArgumentParser's own as well.

import ArgumentParser
import Glibc

extension ExitCode {
    /// A flag, a variable or the password file cannot be used, or the server would stand open to others.
    static let usage = ExitCode(64)
    /// There is nothing to read at the path.
    static let noInput = ExitCode(66)
    /// The server cannot listen.
    static let unavailable = ExitCode(69)
    /// A file or directory cannot be made.
    static let cannotWrite = ExitCode(73)
    /// The log is damaged.
    static let damaged = ExitCode(78)
    /// `log check`, `log dump`: the end of the log is torn, a start would cut it off.
    static let torn = ExitCode(1)
}

/// Ends a command with a message on stderr.
func fail(_ message: String, _ code: ExitCode) -> ExitCode {
    writeAll(STDERR_FILENO, "stockade: \(message)\n")
    return code
}

/// Writes all of `text`; whether that worked. Nobody may be listening any more.
@discardableResult
func writeAll(_ descriptor: Int32, _ text: String) -> Bool {
    var text = text
    return text.withUTF8 { writeAll(descriptor, UnsafeRawBufferPointer($0)) }
}

/// As above, for bytes.
@discardableResult
func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 {
            if errno == EINTR { continue }
            return false
        }
        rest = rest.dropFirst(written)
    }
    return true
}
