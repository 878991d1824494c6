// A program started by a test. Its output is read all the time by threads of its own, so that it never stands
// still because nobody listens, and it is always reaped: at the latest when the object that stands for it goes,
// the program is killed by its pid.

import Foundation

/// How a program ended.
enum ExitStatus: Equatable, CustomStringConvertible {
    case exited(Int32)
    case killed(signal: Int32)

    var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .killed(let signal): "killed by signal \(signal)"
        }
    }
}

/// A running program with its standard output and standard error captured.
final class ChildProcess {
    enum Stream: Int { case output, error }

    let pid: pid_t
    private let record: Record

    /// Starts the program at `path`. It inherits nothing but the environment given and an empty standard input.
    convenience init(
        _ path: String, _ arguments: [String], environment: [String: String] = ChildProcess.environment()
    ) throws {
        var pipes: [[Int32]] = []
        for _ in 0..<2 {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw Failure("pipe: errno \(errno)") }
            // Another child started at the same time must not hold our pipe open.
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            pipes.append(ends)
        }
        defer { for ends in pipes { close(ends[1]) } }
        try self.init(path, arguments, environment: environment, reading: pipes.map { $0[0] }) { actions in
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, pipes[0][1], 1)
            posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 2)
        }
    }

    /// Starts the program at a terminal; all that it shows is its `.output`.
    convenience init(
        _ path: String, _ arguments: [String], environment: [String: String] = ChildProcess.environment(),
        at terminal: PseudoTerminal
    ) throws {
        let screen = fcntl(terminal.near, F_DUPFD_CLOEXEC, 0)
        guard screen >= 0 else { throw Failure("dup: errno \(errno)") }
        try self.init(path, arguments, environment: environment, reading: [screen], leadsSession: true) { actions in
            // The first terminal that the leader of a session opens is its own.
            posix_spawn_file_actions_addopen(&actions, 0, terminal.path, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        }
    }

    /// - Parameters:
    ///   - descriptors: where what the program writes is read; closed in the end.
    ///   - redirect: says what the program's first three descriptors are.
    private init(
        _ path: String, _ arguments: [String], environment: [String: String], reading descriptors: [Int32],
        leadsSession: Bool = false, redirect: (inout posix_spawn_file_actions_t) -> Void
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        redirect(&actions)

        // The threads that run tests block signals, and a child would inherit that: it could not be ended in peace.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // POSIX_SPAWN_SETSID, which the headers show only to GNU sources.
        let session: Int32 = leadsSession ? 0x80 : 0
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | session))

        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, path, &actions, &attributes, &argv, &envp)
        guard result == 0 else {
            for descriptor in descriptors { close(descriptor) }
            throw Failure("cannot start \(path): errno \(result)")
        }
        self.pid = pid
        record = Record(streams: descriptors.count)
        let (child, record) = (pid, record)
        for (index, descriptor) in descriptors.enumerated() {
            Thread.detachNewThread { record.collect(from: descriptor, stream: index) }
        }
        Thread.detachNewThread { record.reap(child) }
    }

    deinit {
        record.signal(pid, SIGKILL)
        _ = try? waitForExit(within: .seconds(10))
    }

    /// The tests' own environment without Stockade's variables, and without the slow backtraces of Swift.
    static func environment(adding extra: [String: String] = [:]) -> [String: String] {
        ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("STOCKADE_") }
            .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
            .merging(extra) { $1 }
    }

    /// Sends a signal, unless the program has ended already.
    func signal(_ number: Int32) { record.signal(pid, number) }

    /// What the program has written so far.
    func text(_ stream: Stream = .error) -> String { record.text(stream.rawValue) }

    /// Waits until what the program wrote satisfies `condition`.
    ///
    /// - Returns: false when the program ended without having written that.
    func awaitText(_ stream: Stream = .error, within time: Duration, where condition: (String) -> Bool) throws -> Bool {
        let came = record.wait(within: time) { record -> Bool? in
            if condition(record.textUnlocked(stream.rawValue)) { return true }
            return record.hasEnded ? false : nil
        }
        guard let came else { throw Failure("awaited text did not come; the program wrote:\n\(text(stream))") }
        return came
    }

    /// Waits until the program has ended and all its output has been read.
    func waitForExit(within time: Duration) throws -> ExitStatus {
        let status = record.wait(within: time) { $0.hasEnded ? $0.status : nil }
        guard let status else { throw Failure("process \(pid) did not end within \(time)") }
        return status
    }

    /// Runs a program to its end.
    static func run(
        _ path: String, _ arguments: [String], environment: [String: String] = ChildProcess.environment(),
        within time: Duration = EndToEnd.patience
    ) throws -> (status: ExitStatus, output: String, error: String) {
        let child = try ChildProcess(path, arguments, environment: environment)
        let status = try child.waitForExit(within: time)
        return (status, child.text(.output), child.text(.error))
    }
}

/// What the threads of a child have found out; everything is guarded by `condition`.
private final class Record: @unchecked Sendable {
    private let condition = NSCondition()
    private var bytes: [[UInt8]] = [[], []]
    private var openStreams: Int
    private(set) var status: ExitStatus?

    init(streams: Int) { openStreams = streams }

    var hasEnded: Bool { status != nil && openStreams == 0 }

    func text(_ stream: Int) -> String {
        condition.withLock { textUnlocked(stream) }
    }

    func textUnlocked(_ stream: Int) -> String { String(decoding: bytes[stream], as: UTF8.self) }

    func signal(_ pid: pid_t, _ number: Int32) {
        // Under the lock, and only before the reaping: the pid is surely still this child's.
        condition.withLock { if status == nil { kill(pid, number) } }
    }

    /// Waits until `question` has an answer; nil when the time has passed.
    func wait<Answer>(within time: Duration, for question: (Record) -> Answer?) -> Answer? {
        let (seconds, attoseconds) = time.components
        let limit = Date(timeIntervalSinceNow: Double(seconds) + Double(attoseconds) * 1e-18)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let answer = question(self) { return answer }
            if !condition.wait(until: limit) { return question(self) }
        }
    }

    func collect(from descriptor: Int32, stream: Int) {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            condition.withLock {
                if count > 0 { bytes[stream].append(contentsOf: buffer[..<count]) } else { openStreams -= 1 }
                condition.broadcast()
            }
            if count <= 0 { break }
        }
        close(descriptor)
    }

    func reap(_ pid: pid_t) {
        var info = siginfo_t()
        // First wait without reaping, so that `signal` can never meet a pid that is another's by now.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        condition.withLock {
            var word: Int32 = 0
            while waitpid(pid, &word, 0) < 0, errno == EINTR {}
            let signal = word & 0x7f
            status = signal == 0 ? .exited((word >> 8) & 0xff) : .killed(signal: signal)
            condition.broadcast()
        }
    }
}
