// The directory of a store: made if it is not there, locked against a second server, and the one place that knows the
// names of the files in it.
//
//     DIR/lock                       held with flock(2) while a server runs; its text is the process id
//     DIR/log/0000000001.seg         the segments of the log, numbered from 1
//     DIR/log/0000000002.seg.tmp     a segment being prepared; never read, removed at the next start
//     DIR/log/0000000001.seg.torn    an end that was cut off, kept for inspection (.torn.2, .torn.3 … if there is one)

import CLinux
import Glibc
import StockModel

/// What makes a store this store: drawn once by chance, kept in the header of every segment.
public struct StoreIdentity: Equatable, Sendable {
    /// 128 bits that name the store; they seed every checksum, so that no other store's bytes pass as ours.
    public var store: UInt128
    /// The key of the ledger's hash tables, kept so that every reader of this store shards alike.
    public var hashKey: HashKey

    public init(store: UInt128, hashKey: HashKey) {
        self.store = store
        self.hashKey = hashKey
    }
}

/// An open store directory. The lock lives as long as this object does.
public final class StoreDirectory: Sendable {
    /// What one wants of the directory.
    public enum Access: Sendable {
        /// To serve from it: created if need be (mode 0700), locked. The store's identity is read, or drawn if new.
        case serve
        /// To look at it: nothing is created, written or locked.
        case inspect
    }

    public let path: String
    public let access: Access
    /// Drawn or read at `open`.
    public let identity: StoreIdentity
    /// Whether another process held the lock at `open` (only with `inspect`; `serve` throws instead).
    public let isServed: Bool

    /// `DIR/log`, open.
    let log: FileDescriptor
    /// Open, and with `serve` locked.
    private let lock: FileDescriptor?

    private init(
        path: String, access: Access, identity: StoreIdentity, isServed: Bool, log: FileDescriptor,
        lock: FileDescriptor?
    ) {
        self.path = path
        self.access = access
        self.identity = identity
        self.isServed = isServed
        self.log = log
        self.lock = lock
    }

    /// Opens the directory at `path`, which may be a symbolic link; nothing in it may be one.
    ///
    /// Throws `locked`, `unsuitable`, `system`, or `damaged` if no segment has a header that can be read.
    ///
    /// - Parameter known: who this store is if there is no segment to tell, asked for once the directory is locked. Nil:
    ///   an identity is drawn.
    public static func open(
        _ path: String, access: Access = .serve, identity known: () -> StoreIdentity? = { nil }
    ) throws(JournalError) -> StoreDirectory {
        switch access {
        case .serve: try openToServe(path, known)
        case .inspect: try openToInspect(path)
        }
    }

    private static func openToServe(
        _ path: String, _ knownElsewhere: () -> StoreIdentity?
    ) throws(JournalError) -> StoreDirectory {
        try makeDirectory(path, in: nil)
        let root = try openRoot(path)
        let lock = try FileDescriptor.open(in: root, "lock", flags: O_RDWR | O_CREAT)
        guard try lock.regularFileSize() >= 0, clinux_try_lock(lock.number, 1) == 0 else {
            guard errno == EWOULDBLOCK else { throw lock.failure("flock") }
            throw .locked(path: path, processID: lock.firstWord())
        }
        // Only for people who look; the lock is what counts.
        _ = ftruncate(lock.number, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = text.withUnsafeBytes { pwrite(lock.number, $0.baseAddress, $0.count, 0) }

        try makeDirectory("log", in: root)
        let log = try FileDescriptor.open(in: root, "log", flags: O_RDONLY | O_DIRECTORY)
        try root.syncAll()
        let known = try readIdentity(in: log) ?? knownElsewhere()
        let identity = if let known { known } else { try drawIdentity(path: path) }
        return StoreDirectory(path: path, access: .serve, identity: identity, isServed: false, log: log, lock: lock)
    }

    private static func openToInspect(_ path: String) throws(JournalError) -> StoreDirectory {
        let root = try openRoot(path)
        let log = try FileDescriptor.open(in: root, "log", flags: O_RDONLY | O_DIRECTORY)
        // Asking for a shared lock tells whether a server holds it; it is given back when `lock` goes out of scope.
        let lock = try? FileDescriptor.open(in: root, "lock", flags: O_RDONLY)
        let isServed = lock.map { clinux_try_lock($0.number, 0) != 0 && errno == EWOULDBLOCK } ?? false
        guard let identity = try readIdentity(in: log) else {
            throw .unsuitable(path: log.path, why: "there is no segment of a log in it")
        }
        return StoreDirectory(path: path, access: .inspect, identity: identity, isServed: isServed, log: log, lock: nil)
    }

    private static func openRoot(_ path: String) throws(JournalError) -> FileDescriptor {
        let number = retry { clinux_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0) }
        guard number >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        return FileDescriptor(number, path: path)
    }

    private static func makeDirectory(_ name: String, in directory: FileDescriptor?) throws(JournalError) {
        guard mkdirat(directory?.number ?? AT_FDCWD, name, 0o700) != 0, errno != EEXIST else { return }
        throw .system(call: "mkdir", path: directory.map { "\($0.path)/\(name)" } ?? name, errno: errno)
    }

    // MARK: Identity

    /// From the first segment whose header can be read; nil if there is no segment.
    private static func readIdentity(in log: FileDescriptor) throws(JournalError) -> StoreIdentity? {
        let numbers = try segmentNumbers(in: log)
        var fault: LogDamage?
        for number in numbers {
            let file = try FileDescriptor.open(in: log, segmentName(number), flags: O_RDONLY | O_NONBLOCK)
            switch try readHeader(of: file) {
            case .success(let header): return header.identity
            case .failure(let why):
                fault = fault ?? LogDamage(
                    kind: .history, file: file.path, offset: 0, sequence: 0, durableSequence: 0, reason: why.reason)
            }
        }
        if let fault { throw .damaged(fault) }
        return nil
    }

    private static func drawIdentity(path: String) throws(JournalError) -> StoreIdentity {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        guard withUnsafeMutableBytes(of: &words, { clinux_random($0.baseAddress, $0.count) }) == 0 else {
            throw .system(call: "getrandom", path: path, errno: errno)
        }
        return StoreIdentity(
            store: UInt128(words.0) << 64 | UInt128(words.1), hashKey: HashKey(k0: words.2, k1: words.3))
    }

    /// The header page of an open segment.
    static func readHeader(
        of file: FileDescriptor
    ) throws(JournalError) -> Result<SegmentHeader, SegmentHeaderFault> {
        _ = try file.regularFileSize()
        let page = UnsafeMutableRawPointer.allocate(byteCount: SegmentLayout.headerSize, alignment: 16)
        defer { page.deallocate() }
        guard try file.read(into: page, count: SegmentLayout.headerSize, at: 0) == SegmentLayout.headerSize else {
            return .failure("it is shorter than the header of a segment")
        }
        return SegmentHeader.parse(page)
    }

    // MARK: Names

    /// `0000000001.seg`
    static func segmentName(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 10 - digits.utf8.count)) + digits + ".seg"
    }

    /// The number in a segment's name; nil for any other name.
    static func segmentNumber(_ name: String) -> UInt64? {
        let bytes = Array(name.utf8)
        guard bytes.count == 14, name.hasSuffix(".seg"), bytes[..<10].allSatisfy({ (48...57).contains($0) }),
            let number = UInt64(name.prefix(10)), number > 0
        else { return nil }
        return number
    }

    /// The numbers of all segments in `log`, ascending.
    static func segmentNumbers(in log: FileDescriptor) throws(JournalError) -> [UInt64] {
        try names(in: log).compactMap(segmentNumber).sorted()
    }

    /// All names in a directory, in no order.
    static func names(in directory: FileDescriptor) throws(JournalError) -> [String] {
        let copy = retry { clinux_openat(directory.number, ".", O_RDONLY | O_DIRECTORY, 0) }
        guard copy >= 0 else { throw directory.failure("open") }
        guard let stream = fdopendir(copy) else {
            _ = close(copy)
            throw directory.failure("opendir")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw directory.failure("readdir") }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
    }
}

extension FileDescriptor {
    /// The first line of a small text file, for a message; empty if there is none.
    fileprivate func firstWord() -> String {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { bytes in
            guard let base = bytes.baseAddress, let count = try? read(into: base, count: bytes.count, at: 0) else {
                return ""
            }
            return String(decoding: bytes.prefix(count).prefix { (48...57).contains($0) }, as: UTF8.self)
        }
    }
}
