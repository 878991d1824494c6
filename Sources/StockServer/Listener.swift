// Where clients come in: one socket for each address of the host, and one for the Unix path. Connections are accepted
// in bounded batches; when descriptors run out, accepting pauses and is tried again later. Those who knock meanwhile
// wait in the kernel's queue.

import CLinux
import Glibc
import StockModel

/// Why the server does not listen.
public enum ListeningError: Error, CustomStringConvertible {
    case address(ListenError)
    /// A system call failed for this place.
    case system(place: String, SystemError)
    /// Something that is not a socket, or a socket that somebody answers on, stands at the path.
    case occupied(path: String, why: String)

    public var description: String {
        switch self {
        case .address(let error): error.description
        case .system(let place, let error): "cannot listen on \(place): \(error)"
        case .occupied(let path, let why): "cannot listen on \(path): \(why)"
        }
    }
}

/// What an attempt to accept came to.
enum AcceptResult {
    case connection(Int32)
    /// Nobody waits.
    case none
    /// The process or the machine has no descriptor or memory left.
    case exhausted(errno: Int32)
}

/// One listening socket. A Unix socket's file is removed with it. A class, because an array holds them; no request
/// comes past it.
final class Listener {
    let descriptor: Int32
    /// For the operator: `127.0.0.1:7865`, `[::1]:7865`, or the path.
    let place: String
    let port: UInt16
    private let unixFile: UnixFile?
    /// accept4(2). Tests run out of descriptors here.
    var acceptCall: (Int32) -> Int32 = { clinux_accept($0, nil, nil) }

    /// The file of a Unix socket, and which file it was when it was made.
    private struct UnixFile {
        let path: String
        let device: UInt
        let inode: UInt
    }

    /// The kernel's queue of connections that are not accepted yet, as in Redis.
    private static let backlog: Int32 = 511
    /// Seconds of silence before the kernel asks whether a peer is still there.
    private static let keepaliveIdle: Int32 = 300
    private static let keepaliveInterval: Int32 = 60
    private static let keepaliveProbes: Int32 = 5

    private init(descriptor: Int32, place: String, port: UInt16, unixFile: UnixFile?) {
        self.descriptor = descriptor
        self.place = place
        self.port = port
        self.unixFile = unixFile
    }

    deinit {
        _ = Glibc.close(descriptor)
        guard let unixFile else { return }
        // Another server may have put its own socket there since.
        var status = stat()
        if lstat(unixFile.path, &status) == 0, status.st_dev == unixFile.device, status.st_ino == unixFile.inode {
            _ = unlink(unixFile.path)
        }
    }

    func accept() -> AcceptResult {
        while true {
            let accepted = acceptCall(descriptor)
            if accepted >= 0 { return .connection(accepted) }
            switch errno {
            case EAGAIN, EWOULDBLOCK: return .none
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted(errno: errno)
            // The one who knocked is gone again, or the network had a problem of its own: on to the next.
            default: continue
            }
        }
    }

    // MARK: TCP

    /// Listens on `address`, at `port`.
    ///
    /// - Parameter takesClients: otherwise it only has the address, which fails while somebody listens there.
    static func tcp(
        _ address: ListenAddress, port: UInt16, takesClients: Bool = true
    ) throws(ListeningError) -> Listener {
        let isIPv6 = address.family == AF_INET6
        let host = isIPv6 ? "[\(address.host)]" : address.host
        let place = "\(host):\(port)"
        let descriptor = clinux_socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        if descriptor < 0 { throw .system(place: place, SystemError("socket")) }
        do throws(SystemError) {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR")
            if isIPv6 {
                // `::` alone stands for both families, other addresses for themselves.
                try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, address.host == "::" ? 0 : 1, "IPV6_V6ONLY")
            }
            // Accepted sockets inherit these, so that accepting costs one call.
            try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1, "TCP_NODELAY")
            try set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE")
            try set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, keepaliveIdle, "TCP_KEEPIDLE")
            try set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, keepaliveInterval, "TCP_KEEPINTVL")
            try set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, keepaliveProbes, "TCP_KEEPCNT")

            var bound = address.address
            setPort(port, of: &bound)
            let length = address.length
            let status = withUnsafeBytes(of: &bound) { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) { Glibc.bind(descriptor, $0.baseAddress, length) }
            }
            if status != 0 { throw SystemError("bind") }
            if takesClients, listen(descriptor, backlog) != 0 { throw SystemError("listen") }
        } catch {
            _ = Glibc.close(descriptor)
            throw .system(place: place, error)
        }
        let port = boundPort(of: descriptor)
        return Listener(descriptor: descriptor, place: "\(host):\(port)", port: port, unixFile: nil)
    }

    private static func set(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32, _ name: String
    ) throws(SystemError) {
        var value = value
        if setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) != 0 {
            throw SystemError("setsockopt \(name)")
        }
    }

    /// In both families the port is the two bytes behind the family, in network order.
    private static let portOffset = 2

    private static func setPort(_ port: UInt16, of address: inout sockaddr_storage) {
        withUnsafeMutableBytes(of: &address) {
            $0.storeBytes(of: port.bigEndian, toByteOffset: portOffset, as: UInt16.self)
        }
    }

    private static func boundPort(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutableBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
        }
        guard status == 0 else { return 0 }
        return withUnsafeBytes(of: &address) {
            UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: portOffset, as: UInt16.self))
        }
    }

    // MARK: Unix

    /// Listens on `path`. A socket file there that nobody answers on is what a killed server left behind, and is
    /// replaced. Who may connect is decided by the folder and the umask, as with Redis.
    static func unix(_ path: String) throws(ListeningError) -> Listener {
        guard var address = unixAddress(path) else {
            throw .occupied(path: path, why: "the path is empty or longer than a socket's may be")
        }
        let descriptor = clinux_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        if descriptor < 0 { throw .system(place: path, SystemError("socket")) }
        var status = stat()
        do throws(ListeningError) {
            if lstat(path, &status) == 0 {
                guard status.st_mode & S_IFMT == S_IFSOCK else {
                    throw .occupied(path: path, why: "it is there and is not a socket")
                }
                guard connect(descriptor, &address) == ECONNREFUSED else {
                    throw .occupied(path: path, why: "another process answers on it")
                }
                if unlink(path) != 0 { throw .system(place: path, SystemError("unlink")) }
            }
            let bound = withUnsafeBytes(of: &address) { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) {
                    Glibc.bind(descriptor, $0.baseAddress, socklen_t(bytes.count))
                }
            }
            if bound != 0 { throw .system(place: path, SystemError("bind")) }
            if listen(descriptor, backlog) != 0 { throw .system(place: path, SystemError("listen")) }
            if lstat(path, &status) != 0 { throw .system(place: path, SystemError("lstat")) }
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
        let file = UnixFile(path: path, device: status.st_dev, inode: status.st_ino)
        return Listener(descriptor: descriptor, place: path, port: 0, unixFile: file)
    }

    private static func unixAddress(_ path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard !bytes.isEmpty, bytes.count < room, !bytes.contains(0) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    /// 0 or the error of an attempt to reach whoever listens there.
    private static func connect(_ descriptor: Int32, _ address: inout sockaddr_un) -> Int32 {
        withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                Glibc.connect(descriptor, $0.baseAddress, socklen_t(bytes.count)) == 0 ? 0 : errno
            }
        }
    }
}

extension Listener {
    /// Opens a listener for each address of the configuration, and one for its Unix path.
    static func all(for configuration: ServerConfiguration) throws(ListeningError) -> [Listener] {
        var listeners: [Listener] = []
        let addresses: [ListenAddress]
        do throws(ListenError) {
            addresses = try configuration.listenAddresses()
        } catch {
            throw .address(error)
        }
        var port = configuration.port
        for address in addresses {
            let listener = try Listener.tcp(address, port: port)
            // When the kernel chooses the port, it is the same one for all addresses.
            port = listener.port
            listeners.append(listener)
        }
        if let path = configuration.unixPath { listeners.append(try Listener.unix(path)) }
        return listeners
    }
}

extension ServerConfiguration {
    /// Whether nobody listens on the TCP addresses now: asked before a store is opened, which may take long. Nobody can
    /// connect meanwhile.
    public func checkAddressesAreFree() throws(ListeningError) {
        let addresses: [ListenAddress]
        do throws(ListenError) {
            addresses = try listenAddresses()
        } catch {
            throw .address(error)
        }
        for address in addresses { _ = try Listener.tcp(address, port: port, takesClients: false) }
    }
}
