// Where reports of `stockade bench` go: to stdout as Markdown, and into a directory, when there is one, as both Markdown
// and JSON.

import ArgumentParser
import Glibc

/// The place of a report's files. Made before anything is measured: nobody waits for a report that cannot be written.
struct BenchFiles {
    private let directory: String?

    /// - Parameter directory: made if it is not there; nil: only stdout.
    init(_ directory: String?) throws {
        self.directory = directory
        if let directory, mkdir(directory, 0o777) != 0, errno != EEXIST {
            throw fail("cannot make \(directory): \(String(cString: strerror(errno)))", .cannotWrite)
        }
    }

    /// Writes the report.
    ///
    /// - Parameter name: of the two files, without their extensions.
    func publish(_ name: String = "report", markdown: String, json: String) throws {
        writeAll(STDOUT_FILENO, markdown)
        guard let directory else { return }
        try write(markdown, to: "\(directory)/\(name).md")
        try write(json, to: "\(directory)/\(name).json")
    }

    private func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0, writeAll(file, text), close(file) == 0 else {
            throw fail("cannot write \(path): \(String(cString: strerror(errno)))", .cannotWrite)
        }
    }
}

/// Where a measurement's servers keep their data when nothing is said.
var standardScratch: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }
