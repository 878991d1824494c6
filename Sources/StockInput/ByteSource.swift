// The bytes of a file or of standard input, a large piece at a time; or bytes that are there already.

import Glibc

/// An open input. Reads once through, from the beginning to the end.
public final class ByteSource {
    /// What messages call it.
    public let name: String
    /// Its length in bytes, if it is a file that has one.
    public let size: Int64?
    public private(set) var bytesRead: Int64 = 0

    private let descriptor: Int32
    private let isOwned: Bool
    /// What is left of bytes that were given.
    private var given: ArraySlice<UInt8>?
    private static let pieceSize = 1 << 18

    /// Opens the file at `path`; `-` is standard input.
    public init(path: String) throws(ToolError) {
        if path == "-" {
            (name, size, descriptor, isOwned) = ("standard input", nil, STDIN_FILENO, false)
            return
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ToolError(.noInput, "cannot read \(path): \(String(cString: strerror(errno)))") }
        var status = stat()
        let isFile = fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        (name, size, descriptor, isOwned) = (path, isFile ? Int64(status.st_size) : nil, file, true)
    }

    /// Reads what is there already.
    public init(_ bytes: [UInt8], name: String) {
        (self.name, size, descriptor, isOwned) = (name, Int64(bytes.count), -1, false)
        given = bytes[...]
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// The next bytes into `buffer`, whatever it held; empty at the end.
    public func read(into buffer: inout [UInt8]) throws(ToolError) {
        if let given {
            buffer = Array(given.prefix(Self.pieceSize))
            self.given = given.dropFirst(Self.pieceSize)
            bytesRead += Int64(buffer.count)
            return
        }
        if buffer.count < Self.pieceSize { buffer = [UInt8](repeating: 0, count: Self.pieceSize) }
        while true {
            let got = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, Self.pieceSize) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw ToolError(.failed, "cannot read \(name): \(String(cString: strerror(errno)))")
            }
            buffer.removeLast(buffer.count - got)
            bytesRead += Int64(got)
            return
        }
    }
}
