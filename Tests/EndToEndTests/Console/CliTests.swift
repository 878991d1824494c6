// `stockade cli` against a real server: one request, scripts, JSON, exit statuses. Conversations need a terminal; their
// parts are tested as tables in StockConsoleTests.

import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("stockade cli")
    struct CliTests {
        typealias Outcome = (status: ExitStatus, output: String, error: String)

        /// Runs `stockade cli` against `server`, with the script as its standard input.
        private func cli(_ server: ServerProcess, _ arguments: [String], script: String = "") throws -> Outcome {
            guard case .tcp(_, let port) = server.address else { throw Failure("no TCP address") }
            let directory = try TestDirectory()
            let file = try directory.write(script, to: "script")
            return try ChildProcess.run(
                "/bin/sh", ["-c", "input=$1; shift; exec \"$0\" \"$@\" <\"$input\"", ServerProcess.executable, file, "cli"] + arguments,
                environment: ChildProcess.environment(adding: ["STOCKADE_PORT": "\(port)"]))
        }

        @Test("One request prints its reply, and the exit status says whether it was done")
        func oneShot() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                let created = try cli(server, ["CREATE", "phone", "3"])
                #expect(created.output == "+CREATED phone seq=1\n")
                #expect(created.status == .exited(0))
                // What looks like a flag belongs to the request once the verb was said.
                #expect(try cli(server, ["ADJUST", "a-1", "phone", "-1"]).output == "+ADJUSTED a-1 onhand=2 seq=2\n")
                let refused = try cli(server, ["GET", "nosuch"])
                #expect(refused.output == "-NOSKU nosuch\n")
                #expect(refused.status == .exited(1))
                let json = try cli(server, ["--json", "DEDUCT", "7", "phone", "1"])
                #expect(json.output == #"{"ok":true,"code":"SOLD","id":"7","seq":3,"available":1}"# + "\n")
                let page = try cli(server, ["SKUS"])
                #expect(page.output.split(separator: "\n").map { $0.prefix(6) } == ["*2", "+STOCK", "+END"])
                #expect(page.status == .exited(0))
            }
        }

        @Test("A word that is empty stops the request before it can mean more than it should")
        func emptyWord() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                let result = try cli(server, ["CONFIRM", "o-1", ""])
                #expect(result.status == .exited(64))
                #expect(result.error == "stockade: word 3 of the request is empty\n")
            }
        }

        @Test("A script is answered in order, goes on after refusals, and tells of them at its end")
        func script() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                let script = "# warm-up\nCREATE phone 3\n\nCREATE phone 3\r\nPING a\nQUIT\nPING b\n"
                let result = try cli(server, [], script: script)
                #expect(result.output == "+CREATED phone seq=1\n-EXISTS phone onhand=3\n+a\n+BYE\n")
                #expect(result.error == "stockade: 1 of 4 requests refused, the first on line 4\n")
                #expect(result.status == .exited(1))
                let json = try cli(server, ["--json"], script: "PING\nPING x")
                #expect(json.output == "{\"ok\":true,\"code\":\"PONG\",\"line\":1}\n{\"ok\":true,\"code\":\"x\",\"line\":2}\n")
                #expect(json.status == .exited(0))
            }
        }

        @Test("With --stop nothing is sent after the first refusal")
        func stop() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                let result = try cli(server, ["--stop"], script: "CREATE a 1\nGET nosuch\nCREATE b 1\n")
                #expect(result.output == "+CREATED a seq=1\n-NOSKU nosuch\n")
                #expect(result.status == .exited(1))
                #expect(try server.connect().request("GET b").head.text == "-NOSKU b")
            }
        }

        @Test("Far more requests than may be unanswered at a time all get their replies, long ones too")
        func pipeline() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                // An order of 1,024 SKUs of 60 bytes is longer than what may wait: it goes alone.
                let skus = (0..<1_024).map { String(repeating: "s", count: 55) + "\(10_000 + $0)" }
                let order = "DEDUCT big " + skus.map { "\($0) 1" }.joined(separator: " ")
                let requests =
                    skus.map { "CREATE \($0) 5" } + [order] + (0..<5_000).map { "PING p-\($0)" }
                    + (0..<30).map { _ in "SKUS count=1000" }
                let result = try cli(server, [], script: requests.joined(separator: "\n"))
                let lines = result.output.split(separator: "\n")
                #expect(result.status == .exited(0), "\(result.error)")
                #expect(lines.count == 1_024 + 1 + 5_000 + 30 * 1_002)
                #expect(lines[1_024].hasPrefix("+SOLD big "))
                #expect(lines[1_025..<6_025].elementsEqual((0..<5_000).map { "+p-\($0)" }))
            }
        }

        @Test("A password file logs in; a wrong one is told by the exit status")
        func password() throws {
            let directory = try TestDirectory()
            let right = try directory.write("hunter2\n", to: "right")
            let wrong = try directory.write("hunter3\n", to: "wrong")
            try withServer(directory: directory.appending("data"), flags: ["--password-file", right]) { server in
                #expect(try cli(server, ["--password-file", right, "PING"]).output == "+PONG\n")
                let refused = try cli(server, ["--password-file", wrong, "PING"])
                #expect(refused.status == .exited(77))
                #expect(!refused.error.contains("hunter"))
                #expect(try cli(server, ["GET", "phone"]).status == .exited(1))
            }
        }

        @Test("Where nobody listens nothing was asked, and the exit status is 69")
        func unreachable() throws {
            let directory = try TestDirectory()
            let result = try ChildProcess.run(
                ServerProcess.executable, ["cli", "--unix", directory.appending("no.sock"), "PING"])
            #expect(result.status == .exited(69))
            #expect(result.output.isEmpty)
        }
    }
}
