// The seam between the journal and the kernel: the calls that may fail or lie in a test (a short write, a full disk, a
// sync that reports an error, a clock that stands still). Production uses the defaults.

import CLinux
import Glibc

/// The system calls whose failure the journal must survive. Each returns what the call returns and leaves `errno`.
struct SystemCalls: Sendable {
    /// pwrite(2): file, bytes, count, offset.
    var write: @Sendable (Int32, UnsafeRawPointer, Int, Int64) -> Int = { pwrite($0, $1, $2, Int($3)) }
    /// fdatasync(2).
    var sync: @Sendable (Int32) -> Int32 = { clinux_fdatasync($0) }
    /// fallocate(2): file, length.
    var reserve: @Sendable (Int32, Int64) -> Int32 = { clinux_fallocate($0, $1) }
    /// Nanoseconds of CLOCK_MONOTONIC.
    var now: @Sendable () -> Int64 = { clinux_monotonic_ns() }
}

/// The kernel's text for an errno.
func describe(errno code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
        guard let base = text.baseAddress, strerror_r(code, base, text.count) == 0 else { return "unknown error" }
        return String(cString: base)
    }
}
