// `stockade cli`: asks a running server, in one of three ways: one request from the command line, a script from a pipe,
// or a conversation on a terminal. What is said and how it looks is StockConsole's; here are the flags, the streams
// and the exit status.

import ArgumentParser
import CLinux
import Glibc
import StockConnection
import StockConsole
import StockServer

struct Cli: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a running server.",
        discussion: """
            Options come first; everything from the verb on is the request, as Protocol describes it:

              stockade cli GET phone
              stockade cli --json RESERVE o-1 15m phone 2 buyer=ann
              stockade cli < requests.txt          a request a line; blank lines and # comments are passed over
              stockade cli                         a conversation, when it is run in a terminal: Tab completes,
                                                   HELP lists the requests, Ctrl-D ends. Its history is in
                                                   $XDG_STATE_HOME/stockade/history or ~/.stockade_history,
                                                   without what carries a secret

            A script is sent without waiting in between, and replies stand in the order of the requests. It goes on \
            after a refusal, as a warm-up that runs twice must; with --stop nothing is sent after the first one. In a \
            pipe, replies are the lines of the protocol; on a terminal, lists are aligned and coloured (not when \
            NO_COLOR is set). With --json each line of a reply is an object: \
            {"ok":true,"code":"SOLD","id":"o-1","seq":2}.

            --host, --port, --unix and --password-file are also STOCKADE_HOST, STOCKADE_PORT, STOCKADE_UNIX and \
            STOCKADE_PASSWORD_FILE, as for 'serve'. A Unix socket wins over host and port.

            EXIT STATUS
              0   the server did it or answered it (+, :, *)
              1   it refused (-); of a script: at least one request
              64  a flag, a variable or the password file cannot be used, or a word of the request is empty
              69  the server cannot be reached; nothing was asked
              74  the connection was lost, or no reply came in time: what has no reply may have been done.
                  Sending it again with the same id is safe, and tells
              77  the server did not take the password
            """)

    @OptionGroup(title: "Server") var server: ConsoleServerFlags

    @Flag(help: "Print each line of a reply as a JSON object.")
    var json = false

    @Flag(help: "Of a script: send nothing after the first refusal.")
    var stop = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("A verb and its arguments.", valueName: "request"))
    var request: [String] = []

    func run() throws {
        clinux_ignore_sigpipe()
        let target = try server.target()
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let style: ReplyStyle = json ? .json : isTerminal ? .aligned(Palette(isColoured: wantsColours())) : .plain
        do {
            if !request.isEmpty {
                try ask(target, style)
            } else if Terminal.isThere {
                try Conversation(
                    target: target, palette: Palette(isColoured: wantsColours()), style: style,
                    historyPath: LineHistory.standardPath()
                ).run()
            } else {
                try play(target, style)
            }
        } catch let error as ConsoleError {
            throw fail(error.description, ExitCode(error))
        }
    }

    private func ask(_ target: Target, _ style: ReplyStyle) throws {
        let request: RequestText
        do {
            let words = self.request
            request = try RequestText(arguments: words.first == "--" ? Array(words.dropFirst()) : words)
        } catch {
            throw fail(error.description, .usage)
        }
        let connection = try target.connect()
        let reply: Reply
        do {
            reply = try connection.request(request.line, by: .after(target.patience))
        } catch {
            throw ConsoleError.lost(error, unanswered: 1)
        }
        writeAll(STDOUT_FILENO, style.text(of: reply))
        if reply.isRefusal { throw ExitCode.refused }
    }

    private func play(_ target: Target, _ style: ReplyStyle) throws {
        var script = Script(
            from: STDIN_FILENO, to: try target.connect(), patience: target.patience, stopsAtRefusal: stop)
        try script.play { replies in
            writeAll(STDOUT_FILENO, replies.map { style.text(of: $0.reply, answering: $0.line) }.joined())
        }
        guard let first = script.firstRefusal else { return }
        writeAll(
            STDERR_FILENO,
            "stockade: \(script.refusals) of \(script.requests) requests refused, the first on line \(first)\n")
        throw ExitCode.refused
    }
}

struct ConsoleServerFlags: ParsableArguments {
    @Option(help: "Name or address of the server. (default: 127.0.0.1)")
    var host: String?

    @Option(help: "TCP port. (default: 7865)")
    var port: String?

    @Option(help: ArgumentHelp("Connect to a Unix socket instead.", valueName: "path"))
    var unix: String?

    @Option(help: ArgumentHelp("Log in with the one line in this file.", valueName: "path"))
    var passwordFile: String?

    @Option(help: ArgumentHelp("How long to wait for a connection and for a reply.", valueName: "seconds"))
    var timeout: UInt16 = 60

    func validate() throws {
        if timeout == 0 { throw ValidationError("--timeout takes 1 to 65535 seconds") }
    }

    /// The server that flags and variables name.
    func target() throws -> Target {
        let settings = Settings(
            flags: ["host": host, "port": port, "unix": unix, "password-file": passwordFile].compactMapValues { $0 },
            environment: variables())
        do {
            let port = try settings.value("port", "a port, 1 to 65535") { text -> UInt16? in
                UInt16(text).flatMap { $0 > 0 ? $0 : nil }
            }
            // A host that was named beats a Unix socket that only a variable names.
            let namesHost = host != nil || self.port != nil
            let path = unix ?? (namesHost ? nil : settings.text("unix"))
            let password = try settings.text("password-file").map { try PasswordFile(path: $0).password }
            return Target(
                address: path.map { .unix(path: $0) }
                    ?? .tcp(host: settings.text("host") ?? "127.0.0.1", port: port ?? Address.standardPort),
                password: password.map { String(decoding: $0, as: UTF8.self) }, patience: .seconds(Int(timeout)))
        } catch {
            throw fail("\(error)", .usage)
        }
    }

    private func variables() -> [String: String] {
        var variables: [String: String] = [:]
        for name in ["host", "port", "unix", "password-file"].map(Settings.variable(for:)) {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        return variables
    }
}

/// Whether NO_COLOR (no-color.org) and the kind of terminal allow colours.
func wantsColours() -> Bool {
    let isForbidden = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
    let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
    return !isForbidden && !isDumb
}

extension ExitCode {
    /// The server answered with a refusal.
    static let refused = ExitCode(1)

    init(_ error: ConsoleError) {
        switch error {
        case .unreachable: self = .unavailable
        case .lost, .stopped, .stream: self = ExitCode(74)
        case .loginRefused: self = ExitCode(77)
        }
    }
}
