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

            /// Waits until all of `texts` have been shown, in this order.
            ///
            /// - Parameter mark: bytes at the beginning that are not looked at.
            func see(_ texts: String..., after mark: Int = 0) throws {
                let came = try child.awaitText(.output, within: EndToEnd.patience) { screen in
                    var rest = Substring(decoding: screen.utf8.dropFirst(mark), as: UTF8.self)
                    return texts.allSatisfy { text in
                        guard let place = rest.range(of: text) else { return false }
                        rest = rest[place.upperBound...]
                        return true
                    }
                }
                guard came else { throw Failure("\(texts) were not shown; the program has ended") }
            }

            /// Types, and waits until `text` is shown.
            func type(_ keys: String, until text: String) throws {
                let mark = screen.utf8.count
                try terminal.type(keys)
                try see(text, after: mark)
            }

            /// Types a request, and waits for its reply and for the next prompt: only then are keys read again.
            func ask(_ keys: String, until reply: String) throws {
                let mark = screen.utf8.count
                try terminal.type(keys + "\r")
                try see(reply, "> ", after: mark)
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
                do { try body(seat, server, directory) } catch { throw Failure("\(error)\n--- shown:\n\(seat.screen.suffix(4_000))") }
            }
        }

        @Test("Tab completes a verb, the hint says what comes next, and the reply stands under the request")
        func completion() throws {
            try withSeat(["cli"]) { seat, _, _ in
                try seat.see("> ")
                // Only RESERVE begins so, and what it expects is shown behind it.
                try seat.type("res\t", until: "id ttl sku qty")
                try seat.type("o-1 15m phone 2", until: "[buyer=b]")
                try seat.type(" bu\t", until: "buyer=")
                try seat.ask("ann", until: "expires")
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
                try seat.see("> ")
                try seat.ask("GET phone", until: "available")
                try seat.ask("AUTH hunter2", until: "+OK")
                #expect(!seat.screen.contains("hunter2") && seat.screen.contains("*******"))
                try seat.ask("GET shoe", until: "available")
                try seat.ask("\u{1B}[A\u{1B}[A", until: "available")
                try seat.terminal.type("\u{04}")
                #expect(try seat.child.waitForExit(within: EndToEnd.patience) == .exited(0))

                let next = try Seat(server, ["cli"], home: directory.path)
                try next.see("> ")
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
                    try seat.see("> ")
                    try seat.ask("GET nosuch", until: "NOSKU")
                    try seat.terminal.type("\u{04}")
                    _ = try seat.child.waitForExit(within: EndToEnd.patience)
                    #expect(seat.screen.contains("\u{1B}[31m") == isColoured, "\(seat.screen.debugDescription)")
                }
            }
        }

        @Test("top has the screen to itself, shows what is sold, leaves at q, and gives the screen back")
        func top() throws {
            try withSeat(["top", "--interval", "0.1"]) { seat, server, _ in
                // What is sold shows as a difference between two looks: the first must have been taken.
                try seat.see("\u{1B}[?1049h", "COMMAND")
                let connection = try server.connect()
                _ = try connection.pipeline(["DEDUCT o-1 phone 2", "RESERVE h-1 30s shoe 2", "GET nosuch"])
                try seat.see("phone")
                try seat.see("h-1")
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
                try seat.see("COMMAND")
                seat.child.signal(SIGTERM)
                #expect(try seat.child.waitForExit(within: EndToEnd.patience) == .killed(signal: SIGTERM))
                #expect(seat.screen.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
                #expect(seat.terminal.isCooked)
            }
        }
    }
}
