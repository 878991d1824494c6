// `stockade cli` and `stockade top` at a terminal, typed at key by key.

import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("At a terminal")
    struct TerminalTests {
        /// A program of the executable at a terminal of its own.
        private struct Seat {
            let terminal: PseudoTerminal
            let child: ChildProcess

            init(
                _ server: ServerProcess, _ arguments: [String], home: String, environment: [String: String] = [:]
            ) throws {
                guard case .tcp(_, let port) = server.address else { throw Failure("no TCP address") }
                terminal = try PseudoTerminal(columns: 100, rows: 30)
                let own = ["HOME": home, "TERM": "xterm", "STOCKADE_PORT": "\(port)", "NO_COLOR": "", "XDG_STATE_HOME": ""]
                child = try ChildProcess(
                    ServerProcess.executable, arguments,
                    environment: ChildProcess.environment(adding: own.merging(environment) { $1 }), at: terminal)
            }

            /// Everything shown since the beginning.
            var screen: String { child.text(.output) }

            /// Waits until `text` has been shown behind the first `mark` characters.
            func awaitText(_ text: String, after mark: Int = 0) throws {
                guard try child.awaitText(.output, within: EndToEnd.patience, where: { $0.dropFirst(mark).contains(text) })
                else { throw Failure("'\(text)' was not shown; the program has ended:\n\(screen)") }
            }

            /// Types, and waits until `text` is shown behind what stood there before.
            func type(_ keys: String, until text: String) throws {
                let mark = screen.count
                try terminal.type(keys)
                try awaitText(text, after: mark)
            }
        }

        /// A server and a home directory.
        private func withSeat(
            _ arguments: [String], environment: [String: String] = [:], _ body: (Seat, ServerProcess, TestDirectory) throws -> Void
        ) throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                _ = try server.connect().pipeline(["CREATE phone 3", "CREATE shoe 5"])
                let seat = try Seat(server, arguments, home: directory.path, environment: environment)
                do { try body(seat, server, directory) } catch { throw Failure("\(error)\n--- shown:\n\(seat.screen)") }
            }
        }

        @Test("Tab completes a verb, the hint says what comes next, and the reply stands under the request")
        func completion() throws {
            try withSeat(["cli"]) { seat, _, _ in
                try seat.awaitText("> ")
                // Only RESERVE begins so, and what it expects is shown behind it.
                try seat.type("res\t", until: "id ttl sku qty")
                try seat.type("o-1 15m phone 2", until: "[buyer=b]")
                try seat.type(" bu\t", until: "buyer=")
                try seat.type("ann\r", until: "expires")
                #expect(seat.screen.contains("HELD"))
                // Two verbs begin with RE; the second Tab lists them.
                try seat.type("RE\t\t", until: "RETURN")
                try seat.terminal.type("\u{15}\u{04}")
                #expect(try seat.child.waitForExit(within: EndToEnd.patience) == .exited(0))
                #expect(seat.terminal.isCooked)
            }
        }

        @Test("The arrow brings earlier requests back, also those of an earlier conversation, but never a secret")
        func history() throws {
            try withSeat(["cli"]) { seat, server, directory in
                try seat.awaitText("> ")
                try seat.type("GET phone\r", until: "available")
                try seat.type("AUTH hunter2\r", until: "DENIED")
                #expect(!seat.screen.contains("hunter2") && seat.screen.contains("*******"))
                try seat.type("GET shoe\r", until: "shoe")
                try seat.type("\u{1B}[A\u{1B}[A\r", until: "phone")
                try seat.terminal.type("\u{04}")
                #expect(try seat.child.waitForExit(within: EndToEnd.patience) == .exited(0))

                let next = try Seat(server, ["cli"], home: directory.path)
                try next.awaitText("> ")
                try next.type("\u{1B}[A", until: "GET phone")
                try next.type("\u{1B}[A", until: "GET shoe")
                try next.terminal.type("\u{03}\u{04}")
                #expect(try next.child.waitForExit(within: EndToEnd.patience) == .exited(0))
                let kept = try String(contentsOfFile: directory.appending(".stockade_history"), encoding: .utf8)
                #expect(kept == "GET phone\nGET shoe\nGET phone\n")
            }
        }

        @Test("Replies have colours, unless NO_COLOR says otherwise")
        func colours() throws {
            for (value, isColoured) in [("", true), ("1", false)] {
                try withSeat(["cli"], environment: ["NO_COLOR": value]) { seat, _, _ in
                    try seat.awaitText("> ")
                    try seat.type("GET nosuch\r", until: "NOSKU")
                    try seat.terminal.type("\u{04}")
                    _ = try seat.child.waitForExit(within: EndToEnd.patience)
                    #expect(seat.screen.contains("\u{1B}[31m") == isColoured, "\(seat.screen.debugDescription)")
                }
            }
        }

        @Test("top has the screen to itself, shows what is sold, leaves at q, and gives the screen back")
        func top() throws {
            try withSeat(["top", "--interval", "0.1"]) { seat, server, _ in
                try seat.awaitText("\u{1B}[?1049h")
                let connection = try server.connect()
                _ = try connection.pipeline(["DEDUCT o-1 phone 2", "RESERVE h-1 30s shoe 2", "GET nosuch"])
                try seat.awaitText("phone")
                try seat.awaitText("h-1")
                #expect(!seat.terminal.isCooked)
                try seat.terminal.type("q")
                #expect(try seat.child.waitForExit(within: EndToEnd.patience) == .exited(0))
                #expect(seat.screen.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
                #expect(seat.terminal.isCooked)
            }
        }

        @Test("top that is ended by a signal gives the screen back too")
        func topEnded() throws {
            try withSeat(["top", "--interval", "0.1"]) { seat, _, _ in
                try seat.awaitText("phone")
                seat.child.signal(SIGTERM)
                #expect(try seat.child.waitForExit(within: EndToEnd.patience) == .killed(signal: SIGTERM))
                #expect(seat.screen.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
                #expect(seat.terminal.isCooked)
            }
        }
    }
}
