// Everything that `stockade serve` can be told, in one place: the values with their defaults, and how they are read
// from flags and environment (`ServerConfiguration.init(_:)` at the end).

import StockJournal
import StockModel

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
    /// How often the database is brought up to the log; 0: not by time.
    public var snapshotInterval: Int64 = 60_000
    /// Bytes of log after which it is, whatever the time; 0: not by bytes.
    public var snapshotBytes = 64 << 20
    /// How often the database is copied and the copy verified; 0: never, and then no segment of the log is removed.
    public var backupInterval: Int64 = 24 * 3_600_000
    /// How long a segment stays after its last event, though database and backup have it.
    public var keepLog: Int64 = 3_600_000
    /// How far back the database's history goes; 0: to the beginning.
    public var history: Int64 = 7 * 24 * 3_600_000
    /// How long a frame that cannot be written is tried again before the server gives up.
    public var writePatience: Int64 = 5_000
    public var maximumClockJump: Int64 = 30 * 24 * 3_600_000
    public var acceptClock = false
    public var acceptTailLoss: UInt64?
    /// Replies that wait for one connection before it is no longer read from.
    public var maximumOutput = 1 << 20
    /// Replies that wait for all connections together: the nearer it comes, the fewer may wait for each, down to
    /// `TurnLimits.leastOutput`.
    public var maximumHeldReplies = 256 << 20
    /// A connection whose replies are not taken for this long is closed.
    public var outputPatience: Int64 = 60_000
    /// A turn of the loop that takes longer comes into the slow log. A turn may work for a millisecond on requests and
    /// not quite another on the clock's and the archive's business, so a longer one is out of the ordinary.
    public var slowTurn: Int64 = 2

    public init() {}
}

/// A flag or a variable whose value cannot be used.
public struct SettingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where it stood, as `--port 99999` or `STOCKADE_PORT=99999`.
    public let place: String
    public let problem: String

    public var description: String { "\(place): \(problem)" }
}

/// What flags and environment say, by the name of the flag without its dashes. A flag wins over its variable.
public struct Settings: Sendable {
    private let flags: [String: String]
    private let environment: [String: String]

    public init(flags: [String: String], environment: [String: String]) {
        self.flags = flags
        self.environment = environment
    }

    /// `STOCKADE_MAX_MEMORY` for `max-memory`.
    public static func variable(for name: String) -> String {
        "STOCKADE_" + name.uppercased().map { $0 == "-" ? "_" : $0 }
    }

    /// The text of a setting, if there is one.
    public func text(_ name: String) -> String? {
        if let value = flags[name] { return value }
        let value = environment[Self.variable(for: name)]
        // Kubernetes sets this in each pod beside a service that is called stockade.
        if name == "port", let value, value.hasPrefix("tcp://") { return nil }
        return value
    }

    /// The value of a setting, if there is one.
    ///
    /// - Parameter expected: completes "expected …" for a value that `parse` refuses with `nil`.
    public func value<T>(_ name: String, _ expected: String, _ parse: (String) -> T?) throws(SettingError) -> T? {
        guard let text = text(name) else { return nil }
        if let value = parse(text) { return value }
        let place = flags[name] == nil ? "\(Self.variable(for: name))=\(text)" : "--\(name) \(text)"
        throw SettingError(place: place, problem: "expected \(expected)")
    }
}

extension ServerConfiguration {
    /// The share of the machine's memory that the tables may take when nothing is said, in percent.
    public static let defaultMemoryPercent: Int64 = 70

    /// Reads settings; what they do not say stays at its default. The password is not among them: it is in a file.
    ///
    /// - Parameter availableMemory: bytes that this process may have, `nil` when unknown.
    public init(_ settings: Settings, availableMemory: Int64?) throws(SettingError) {
        try read(settings)
        try readLimits(settings)

        let available = availableMemory ?? 2 << 30
        let memory = try settings.value("max-memory", "1MiB or more, such as 4GiB, or a share such as 70%") {
            SettingValue.memory($0, available: available).flatMap { $0 >= 1 << 20 ? $0 : nil }
        }
        maximumMemory = Int(memory ?? available / 100 * Self.defaultMemoryPercent)
    }

    private mutating func read(_ settings: Settings) throws(SettingError) {
        let text = { (value: String) in value.isEmpty || value.utf8.contains(0) ? nil : value }
        host = try settings.value("host", "an address or a host name", text) ?? host
        port = try settings.value("port", "a number from 0 to 65535") {
            SettingValue.count($0).flatMap(UInt16.init(exactly:))
        } ?? port
        // 107 bytes and a zero are what the kernel's sockaddr_un holds.
        unixPath = try settings.value("unix", "a path of at most 107 bytes") { path in
            text(path).flatMap { $0.utf8.count <= 107 ? $0 : nil }
        }
        directory = try settings.value("dir", "a path", text) ?? directory
        sync = try settings.value("fsync", "everysec, always or never", SyncMode.init(rawValue:)) ?? sync
        insecure = try settings.value("insecure", Self.yesOrNo, SettingValue.flag) ?? insecure
        acceptClock = try settings.value("accept-clock", Self.yesOrNo, SettingValue.flag) ?? acceptClock
        acceptTailLoss = try settings.value("accept-tail-loss", "the sequence that the refusal to start named") {
            SettingValue.count($0).flatMap { $0 >= 1 ? UInt64($0) : nil }
        }
    }

    private mutating func readLimits(_ settings: Settings) throws(SettingError) {
        let day: Int64 = 86_400_000
        retention = try Self.duration("retention", in: 1...3_650 * day, settings) ?? retention
        maximumSyncLag = try Self.duration("max-sync-lag", in: 1...day, settings) ?? maximumSyncLag
        writePatience = try Self.duration("write-patience", in: 0...day, settings) ?? writePatience
        maximumClockJump = try Self.duration("max-clock-jump", in: 0...36_500 * day, settings) ?? maximumClockJump
        // The smallest segment holds the largest event, the largest is still quick to read again.
        segmentSize = try Self.size("segment-size", in: 128 << 10...4 << 30, settings) ?? segmentSize
        snapshotInterval = try Self.duration("snapshot-every", in: 0...3_650 * day, settings) ?? snapshotInterval
        snapshotBytes = try Self.size("snapshot-bytes", in: 0...1 << 40, settings) ?? segmentSize
        backupInterval = try Self.duration("backup-every", in: 0...3_650 * day, settings) ?? backupInterval
        keepLog = try Self.duration("keep-log", in: 0...3_650 * day, settings) ?? keepLog
        history = try Self.duration("history", in: 0...3_650 * day, settings) ?? history
        maximumUnsyncedBytes = try Self.size("max-unsynced", in: 1 << 20...1 << 40, settings) ?? maximumUnsyncedBytes
        maximumHeldReplies = try Self.size("max-held-replies", in: 1 << 20...1 << 40, settings) ?? maximumHeldReplies
        slowTurn = try Self.duration("slow-turn", in: 0...day, settings) ?? slowTurn
        maximumClients = try Self.count("max-clients", in: 1...1_000_000, settings) ?? maximumClients
        maximumSKUs = try Self.count("max-skus", in: 1...Self.mostItems, settings) ?? maximumSKUs
        maximumOrders = try Self.count("max-orders", in: 1...Self.mostItems, settings) ?? maximumOrders
    }

    private static let yesOrNo = "1 or 0, yes or no, true or false"
    /// SKUs and orders are named by ordinals of 32 bits in the tables.
    private static let mostItems: Int64 = 4_000_000_000

    private static func duration(
        _ name: String, in range: ClosedRange<Int64>, _ settings: Settings
    ) throws(SettingError) -> Int64? {
        let limits = "\(DurationText(range.lowerBound)) to \(DurationText(range.upperBound))"
        return try settings.value(name, "a duration such as 500ms, 90s, 15m, 24h or 7d, from \(limits)") {
            SettingValue.duration($0).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private static func size(
        _ name: String, in range: ClosedRange<Int64>, _ settings: Settings
    ) throws(SettingError) -> Int? {
        let limits = "\(SizeText(range.lowerBound)) to \(SizeText(range.upperBound))"
        return try settings.value(name, "a size such as 512KiB, 64MiB or 4GiB, from \(limits)") {
            SettingValue.size($0).flatMap { range.contains($0) ? Int($0) : nil }
        }
    }

    private static func count(
        _ name: String, in range: ClosedRange<Int64>, _ settings: Settings
    ) throws(SettingError) -> Int? {
        try settings.value(name, "a number from \(range.lowerBound) to \(range.upperBound)") {
            SettingValue.count($0).flatMap { range.contains($0) ? Int($0) : nil }
        }
    }
}
