// A disk that is slow or fails, by way of strace: it holds a running server's system calls and makes them wait
// or fail, as many times as a test asks for.

import Foundation

/// An strace attached to a process. It ends with that process, or with its owner.
final class Strace {
    private let child: ChildProcess
    private let traceFile: String

    /// Makes the system calls named fail or wait in a running process, counted from now on.
    ///
    /// - Parameters:
    ///   - calls: such as `fdatasync`, or several with commas.
    ///   - effect: in strace's words, such as `error=EIO:when=2`. Every thread counts for itself.
    ///   - files: only calls on these files, when there are any.
    ///   - directory: where the trace is kept.
    init(attachedTo pid: pid_t, calls: String, effect: String, files: [String] = [], directory: TestDirectory) throws {
        traceFile = directory.appending("strace-\(pid)")
        child = try ChildProcess(
            "strace",
            ["-f", "-p", "\(pid)", "-o", traceFile, "-e", "trace=\(calls)", "-e", "inject=\(calls):\(effect)"]
                + files.flatMap { ["-P", $0] })
        guard try child.awaitText(within: EndToEnd.patience, where: { $0.contains(" attached") }) else {
            throw Failure("strace did not attach: \(child.text())")
        }
    }

    /// The lines of the trace in which a call was made to wait or fail. Complete once the server has ended.
    func interventions() throws -> [Substring] {
        _ = try child.waitForExit(within: EndToEnd.patience)
        return String(decoding: try Data(contentsOf: URL(filePath: traceFile)), as: UTF8.self)
            .split(separator: "\n").filter { $0.contains("(DELAYED)") || $0.contains("(INJECTED)") }
    }

    /// Why strace cannot be used here, or nil. Found out once, on a process that only sleeps.
    static let obstacle: String? = {
        do {
            let directory = try TestDirectory()
            let sleeper = try ChildProcess("sleep", ["60"])
            let strace = try Strace(attachedTo: sleeper.pid, calls: "fdatasync", effect: "delay_enter=1", directory: directory)
            sleeper.signal(SIGKILL)
            _ = try strace.interventions()
            return nil
        } catch {
            return "strace is not installed or may not trace here (\(error))"
        }
    }()
}
