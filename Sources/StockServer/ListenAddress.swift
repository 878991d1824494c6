// From `--host` and `--port` to addresses that a socket can be bound to, and the rule that a server without a
// password stays on its own machine.

import Glibc

/// Why there is no address to listen on.
public enum ListenError: Error, Equatable, Sendable, CustomStringConvertible {
    case unresolved(host: String, why: String)
    /// Others could reach the server and it asks nobody for a password.
    case exposed(host: String, address: String)

    public var description: String {
        switch self {
        case .unresolved(let host, let why): "--host \(host): \(why)"
        case .exposed(let host, let address):
            "--host \(host): other machines can reach \(host == address ? "it" : address), and there is no password, so "
                + "that anyone there could sell or drop the stock. Give --password-file FILE, listen on 127.0.0.1, or "
                + "say --insecure if the network is closed to others."
        }
    }
}

/// One address to bind a listener to.
public struct ListenAddress: Sendable {
    /// What `bind` takes, `length` bytes of it.
    public let address: sockaddr_storage
    public let length: socklen_t
    /// The address without its port, as `127.0.0.1` or `::1`.
    public let host: String

    public var family: Int32 { Int32(address.ss_family) }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool {
        var copy = address
        return withUnsafeBytes(of: &copy) { bytes in
            switch family {
            case AF_INET:
                return bytes[Self.addressOffset4] == 127
            case AF_INET6:
                let parts = bytes[Self.addressOffset6..<Self.addressOffset6 + 16]
                // ::1, and the IPv4 range as ::ffff:127.x.y.z.
                return parts.elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
                    || parts.prefix(13).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127])
            default:
                return false
            }
        }
    }

    private static let addressOffset4 = MemoryLayout<sockaddr_in>.offset(of: \.sin_addr) ?? 4
    private static let addressOffset6 = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8

    /// All addresses of `host` (a name, an IPv4 or an IPv6 address), each once, in the order of the resolver.
    public static func resolve(host: String, port: UInt16) throws(ListenError) -> [ListenAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw .unresolved(host: host, why: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        var found: [ListenAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let address = ListenAddress(entry.pointee) else { continue }
            if !found.contains(where: { $0.host == address.host }) { found.append(address) }
        }
        guard !found.isEmpty else { throw .unresolved(host: host, why: "no address") }
        return found
    }

    private init?(_ entry: addrinfo) {
        guard let source = entry.ai_addr, Int(entry.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size else {
            return nil
        }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: source, count: Int(entry.ai_addrlen)))
        }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard
            getnameinfo(source, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        address = storage
        length = entry.ai_addrlen
        host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension ServerConfiguration {
    /// The addresses to listen on. Refuses one that others can reach when nobody needs a password, unless `insecure`.
    public func listenAddresses() throws(ListenError) -> [ListenAddress] {
        let addresses = try ListenAddress.resolve(host: host, port: port)
        if password == nil, !insecure, let exposed = addresses.first(where: { !$0.isLoopback }) {
            throw .exposed(host: host, address: exposed.host)
        }
        return addresses
    }
}
