// The real server as a child of the test: the executable that was built beside the test bundle, started with
// `serve` on a free port, its address taken from what it says on standard error.

import Foundation
import StockConnection
import Testing

/// A running `stockade serve`.
final class ServerProcess {
    /// The executable under test. STOCKADE_TEST_EXECUTABLE names another one, such as a release build.
    static let executable: String = {
        if let path = ProcessInfo.processInfo.environment["STOCKADE_TEST_EXECUTABLE"] { return path }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return (bundle as NSString).deletingLastPathComponent + "/stockade"
    }()

    /// The address that the server says it listens on.
    let address: Address
    private let child: ChildProcess

    /// Starts a server on `directory` and waits until it listens.
    ///
    /// - Parameters:
    ///   - flags: further flags of `serve`; a later flag wins over the `--host` and `--port` given first.
    ///   - program: what is run instead of the executable itself, to become it in the end.
    init(
        directory: String, flags: [String] = [], environment: [String: String] = [:],
        program: String = ServerProcess.executable
    ) throws {
        child = try ChildProcess(
            program, Self.arguments(directory: directory, flags: flags),
            environment: ChildProcess.environment(adding: environment))
        let listens = try child.awaitText(within: EndToEnd.patience) { Self.listeningAddress(in: $0) != nil }
        guard listens, let address = Self.listeningAddress(in: child.text()) else {
            let status = try child.waitForExit(within: EndToEnd.patience)
            throw DidNotStart(status: status, stderr: child.text())
        }
        self.address = address
    }

    /// A server that ended before it listened: the test of a refusal to start looks at this.
    struct DidNotStart: Error, CustomStringConvertible {
        let status: ExitStatus
        let stderr: String
        var description: String { "the server did not start (\(status)):\n\(stderr)" }
    }

    /// Runs `serve` where it must refuse to start, and gives what it says.
    static func refusal(directory: String, flags: [String] = [], environment: [String: String] = [:]) throws -> DidNotStart {
        do {
            let server = try ServerProcess(directory: directory, flags: flags, environment: environment)
            throw Failure("the server started, on \(server.address), where it had to refuse")
        } catch let refusal as DidNotStart {
            return refusal
        }
    }

    var pid: pid_t { child.pid }

    var port: Int { if case .tcp(_, let port) = address { Int(port) } else { 0 } }

    /// What the server has said on standard error.
    var stderr: String { child.text() }

    func connect() throws -> Connection { try Connection(to: address, timeout: EndToEnd.patience) }

    /// What VERIFY says. It is the work of a thread that gives way to all others, so on a busy machine it takes a while.
    func verify() throws -> ReplyLine { try connect().request("VERIFY", by: .after(EndToEnd.patience)).head }

    /// SIGTERM: the server answers what is in flight, syncs and ends.
    func terminate() throws -> ExitStatus {
        child.signal(SIGTERM)
        return try waitForExit()
    }

    /// SIGKILL: the server ends as in a crash.
    ///
    /// - Parameter end: how it may have ended before.
    func kill(orAfter end: ExitStatus? = nil) throws {
        child.signal(SIGKILL)
        let status = try waitForExit()
        guard status == .killed(signal: SIGKILL) || status == end else {
            throw Failure("the server had ended before the kill: \(status)")
        }
    }

    func waitForExit() throws -> ExitStatus { try child.waitForExit(within: EndToEnd.patience) }

    private static func arguments(directory: String, flags: [String]) -> [String] {
        var arguments = ["serve"]
        for (flag, value) in [("--host", "127.0.0.1"), ("--port", "0"), ("--dir", directory)] where !flags.contains(flag) {
            arguments += [flag, value]
        }
        return arguments + flags
    }

    /// The first TCP address in a whole line that says `listening on HOST:PORT`.
    private static func listeningAddress(in text: String) -> Address? {
        guard let end = text.lastIndex(of: "\n") else { return nil }
        for line in text[..<end].split(separator: "\n") {
            guard let mark = line.range(of: "listening on ") else { continue }
            let word = line[mark.upperBound...].prefix { $0 != " " && $0 != "," && $0 != "\u{1b}" }
            if let address = try? Address(String(word)), case .tcp = address { return address }
        }
        return nil
    }
}

extension ServerProcess {
    /// Runs `body`. When that fails, the server is ended and the failure tells what the server had said.
    func witness<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            child.signal(SIGKILL)
            let status = try waitForExit()
            throw Failure("\(error)\n--- the server (\(status)) had said:\n\(stderr)")
        }
    }
}

/// Runs `body` with a server of its own, which is gone afterwards, whatever happens.
func withServer<Result>(
    directory: String, flags: [String] = [], environment: [String: String] = [:],
    _ body: (ServerProcess) throws -> Result
) throws -> Result {
    let server = try ServerProcess(directory: directory, flags: flags, environment: environment)
    return try server.witness { try body(server) }
}
