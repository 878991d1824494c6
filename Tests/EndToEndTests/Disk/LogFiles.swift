// The log's files as anyone sees them from outside: their names, and where their bytes end. Space is reserved
// ahead in a segment, so its written part ends at the last byte that is not zero.

import Foundation

enum LogFiles {
    /// The paths of the segments below a server's directory, oldest first.
    static func segments(in directory: String) throws -> [String] {
        try files(in: directory) { $0.hasSuffix(".seg") }
    }

    /// The paths of all files below a directory whose name satisfies a condition, in order of their names.
    static func files(in directory: String, where condition: (String) -> Bool) throws -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: directory) else { throw Failure("no directory \(directory)") }
        return walk.compactMap { $0 as? String }.filter(condition).sorted().map { directory + "/" + $0 }
    }

    static func bytes(of file: String) throws -> Data { try Data(contentsOf: URL(filePath: file)) }

    /// The number of bytes up to the last that is not zero.
    static func writtenCount(_ bytes: Data) -> Int {
        bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
    }
}
