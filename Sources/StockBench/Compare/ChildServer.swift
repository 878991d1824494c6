// A server started for a measurement: a child of this process that is ended by its pid and reaped when its owner
// goes, whatever the reason.

import CLinux
import Glibc
import StockConnection

/// What to start.
enum ServerKind: Equatable, Hashable {
    /// This executable's own `serve`, with a mode of durability.
    case stockade(fsync: String)
    /// Debian's redis-server with AOF everysec.
    case redis
}

/// The programs of a comparison.
public struct ServerPrograms: Sendable {
    /// The path of the stockade executable.
    public let stockade: String
    /// The path of redis-server; nil when it is not needed.
    public let redis: String?

    /// - Parameter needsRedis: whether the measurement starts one.
    /// - Throws: `.missing` when there is no redis-server in PATH.
    public init(stockade: String = "/proc/self/exe", needsRedis: Bool = true) throws(BenchError) {
        // Resolved here: in the child, /proc/self/exe would be the child's.
        var target = [CChar](repeating: 0, count: 4096)
        let count = readlink(stockade, &target, target.count - 1)
        self.stockade =
            count > 0 ? String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : stockade
        guard needsRedis else {
            redis = nil
            return
        }
        let path: String = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/usr/sbin"
        let candidates: [String] = path.split(separator: ":").map { "\($0)/redis-server" }
        let found = candidates.first { access($0, X_OK) == 0 }
        guard let found else {
            throw .missing("redis-server is not in PATH: on Debian, apt-get install redis-server")
        }
        redis = found
    }
}

/// A running server on loopback, with a directory of its own.
struct ChildServer: ~Copyable {
    let address: Address
    private(set) var pid: pid_t
    private let arguments: [String]
    private let directory: TemporaryDirectory

    /// How long a server may take to listen, and to end.
    private static let patience: Int64 = 20_000_000_000

    private init(address: Address, pid: pid_t, arguments: [String], directory: consuming TemporaryDirectory) {
        self.address = address
        self.pid = pid
        self.arguments = arguments
        self.directory = directory
    }

    /// Starts a server and waits until it can be reached.
    ///
    /// - Parameter flags: more of them, for a Stockade.
    static func start(
        _ kind: ServerKind, flags: [String] = [], programs: ServerPrograms, parent: String,
        interrupt: borrowing Interrupt
    ) throws(BenchError) -> ChildServer {
        let directory = try TemporaryDirectory(in: parent)
        let port = try freePort()
        let arguments = arguments(kind, programs: programs, directory: directory.path, port: port) + flags
        let pid = try spawn(arguments, output: "\(directory.path)/output")
        let server = ChildServer(
            address: .tcp(host: "127.0.0.1", port: port), pid: pid, arguments: arguments, directory: directory)
        try server.awaitListening(within: patience, interrupt: interrupt)
        return server
    }

    /// Kills the server without a warning, and starts it again on what it left.
    ///
    /// - Parameter nanoseconds: how long it may read before it listens.
    /// - Returns: nanoseconds from its start until it can be reached.
    mutating func restart(within nanoseconds: Int64, interrupt: borrowing Interrupt) throws(BenchError) -> Int64 {
        Self.end(pid)
        pid = 0
        let start = clinux_monotonic_ns()
        pid = try Self.spawn(arguments, output: "\(directory.path)/output")
        try awaitListening(within: nanoseconds, interrupt: interrupt)
        return clinux_monotonic_ns() - start
    }

    private func awaitListening(within nanoseconds: Int64, interrupt: borrowing Interrupt) throws(BenchError) {
        let giveUp = clinux_monotonic_ns() + nanoseconds
        while (try? Connection(to: address)) == nil {
            if hasEnded || clinux_monotonic_ns() > giveUp {
                throw .server("\(arguments[0]) did not start:\n\(Self.tail(of: "\(directory.path)/output"))")
            }
            if interrupt.hasCome(within: 5) { throw .interrupted }
        }
    }

    /// The child has ended by itself. It is not reaped: until the deinit does that, its pid is nobody else's.
    private var hasEnded: Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == SIGCHLD
    }

    deinit { Self.end(pid) }

    /// Memory of the server that is in RAM, in bytes; 0 when the kernel does not tell.
    var residentBytes: Int {
        let words = readText("/proc/\(pid)/statm").split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Bytes of Redis's append-only file.
    var appendOnlyBytes: Int { TemporaryDirectory.bytes(below: "\(directory.path)/appendonlydir") }

    // MARK: Starting

    private static func arguments(
        _ kind: ServerKind, programs: ServerPrograms, directory: String, port: UInt16
    ) -> [String] {
        switch kind {
        case .stockade(let fsync):
            [
                programs.stockade, "serve", "--host", "127.0.0.1", "--port", "\(port)", "--dir", "\(directory)/data",
                "--fsync", fsync, "--max-clients", "15000", "--log-level", "warning",
            ]
        case .redis:
            // As a shop runs it, but without the rewriting of its file in the middle of a measurement.
            [
                programs.redis ?? "redis-server", "--bind", "127.0.0.1", "--port", "\(port)", "--dir", directory, "--appendonly", "yes",
                "--appendfsync", "everysec", "--save", "", "--auto-aof-rewrite-percentage", "0", "--daemonize", "no",
            ]
        }
    }

    /// A port that nobody listens on now. Somebody could take it before the server does; then that does not start.
    private static func freePort() throws(BenchError) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
        defer { _ = close(descriptor) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard result == 0 else { throw .system(call: "bind", errno: errno) }
        return UInt16(bigEndian: name.sin_port)
    }

    private static func spawn(_ arguments: [String], output: String) throws(BenchError) -> pid_t {
        let file = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system(call: "open \(output)", errno: errno) }
        defer { _ = close(file) }
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        // No STOCKADE_ variable of ours may change what is measured: the child gets what programs need to start.
        let kept: [String] = ["PATH", "LD_LIBRARY_PATH", "HOME"]
        let texts: [String] = kept.compactMap { name in getenv(name).map { "\(name)=" + String(cString: $0) } }
        var variables: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        // However this process ends, also by a kill, no server of it stays behind. A process group of its own keeps a
        // Ctrl-C on the terminal for us: we end the child.
        let pid = clinux_spawn_bound(&words, &variables, file)
        guard pid > 0 else { throw .system(call: "starting \(arguments[0])", errno: errno) }
        return pid
    }

    // MARK: Ending

    /// Ends a child: nothing of its data is wanted any more, so it is killed at once, and reaped.
    private static func end(_ pid: pid_t) {
        // There is none when it could not be started again.
        guard pid > 0 else { return }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    private static func tail(of path: String) -> String {
        readText(path).split(separator: "\n").suffix(10).joined(separator: "\n")
    }
}

/// The first 64 KiB of a file as text; empty when it cannot be read.
func readText(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { _ = close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    var count = 0
    while count < bytes.count {
        let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count) }
        if got <= 0 { break }
        count += got
    }
    return String(decoding: bytes[..<count], as: UTF8.self)
}
