// The system calls of a client's socket and nothing else: open and connect, write, read, wait. The descriptor
// never blocks; whoever has to wait does so in `wait`, with a deadline.

import Glibc

/// A connected, non-blocking stream socket, closed with its owner.
struct Socket: ~Copyable {
    let descriptor: Int32

    private init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = Glibc.close(descriptor) }

    /// Connects to `address`: each address of a host name in turn, all before `deadline`.
    static func connect(to address: Address, by deadline: Deadline) throws(ConnectionError) -> Socket {
        switch address {
        case .unix(let path): try connect(toUnix: path, by: deadline)
        case .tcp(let host, let port): try connect(toHost: host, port: port, by: deadline)
        }
    }

    // MARK: Reading, writing, waiting

    /// Writes as many of `bytes` as the kernel takes now; 0 when it takes none.
    ///
    /// - Throws: `.closed` when the peer is gone, `.system` otherwise.
    func write(_ bytes: ArraySlice<UInt8>) throws(ConnectionError) -> Int {
        while true {
            // MSG_NOSIGNAL: a peer that went away is an error of this call, not the end of the process.
            let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            case EPIPE, ECONNRESET: throw .closed
            case let number: throw .system(call: "send", errno: number)
            }
        }
    }

    /// What one read of at most `buffer.count` bytes found.
    enum ReadResult { case bytes(Int), nothingYet, end }

    /// Reads what is there into `buffer`. A reset counts as the end: what came before it has been read.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> ReadResult {
        while true {
            let count = Glibc.recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothingYet
            case ECONNRESET: return .end
            case let number: throw .system(call: "recv", errno: number)
            }
        }
    }

    /// Waits until one of `events` (POLLIN, POLLOUT) is so, or the peer closed or failed.
    ///
    /// - Returns: the events that are so.
    /// - Throws: `.timedOut` at the deadline.
    func wait(for events: Int32, by deadline: Deadline, what: String) throws(ConnectionError) -> Int32 {
        var entry = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
        while true {
            let ready = poll(&entry, 1, deadline.pollMilliseconds)
            if ready > 0 { return Int32(entry.revents) }
            if ready < 0, errno != EINTR { throw .system(call: "poll", errno: errno) }
            if deadline.hasPassed { throw .timedOut(waitingFor: what) }
        }
    }

    /// Says that nothing more will be written; replies still come.
    func shutDownWriting() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    // MARK: Connecting

    private static func connect(toUnix path: String, by deadline: Deadline) throws(ConnectionError) -> Socket {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        // One byte stays for the zero that ends the path.
        guard bytes.count < MemoryLayout.size(ofValue: name.sun_path), !bytes.contains(0) else {
            throw .badAddress("unix:\(path)")
        }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let socket = try open(family: AF_UNIX)
        let result = withUnsafeBytes(of: name) {
            start(socket.descriptor, $0.baseAddress, socklen_t($0.count))
        }
        try socket.finishConnecting(result, to: .unix(path: path), by: deadline)
        return socket
    }

    private static func connect(toHost host: String, port: UInt16, by deadline: Deadline) throws(ConnectionError) -> Socket {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0, let list else {
            throw .badAddress(host)
        }
        defer { freeaddrinfo(list) }
        let address = Address.tcp(host: host, port: port)
        var failure = ConnectionError.refused(address)
        var candidate: UnsafeMutablePointer<addrinfo>? = list
        while let entry = candidate?.pointee {
            candidate = entry.ai_next
            do throws(ConnectionError) {
                let socket = try open(family: entry.ai_family)
                var on: Int32 = 1
                setsockopt(socket.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                let result = start(socket.descriptor, UnsafeRawPointer(entry.ai_addr), entry.ai_addrlen)
                try socket.finishConnecting(result, to: address, by: deadline)
                return socket
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func open(family: Int32) throws(ConnectionError) -> Socket {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
        return Socket(owning: descriptor)
    }

    /// - Returns: 0, or the `errno` of `connect`.
    private static func start(_ descriptor: Int32, _ name: UnsafeRawPointer?, _ length: socklen_t) -> Int32 {
        Glibc.connect(descriptor, name?.assumingMemoryBound(to: sockaddr.self), length) == 0 ? 0 : errno
    }

    private func finishConnecting(_ result: Int32, to address: Address, by deadline: Deadline) throws(ConnectionError) {
        var outcome = result
        // An interrupted connect goes on by itself, like one that was merely begun.
        if result == EINPROGRESS || result == EINTR {
            _ = try wait(for: POLLOUT, by: deadline, what: "a connection to \(address)")
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &outcome, &length) == 0 else {
                throw .system(call: "getsockopt", errno: errno)
            }
        }
        switch outcome {
        case 0: return
        case ECONNREFUSED, ENOENT: throw .refused(address)
        case ETIMEDOUT: throw .timedOut(waitingFor: "a connection to \(address)")
        default: throw .system(call: "connect", errno: outcome)
        }
    }
}

/// The system's words for an `errno`.
func systemMessage(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
