// The segments as files: which there are, what they hold, and taking away those that nobody needs any more.

import CLinux
import Glibc

/// One segment of the log that has events or may get some.
public struct SegmentFile: Equatable, Sendable {
    public var number: UInt64
    /// The first event that stands in it, or that will.
    public var firstSequence: UInt64
    /// Bytes that the file takes, reserved ones included.
    public var bytes: Int
    /// When it was last written to: Unix milliseconds of the machine's clock.
    public var changedAt: Int64
}

extension StoreDirectory {
    /// The segments in use, ascending, without those that are only prepared.
    ///
    /// - Parameter limit: how many of the oldest to look at; their names are all read, the others not opened.
    public func segments(limit: Int = .max) throws(JournalError) -> [SegmentFile] {
        var found: [SegmentFile] = []
        for number in try Self.segmentNumbers(in: log).prefix(limit) {
            guard let segment = try segment(number) else { break }
            found.append(segment)
        }
        return found
    }

    /// The bytes of all files of the log, and how many they are; those prepared or put aside included.
    public func logSize() throws(JournalError) -> (files: Int, bytes: Int) {
        var bytes = 0
        var files = 0
        for name in try Self.names(in: log) where name != "." && name != ".." {
            var status = stat()
            guard fstatat(log.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            files += 1
            bytes += Int(status.st_size)
        }
        return (files, bytes)
    }

    /// Whether no event was ever written here: no segment, or only such as were prepared.
    public func hasNoEvents() throws(JournalError) -> Bool {
        for number in try Self.segmentNumbers(in: log) {
            if try segment(number) != nil { return false }
            var reader = try SegmentReader(number, in: self)
            if try reader.endOfData(from: SegmentLayout.headerSize) > SegmentLayout.headerSize { return false }
        }
        return true
    }

    /// Removes the segments up to `number`, the oldest first, so that a crash leaves no gap. The one after them must be
    /// in use: a log is never left without a beginning.
    ///
    /// - Returns: how many there were.
    public func removeSegments(through number: UInt64) throws(JournalError) -> Int {
        guard try segment(number + 1) != nil else { return 0 }
        var removed = 0
        for old in try Self.segmentNumbers(in: log) where old <= number {
            try removeUnused(old)
            removed += 1
        }
        if removed > 0 { try log.syncAll() }
        return removed
    }

    /// What a segment's first frame and its file say; nil when it has no frame, or does not exist.
    private func segment(_ number: UInt64) throws(JournalError) -> SegmentFile? {
        let file: FileDescriptor
        do throws(JournalError) {
            file = try FileDescriptor.open(in: log, Self.segmentName(number), flags: O_RDONLY | O_NONBLOCK)
        } catch {
            if case .system(_, _, ENOENT) = error { return nil }
            throw error
        }
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw file.failure("fstat") }
        let page = UnsafeMutableRawPointer.allocate(byteCount: Frame.headerSize, alignment: 16)
        defer { page.deallocate() }
        guard try file.read(into: page, count: Frame.headerSize, at: SegmentLayout.headerSize) == Frame.headerSize else {
            return nil
        }
        let seed = SegmentSeed(store: identity.store, segment: number).frame(at: SegmentLayout.headerSize)
        guard let header = FrameHeader.parse(page, seed: seed), header.kind == .opening else { return nil }
        let changed = Int64(status.st_mtim.tv_sec) &* 1_000 &+ Int64(status.st_mtim.tv_nsec) / 1_000_000
        return SegmentFile(
            number: number, firstSequence: header.firstSequence, bytes: Int(status.st_size), changedAt: changed)
    }
}
