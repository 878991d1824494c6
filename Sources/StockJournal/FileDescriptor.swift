// A file descriptor that closes itself.

import Glibc

/// Owns a descriptor and closes it when nobody refers to it any more.
final class FileDescriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { _ = close(number) }
}
