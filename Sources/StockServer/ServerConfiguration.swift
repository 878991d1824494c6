// Everything that `stockade serve` can be told, in one place. The executable fills it from flags and environment.

/// When a reply may leave, seen from the disk. The contract of each is printed in the README.
public enum SyncMode: String, Sendable, CaseIterable {
    /// A reply leaves after the log was written; a sync follows each second.
    case everysec
    /// A reply leaves after the log is on the disk.
    case always
    /// A reply leaves after the log was written; the kernel decides when it reaches the disk.
    case never
}

/// Where to listen, where to keep the log, and every limit of one server. Sizes are bytes, durations milliseconds.
public struct ServerConfiguration: Sendable {
    public var host = "127.0.0.1"
    /// 0: the kernel chooses one, and the server says which.
    public var port: UInt16 = 7865
    public var unixPath: String?
    public var directory = "stockade-data"
    public var sync = SyncMode.everysec
    /// How long ids are remembered after their order ended.
    public var retention: Int64 = 24 * 3_600_000
    public var maximumClients = 10_000
    public var maximumMemory = 1 << 30
    public var maximumSKUs = 100_000_000
    public var maximumOrders = 1_000_000_000
    /// What `AUTH` must say; `nil`: nobody needs to log in.
    public var password: [UInt8]?
    /// Serves beyond loopback without a password.
    public var insecure = false
    public var segmentSize = 64 << 20
    /// Beyond these the server answers `-BUSY` rather than widen the window that a power cut could take.
    public var maximumSyncLag: Int64 = 5_000
    public var maximumUnsyncedBytes = 512 << 20
    /// How long a frame that cannot be written is tried again before the server gives up.
    public var writePatience: Int64 = 5_000
    public var maximumClockJump: Int64 = 30 * 24 * 3_600_000
    public var acceptClock = false
    public var acceptTailLoss: UInt64?
    /// Replies that wait for one connection before it is no longer read from.
    public var maximumOutput = 1 << 20
    /// A connection whose replies are not taken for this long is closed.
    public var outputPatience: Int64 = 60_000

    public init() {}
}
