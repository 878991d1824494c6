// Where a server listens, as people write it on a command line: `127.0.0.1:7865`, `shop.example:7865`,
// `[::1]:7865` or `unix:/run/stockade.sock`. The same text comes back from `description`.

/// The address of a server: a host and a TCP port, or the path of a Unix socket.
public enum Address: Equatable, Sendable {
    /// `host` is a name or a numeric address, without brackets; `port` is 0…65,535.
    case tcp(host: String, port: UInt16)
    case unix(path: String)

    /// The port that a server takes when none is named: S-T-O-K on a phone.
    public static let standardPort: UInt16 = 7865

    /// Reads `HOST:PORT`, `HOST` (the standard port), `[IPV6]:PORT`, `[IPV6]` or `unix:PATH`.
    ///
    /// - Throws: `ConnectionError.badAddress` for anything else.
    public init(_ text: String) throws(ConnectionError) {
        let bad = ConnectionError.badAddress(text)
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty else { throw bad }
            self = .unix(path: path)
            return
        }
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw bad }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<colon]
            rest = text[colon...]
        }
        guard !host.isEmpty else { throw bad }
        if rest.isEmpty {
            self = .tcp(host: String(host), port: Self.standardPort)
            return
        }
        // Digits only: `UInt16` alone would take "+80". A bare IPv6 address ends here too, as it has more colons.
        guard rest.hasPrefix(":"), rest.dropFirst().allSatisfy({ ("0"..."9").contains($0) }),
            let port = UInt16(rest.dropFirst())
        else { throw bad }
        self = .tcp(host: String(host), port: port)
    }
}

extension Address: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
