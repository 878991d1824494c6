// The moments at which a server might make its clients wait: each is a server of its own, something that goes on in it,
// and a load of half of what it can take.

/// What goes on while the latencies of a half-loaded server are measured.
public enum Situation: String, CaseIterable, Sendable {
    case machine, calm, snapshots, segments, growth, expiry, scattered, verify

    /// As the report names it.
    var title: String {
        switch self {
        case .machine: "PING instead of sales: what the machine itself lets one wait"
        case .calm: "nothing else goes on"
        case .snapshots: "a snapshot always under way"
        case .segments: "segments of 1 MiB"
        case .growth: "all shards of the order index grow"
        case .expiry: "holds run out all at once"
        case .scattered: "holds run out all at once, each of another SKU and buyer"
        case .verify: "VERIFY always under way"
        }
    }

    /// Flags of the server.
    var flags: [String] {
        switch self {
        case .machine, .calm, .growth, .expiry, .scattered, .snapshots, .verify: ["--snapshot-every", "0", "--snapshot-bytes", "0"]
        case .segments: ["--snapshot-every", "0", "--snapshot-bytes", "0", "--segment-size", "1MiB"]
        }
    }

    /// Whether it is there to be compared with, and has no targets.
    var isControl: Bool { self == .machine }

    /// Said again and again by one more client during the measurement: each time it is answered.
    var standingRequest: String? {
        switch self {
        case .snapshots: "SNAPSHOT"
        case .verify: "VERIFY"
        case .machine, .calm, .segments, .growth, .expiry, .scattered: nil
        }
    }
}

/// The sizes of a tail measurement. Times are nanoseconds.
public struct TailOptions: Sendable {
    public var rounds: Int
    public var time: Int64
    public var warmup: Int64
    /// Orders that the server remembers when snapshots or VERIFY go on.
    public var orders: Int
    /// Orders at the beginning of `growth`: a little below where the index's shards double.
    public var ordersBeforeGrowth: Int
    /// Holds that run out at once.
    public var holds: Int
    /// Orders of the rows about starts, folding and memory, and SKUs of the former.
    public var recoveryOrders: Int
    public var recoverySKUs: Int
    public var parent: String
    /// Only situations, or the rows of a restart (`recovery`), whose name is this.
    public var only: String?

    /// About fifteen minutes; `quick`: about two.
    public init(quick: Bool, parent: String) {
        rounds = quick ? 1 : 3
        time = quick ? 3_000_000_000 : 10_000_000_000
        warmup = quick ? 500_000_000 : 1_000_000_000
        orders = quick ? 100_000 : 1_000_000
        // Shards hold three quarters of 4,096 or 32,768 slots when they double.
        ordersBeforeGrowth = quick ? 760_000 : 6_200_000
        holds = quick ? 100_000 : 1_000_000
        recoveryOrders = quick ? 1_000_000 : 10_000_000
        recoverySKUs = quick ? 100_000 : 1_000_000
        self.parent = parent
    }

    var situations: [Situation] { Situation.allCases.filter { only == nil || only == $0.rawValue } }
    var measuresRecovery: Bool { only == nil || only == "recovery" }
}

/// What one situation gave in one round.
struct TailSample {
    var latencies: Latencies
    var throughput: Double
    var isSound: Bool
    var warnings: [String]
    var processorShare: Double
    /// Of the server's loop, microseconds: its longest turn by the clock, and the most that one worked itself.
    var longestTurn: Int
    var longestWork: Int
    var slowTurns: Int
    /// The slow turn with the most work of its own, as the server tells it.
    var hardestTurn: String?
    /// Of `expiry` and `scattered`: how late the latest hold was released, milliseconds.
    var releaseLag: Int?
    /// How often the standing request was answered, or how many segments were begun.
    var events: Int?
}
