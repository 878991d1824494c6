// Making segment files so that a crash at any moment leaves either none or a whole one: everything is written and
// synced under a temporary name, then renamed, then the directory is synced.

import CLinux
import Glibc

extension StoreDirectory {
    /// Makes an empty segment with its space reserved, and opens it. This takes some milliseconds of the disk's time.
    func createSegment(_ number: UInt64, bytes: Int, calls: SystemCalls) throws(JournalError) -> FileDescriptor {
        try replaceSegment(number, reserving: bytes, calls: calls) { (file) throws(JournalError) in
            let page = SegmentHeader(identity: identity, number: number).encoded()
            try file.write(page, count: page.count, at: 0, calls: calls)
        }
    }

    /// Replaces a segment by a fresh, synced copy of its first `length` bytes, and opens it.
    ///
    /// Why a copy: after a crash, what is read may lie in the kernel's memory only; and if a sync failed before, the
    /// kernel will not write those pages again. A new file has no such past.
    func copySegment(
        _ number: UInt64, length: Int, reserving bytes: Int, calls: SystemCalls
    ) throws(JournalError) -> FileDescriptor {
        let old = try FileDescriptor.open(in: log, Self.segmentName(number), flags: O_RDONLY)
        return try replaceSegment(number, reserving: max(bytes, length), calls: calls) { (file) throws(JournalError) in
            try copyBytes(from: old, 0..<length, to: file, calls: calls)
        }
    }

    /// Opens a segment to write on in it, with its space reserved again. How much there is: less than asked for if the
    /// disk is full, then the log goes on in the next segment when there is one.
    func openSegment(
        _ number: UInt64, reserving bytes: Int, calls: SystemCalls
    ) throws(JournalError) -> (file: FileDescriptor, capacity: Int) {
        let file = try FileDescriptor.open(in: log, Self.segmentName(number), flags: O_RDWR)
        let size = try file.regularFileSize()
        if size >= bytes { return (file, size) }
        return (file, retry { calls.reserve(file.number, Int64(bytes)) } == 0 ? bytes : size)
    }

    /// Puts the bytes of `range` of a segment into a file beside it, synced. Returns its path.
    func keepTorn(_ number: UInt64, range: Range<Int>, calls: SystemCalls) throws(JournalError) -> String {
        let old = try FileDescriptor.open(in: log, Self.segmentName(number), flags: O_RDONLY)
        let name = try freeTornName(number)
        let torn = try FileDescriptor.open(in: log, name, flags: O_WRONLY | O_CREAT | O_EXCL)
        try copyBytes(from: old, range, to: torn, calls: calls)
        try torn.syncAll()
        try log.syncAll()
        return torn.path
    }

    /// Puts a whole segment aside under its `.torn` name. Returns its path.
    func putAside(_ number: UInt64) throws(JournalError) -> String {
        let name = try freeTornName(number)
        guard renameat(log.number, Self.segmentName(number), log.number, name) == 0 else { throw log.failure("rename") }
        try log.syncAll()
        return "\(log.path)/\(name)"
    }

    /// Removes a segment that was prepared and never used.
    func removeUnused(_ number: UInt64) throws(JournalError) {
        guard unlinkat(log.number, Self.segmentName(number), 0) == 0 else { throw log.failure("unlink") }
    }

    /// Removes what a crash left under temporary names.
    func removeTemporaries() throws(JournalError) {
        for name in try Self.names(in: log) where name.hasSuffix(".seg.tmp") {
            _ = unlinkat(log.number, name, 0)
        }
    }

    // MARK: Helpers

    private func replaceSegment(
        _ number: UInt64, reserving bytes: Int, calls: SystemCalls,
        fill: (FileDescriptor) throws(JournalError) -> Void
    ) throws(JournalError) -> FileDescriptor {
        let name = Self.segmentName(number)
        let temporary = name + ".tmp"
        _ = unlinkat(log.number, temporary, 0)
        let file = try FileDescriptor.open(
            in: log, temporary, flags: O_RDWR | O_CREAT | O_EXCL, displayedAs: "\(log.path)/\(name)")
        do throws(JournalError) {
            try reserve(file, bytes: bytes, calls: calls)
            try fill(file)
            try file.syncAll()
            guard renameat(log.number, temporary, log.number, name) == 0 else { throw file.failure("rename") }
        } catch {
            _ = unlinkat(log.number, temporary, 0)
            throw error
        }
        try log.syncAll()
        return file
    }

    /// Gives the file `bytes` of real space that read as zeros.
    private func reserve(_ file: FileDescriptor, bytes: Int, calls: SystemCalls) throws(JournalError) {
        if retry({ calls.reserve(file.number, Int64(bytes)) }) == 0 { return }
        guard errno == EOPNOTSUPP else { throw file.failure("fallocate") }
        // A file system that cannot reserve can still be made to find the space now.
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for offset in stride(from: 0, to: bytes, by: zeros.count) {
            try file.write(zeros, count: min(zeros.count, bytes - offset), at: offset, calls: calls)
        }
    }

    private func copyBytes(
        from source: FileDescriptor, _ range: Range<Int>, to target: FileDescriptor, calls: SystemCalls
    ) throws(JournalError) {
        let chunk = UnsafeMutableRawPointer.allocate(byteCount: LogLimits.readChunk, alignment: 16)
        defer { chunk.deallocate() }
        var done = 0
        while done < range.count {
            let wanted = min(LogLimits.readChunk, range.count - done)
            let got = try source.read(into: chunk, count: wanted, at: range.lowerBound + done)
            try target.write(chunk, count: got, at: done, calls: calls)
            done += got
            if got < wanted {
                throw .unsuitable(path: source.path, why: "it became shorter while it was copied")
            }
        }
    }

    private func freeTornName(_ number: UInt64) throws(JournalError) -> String {
        let taken = Set(try Self.names(in: log))
        let first = Self.segmentName(number) + ".torn"
        var name = first
        var next = 2
        while taken.contains(name) {
            name = "\(first).\(next)"
            next += 1
        }
        return name
    }
}
