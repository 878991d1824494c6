// A directory for a server that lives for one measurement, gone with it.

import CLinux
import Glibc

/// A new, empty directory that is removed with everything in it when its owner goes.
package struct TemporaryDirectory: ~Copyable {
    package let path: String

    /// - Parameter parent: where to make it; it should be on a real disk, since logs are written there.
    package init(in parent: String) throws(BenchError) {
        var template = Array("\(parent)/stockade-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system(call: "mkdtemp in \(parent)", errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Bytes of the files below `path`, by their lengths.
    static func bytes(below path: String) -> Int {
        entries(of: path).reduce(0) { $0 + ($1.isDirectory ? bytes(below: $1.path) : $1.bytes) }
    }

    /// Removes `directory` with all that is in it, following no link; what cannot be removed stays.
    private static func remove(_ directory: String) {
        for entry in entries(of: directory) {
            if entry.isDirectory { remove(entry.path) } else { unlink(entry.path) }
        }
        rmdir(directory)
    }

    private static func entries(of path: String) -> [(path: String, isDirectory: Bool, bytes: Int)] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var entries: [(path: String, isDirectory: Bool, bytes: Int)] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name == "." || name == ".." { continue }
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            entries.append(("\(path)/\(name)", status.st_mode & S_IFMT == S_IFDIR, Int(status.st_size)))
        }
        return entries
    }
}
