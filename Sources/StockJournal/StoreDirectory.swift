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

    let log: FileDescriptor
    private let lock: FileDescriptor?

    /// Opens the directory at `path`. Throws `locked`, `unsuitable`, `system`, or `damaged` for a bad segment header.
    public static func open(_ path: String, access: Access = .serve) throws(JournalError) -> StoreDirectory {
        fatalError()
    }

    private init(path: String, access: Access, identity: StoreIdentity, isServed: Bool, log: FileDescriptor, lock: FileDescriptor?) {
        self.path = path
        self.access = access
        self.identity = identity
        self.isServed = isServed
        self.log = log
        self.lock = lock
    }
}
