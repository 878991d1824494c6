// The password comes from a file, so that it stands in no process list, no shell history and no environment.

import Glibc

/// Why a password file cannot be used.
struct PasswordFileError: Error, CustomStringConvertible {
    let path: String
    let problem: String
    var description: String { "--password-file \(path): \(problem)" }
}

struct PasswordFile {
    /// The whole file without one line end at its end.
    let password: [UInt8]
    /// Whether others than the owner may read it.
    let isReadableByOthers: Bool

    /// A password is an argument of `AUTH`, and stays far below the length of a request.
    static let longest = 4096

    init(path: String) throws(PasswordFileError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.systemError(path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Self.systemError(path) }

        // One byte more than is allowed with its line end, to see that there is more.
        var bytes = [UInt8](repeating: 0, count: Self.longest + 3)
        var filled = 0
        while filled < bytes.count {
            let got = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress.map { $0 + filled }, $0.count - filled) }
            if got < 0 {
                if errno == EINTR { continue }
                throw Self.systemError(path)
            }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(bytes.count - filled)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }

        guard !bytes.isEmpty else { throw PasswordFileError(path: path, problem: "it is empty") }
        guard bytes.count <= Self.longest else {
            throw PasswordFileError(path: path, problem: "longer than \(Self.longest) bytes")
        }
        guard !bytes.contains(where: { $0 == 0x0A || $0 == 0x0D || $0 == 0 }) else {
            throw PasswordFileError(path: path, problem: "more than one line")
        }
        password = bytes
        isReadableByOthers = status.st_mode & (S_IRGRP | S_IROTH) != 0
    }

    private static func systemError(_ path: String) -> PasswordFileError {
        PasswordFileError(path: path, problem: String(cString: strerror(errno)))
    }
}
