// The loop is tested one turn at a time, on one thread: clients are sockets that the kernel connects without the
// server's help, so what a turn did can be looked at before the next one begins, and nothing depends on how fast
// the machine is.

import CLinux
import Glibc
import Logging
import StockModel
import Synchronization
import Testing

@testable import StockJournal
@testable import StockServer

/// A directory for one test, removed when the object goes; in memory where the machine has such a place.
final class Sandbox {
    let path: String

    init() throws {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/stockade-server-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } != nil }
        try #require(made, "no temporary directory")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Sandbox.removeAll(path) }

    var socket: String { "\(path)/socket" }

    private static func removeAll(_ path: String) {
        if unlink(path) == 0 { return }
        var names: [String] = []
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                names.append(
                    withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                    })
            }
            closedir(stream)
        }
        for name in names where name != "." && name != ".." { removeAll("\(path)/\(name)") }
        rmdir(path)
    }

    /// A server on a new store in this directory, on a port that the kernel chooses.
    ///
    /// - Parameter calls: what the journal calls instead of the kernel.
    func server(
        calls: SystemCalls? = nil, _ configure: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> Server {
        var configuration = ServerConfiguration()
        configuration.directory = "\(path)/store"
        configuration.port = 0
        configuration.segmentSize = 1 << 20
        configure(&configuration)
        var store = try Store(opening: configuration)
        if let calls {
            var options = configuration.journalOptions
            options.calls = calls
            store.journal = try JournalWriter(opening: store.directory, options: options) { _ in }
        }
        return try Server(
            configuration: configuration, store: store, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

extension Server {
    /// Makes turns until `isDone`, which must be within a bounded number of them; none waits for ever.
    mutating func turn(
        until isDone: (inout Server) -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for _ in 0..<4_000 {
            if isDone(&self) { return }
            turnSoon()
        }
        let done = isDone(&self)
        #expect(done, "not so after many turns", sourceLocation: sourceLocation)
    }

    /// One turn that does not wait long if there is nothing to do.
    mutating func turnSoon() {
        // This timer only wakes the loop; each turn sets it anew.
        let soon = clinux_monotonic_ns() + 5_000_000
        timers.set(.expiry, at: min(soon, timers.deadline(.expiry) ?? soon))
        turn()
    }
}

extension ConnectionTable {
    /// The open connection with the highest descriptor.
    mutating func newest() -> UnsafeMutablePointer<Connection>? {
        var found: UnsafeMutablePointer<Connection>?
        forEach { _, connection in found = connection }
        return found
    }
}

/// A client's end: a socket that never blocks.
final class TestClient {
    let descriptor: Int32
    /// Everything that has come so far.
    private(set) var received: [UInt8] = []
    private var lineEnds = 0
    private(set) var isClosed = false
    /// The connection ended with an error instead of an orderly end.
    private(set) var wasReset = false

    /// Connects to the server's port.
    init(to server: borrowing Server, receiveBuffer: Int32? = nil) throws {
        descriptor = clinux_socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = server.port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let descriptor = descriptor
        let status = withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                connect(descriptor, $0.baseAddress, socklen_t(bytes.count)) == 0 ? 0 : errno
            }
        }
        try #require(status == 0 || status == EINPROGRESS)
    }

    deinit { close() }

    private var isOpen = true

    func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }

    /// Sends all of it, or as much as the kernel takes; how many bytes that was.
    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)[...]) }

    func send(_ bytes: ArraySlice<UInt8>) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.dropFirst(sent).withUnsafeBytes { clinux_send(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            sent += count
        }
        return sent
    }

    func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Takes in what is there.
    func takeIn() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !isClosed {
            let count = clinux_recv(descriptor, &buffer, buffer.count)
            if count > 0 {
                received += buffer[..<count]
                lineEnds += countLineEnds(buffer, count)
            } else if count == 0 {
                isClosed = true
            } else if errno != EINTR {
                if errno != EAGAIN {
                    isClosed = true
                    wasReset = true
                }
                return
            }
        }
    }

    /// The lines that have come whole so far.
    var lines: [String] {
        takeIn()
        return String(decoding: received, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
            .dropLast().map(String.init)
    }

    var lineCount: Int {
        takeIn()
        return lineEnds
    }

    /// By memchr: a test may receive millions of them, in a build that is not optimised.
    private func countLineEnds(_ bytes: [UInt8], _ count: Int) -> Int {
        bytes.withUnsafeBytes { bytes in
            var found = 0
            var offset = 0
            while offset < count, let base = bytes.baseAddress,
                let end = memchr(base + offset, Int32(UInt8(ascii: "\n")), count - offset)
            {
                found += 1
                offset = UnsafeRawPointer(end) - base + 1
            }
            return found
        }
    }
}

/// A number that the journal's threads and a test share.
final class SharedNumber: Sendable {
    private let number: Atomic<Int32>

    init(_ value: Int32 = 0) { number = Atomic(value) }

    var value: Int32 {
        get { number.load(ordering: .acquiring) }
        set { number.store(newValue, ordering: .releasing) }
    }
}
