// A file descriptor that closes itself, and the few things that the journal does with files, with every interruption
// and short count taken care of.

import CLinux
import Glibc

/// Owns a descriptor and closes it when nobody refers to it any more. `path` is for messages.
final class FileDescriptor: Sendable {
    let number: Int32
    let path: String

    init(_ number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    deinit { _ = close(number) }

    /// openat(2), never through a symbolic link in the last place; files it creates get mode 0600.
    static func open(
        in directory: FileDescriptor, _ name: String, flags: Int32, displayedAs shown: String? = nil
    ) throws(JournalError) -> FileDescriptor {
        let path = shown ?? "\(directory.path)/\(name)"
        let number = retry { clinux_openat(directory.number, name, flags | O_NOFOLLOW, 0o600) }
        guard number >= 0 else {
            if errno == ELOOP { throw .unsuitable(path: path, why: "it is a symbolic link, which is not followed here") }
            throw .system(call: "open", path: path, errno: errno)
        }
        return FileDescriptor(number, path: path)
    }

    /// The error for a call that just failed on this file.
    func failure(_ call: String) -> JournalError { .system(call: call, path: path, errno: errno) }

    /// The file's size; throws unless it is a regular file.
    func regularFileSize() throws(JournalError) -> Int {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw failure("fstat") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unsuitable(path: path, why: "it is not a regular file") }
        return Int(status.st_size)
    }

    /// Reads up to `count` bytes at `offset`; fewer only at the end of the file.
    func read(into target: UnsafeMutableRawPointer, count: Int, at offset: Int) throws(JournalError) -> Int {
        var done = 0
        while done < count {
            let got = retry { pread(number, target + done, count - done, offset + done) }
            guard got >= 0 else { throw failure("read") }
            if got == 0 { break }
            done += got
        }
        return done
    }

    /// Writes all of the bytes at `offset`, or throws.
    func write(_ bytes: UnsafeRawPointer, count: Int, at offset: Int, calls: SystemCalls) throws(JournalError) {
        let code = writeAll(bytes, count: count, at: offset, calls: calls)
        guard code == 0 else { throw .system(call: "write", path: path, errno: code) }
    }

    /// Writes all of the bytes at `offset`, however many calls it takes. 0, or the errno.
    @inline(__always)
    func writeAll(_ bytes: UnsafeRawPointer, count: Int, at offset: Int, calls: SystemCalls) -> Int32 {
        var done = 0
        while true {
            let wrote = calls.write(number, bytes + done, count &- done, Int64(offset &+ done))
            if wrote == count &- done { return 0 }
            if wrote > 0 {
                done &+= wrote
            } else if wrote == 0 {
                return EIO  // A regular file never takes nothing; going on could go on for ever.
            } else if errno != EINTR {
                return errno
            }
        }
    }

    /// fsync(2): data, size and name of a file, or the names in a directory.
    func syncAll() throws(JournalError) {
        guard retry({ fsync(number) }) == 0 else { throw failure("fsync") }
    }
}

/// Repeats a call that a signal interrupted.
@inline(__always)
func retry<T: SignedInteger>(_ call: () -> T) -> T {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
