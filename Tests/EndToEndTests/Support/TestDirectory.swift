// A directory of a test's own, gone when the test is over.

import Foundation

/// A fresh directory below the system's place for temporary files; removed with its owner.
final class TestDirectory {
    let path: String

    init() throws {
        let pattern = FileManager.default.temporaryDirectory.appending(path: "stockade-test-XXXXXX").path
        var template = Array(pattern.utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("mkdtemp: errno \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` in this directory.
    func appending(_ name: String) -> String { path + "/" + name }

    /// Writes a file that only its owner may read.
    func write(_ text: String, to name: String) throws -> String {
        let file = appending(name)
        guard FileManager.default.createFile(
            atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw Failure("cannot write \(file)") }
        return file
    }
}
