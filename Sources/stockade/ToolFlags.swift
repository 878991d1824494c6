// What the tools have in common: where the server is, where its directory is, how they show that they are at work, and
// how they end.

import ArgumentParser
import CLinux
import Glibc
import StockConnection
import StockInput
import StockTools

struct ServerFlags: ParsableArguments {
    @Option(help: ArgumentHelp("The server: HOST:PORT, [IPV6]:PORT or unix:PATH.", valueName: "address"))
    var server = "127.0.0.1:7865"

    @Option(help: ArgumentHelp("Log in with the one line in this file.", valueName: "path"))
    var passwordFile: String?

    func connect() throws -> LiveServer {
        do {
            let password = try passwordFile.map { try PasswordFile(path: $0).password }
            return try LiveServer(Address(server), password: password)
        } catch ConnectionError.badAddress(let text) {
            throw ToolError(.usage, ConnectionError.badAddress(text).description)
        } catch let error as PasswordFileError {
            throw ToolError(.usage, error.description)
        }
    }

    /// The server that has `store`, or nil with a warning why not.
    func server(of store: StoreFiles) throws -> LiveServer? {
        guard store.isServed else { return nil }
        do {
            let live = try connect()
            if try live.serves(store) { return live }
            warn("\(server) is not the server of \(store.path); name it with --server")
        } catch let error as ToolError where error.kind == .unreachable {
            warn("\(store.path) is being served, but not from where --server says: \(error)")
        }
        return nil
    }
}

struct DirectoryFlag: ParsableArguments {
    @Option(help: ArgumentHelp("The server's directory.", valueName: "path"))
    var dir = "stockade-data"

    func open() throws -> StoreFiles {
        do {
            return try StoreFiles(dir)
        } catch {
            throw ToolError(error)
        }
    }
}

extension ExitCode {
    /// A tool did what it could, and that was not all: rows that were not loaded, differences, nothing found.
    static let incomplete = ExitCode(1)
    /// `reconcile`: the repair was not begun.
    static let repairRefused = ExitCode(2)
}

/// Runs a tool's work and turns an error into its message and exit status.
func conclude(_ work: () throws -> Void) throws {
    // `| head` closes the pipe; that is the end of the work and no failure.
    clinux_ignore_sigpipe()
    do {
        try work()
    } catch let code as ExitCode {
        throw code
    } catch {
        let failure = ToolError(error)
        throw fail(failure.description, ExitCode(failure.kind.rawValue))
    }
}

func warn(_ text: String) {
    writeAll(STDERR_FILENO, "stockade: \(text)\n")
}

/// `1234567` as `1,234,567`.
func grouped(_ number: some BinaryInteger) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
        if index > 0, index.isMultiple(of: 3) { text.append(",") }
        text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
}

/// `1 SKU`, `2 SKUs`.
func counted(_ number: some BinaryInteger, _ one: String, _ many: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? one : many ?? one + "s")"
}

/// One line on a terminal's standard error, written over as the work goes on. In a pipe there is none.
final class ProgressLine {
    /// Work that is shorter needs none.
    private static let silence: Int64 = 300_000_000
    private static let interval: Int64 = 100_000_000
    private static let width = 28

    private let isShown = isatty(STDERR_FILENO) == 1
    private let began = clinux_monotonic_ns()
    private var drawn: Int64 = 0

    /// - Parameter share: what is done of the whole, 0…1; nil if that is not known.
    func update(_ share: Double?, _ text: @autoclosure () -> String) {
        guard isShown else { return }
        let now = clinux_monotonic_ns()
        guard now - began >= Self.silence, now - drawn >= Self.interval else { return }
        drawn = now
        var bar = ""
        if let share {
            let full = Int(min(1, max(0, share)) * Double(Self.width))
            let percent = Int(min(1, max(0, share)) * 100)
            let done = String(repeating: "#", count: full)
            bar = "[\(done)\(String(repeating: ".", count: Self.width - full))] \(percent)%  "
        }
        writeAll(STDERR_FILENO, "\r\(bar)\(text())\u{1B}[K")
    }

    /// Takes the line away again.
    func clear() {
        if drawn > 0 { writeAll(STDERR_FILENO, "\r\u{1B}[K") }
        drawn = 0
    }

    /// Seconds since the work began.
    var seconds: Double { Double(clinux_monotonic_ns() - began) / 1e9 }
}

/// An object of JSON on one line, its members in the order in which they are given.
struct JSONLine {
    private var text = ""

    private mutating func add(_ name: String, raw: String) {
        text += "\(text.isEmpty ? "{" : ",")\"\(name)\":\(raw)"
    }

    mutating func add(_ name: String, _ value: some BinaryInteger) { add(name, raw: String(value)) }
    mutating func add(_ name: String, _ value: Bool) { add(name, raw: value ? "true" : "false") }
    mutating func add(_ name: String, _ value: String) { add(name, raw: JSONText.quoted(value)) }
    mutating func add(_ name: String, _ values: [JSONLine]) {
        add(name, raw: "[" + values.map { $0.line.dropLast() }.joined(separator: ",") + "]")
    }
    mutating func add(_ name: String, strings: [String]) {
        add(name, raw: "[" + strings.map(JSONText.quoted).joined(separator: ",") + "]")
    }

    /// Left out when there is none.
    mutating func add(_ name: String, ifAny value: (some BinaryInteger)?) { if let value { add(name, value) } }
    mutating func add(_ name: String, ifAny value: String?) { if let value { add(name, value) } }

    var line: String { (text.isEmpty ? "{" : text) + "}\n" }
}
