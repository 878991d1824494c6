// Where the server is, and how patient the client is with it.

#if Metrics
    import CoreMetrics
#endif
#if Tracing
    import Tracing
#endif

/// The address of a server.
public enum ServerAddress: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    case tcp(host: String, port: Int)
    /// A Unix socket, by its path.
    case unix(path: String)

    /// The port that servers listen on unless they were told otherwise: S-T-O-K on a phone.
    public static let defaultPort = 7865

    /// Reads `host`, `host:port`, `[ipv6]:port`, `unix:/path` or `/path`.
    public init(_ text: String) {
        if text.hasPrefix("unix:") {
            self = .unix(path: String(text.dropFirst(5)))
        } else if text.hasPrefix("/") {
            self = .unix(path: text)
        } else if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            self = .tcp(host: host, port: Self.port(rest.dropFirst()))
        } else if let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon {
            self = .tcp(host: String(text[..<colon]), port: Self.port(text[text.index(after: colon)...]))
        } else {
            self = .tcp(host: text, port: Self.defaultPort)
        }
    }

    public init(stringLiteral text: String) {
        self.init(text)
    }

    /// What is not a port becomes 0, to which no connection succeeds; the error then names the address.
    private static func port(_ text: Substring) -> Int {
        text.isEmpty ? defaultPort : UInt16(text).map(Int.init) ?? 0
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension StockadeClient {
    /// How a client behaves. The defaults suit a web shop: an answer within five seconds, or an honest "unknown".
    public struct Configuration: Sendable {
        /// What `AUTH` says on every new connection.
        public var password: String?
        /// How long a call may take in all, retries and `LOOKUP` included, unless the call says otherwise.
        public var deadline: Duration = .seconds(5)
        /// A connection whose oldest request has no reply for this long is given up, and its requests are sent again
        /// on a new one.
        public var stallLimit: Duration = .seconds(2)
        /// How long one attempt to connect may take.
        public var connectTimeout: Duration = .seconds(1)
        /// The pause before connecting again; it doubles with each failure, and half of it is drawn by chance.
        public var shortestPause: Duration = .milliseconds(20)
        public var longestPause: Duration = .seconds(2)
        /// After so many failed connections in a row, calls no longer wait for the server but fail with
        /// ``StockadeError/unavailable(_:)``, until a connection (they go on being tried) has answered again.
        public var failuresUntilUnavailable = 5
        /// Requests that may wait for replies on a connection at once.
        public var maximumInFlight = 16_384
        /// Calls that may wait in all; one more fails with ``StockadeError/overloaded``.
        public var maximumWaiting = 100_000
        /// How long a call waits for ``StockadeClient/run()`` to be called, before it says that nobody did.
        public var startPatience: Duration = .milliseconds(500)
        #if Metrics
            /// Where the client counts; `nil`: where the program was bootstrapped to (`MetricsSystem.bootstrap`).
            public var metrics: (any MetricsFactory)?
        #endif
        #if Tracing
            /// Where the client traces; `nil`: where the program was bootstrapped to (`InstrumentationSystem`).
            public var tracer: (any Tracer)?
        #endif

        public init() {}
    }
}

extension Duration {
    /// Whole nanoseconds; what does not fit becomes 100 years.
    var nanosecondCount: Int64 {
        let most: Int64 = 3_153_600_000
        let (seconds, attoseconds) = components
        guard seconds < most else { return most * 1_000_000_000 }
        return max(seconds, 0) * 1_000_000_000 + max(attoseconds, 0) / 1_000_000_000
    }
}
