// A tool of the executable, run to its end.

import Foundation
import Testing

/// What a tool said and how it ended.
struct ToolRun {
    let status: Int32
    let output: String
    let error: String

    /// Runs `stockade` with these arguments, without a terminal.
    @discardableResult
    init(_ arguments: String..., expecting status: Int32 = 0) throws {
        try self.init(arguments: arguments, expecting: status)
    }

    /// - Parameter status: how it must end.
    @discardableResult
    init(arguments: [String], expecting status: Int32) throws {
        let run = try ChildProcess.run(ServerProcess.executable, arguments)
        guard case .exited(let code) = run.status else { throw Failure("stockade \(arguments): \(run.status)\n\(run.error)") }
        self.status = code
        output = run.output
        error = run.error
        if status != code {
            throw Failure("stockade \(arguments.joined(separator: " ")): exit status \(code), not \(status)\n\(output)\(error)")
        }
    }

    var lines: [String] { output.split(whereSeparator: \.isNewline).map(String.init) }

    /// The output as objects of JSON, one per line.
    func objects() throws -> [[String: Any]] {
        try lines.map { line in
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                throw Failure("not an object: \(line)")
            }
            return object
        }
    }
}

/// Flags for servers of these tests: small segments are quickly read.
let smallSegments = ["--segment-size", "1MiB"]

extension ServerProcess {
    /// Stops, brings the database to where the log is, and starts again on the same directory.
    func restartedWithDatabase(_ directory: String) throws -> ServerProcess {
        guard try terminate() == .exited(0) else { throw Failure("the server did not stop in order:\n\(stderr)") }
        try ToolRun("rebuild", directory)
        return try ServerProcess(directory: directory, flags: smallSegments)
    }
}
