// `stockade serve` as an operator meets it: where it listens, what it refuses, how it stops.

import Foundation
import Glibc
import SeededRandom
import StockConnection
import Testing

extension EndToEnd {
    @Suite("stockade serve")
    struct ServeTests {
        private let directory: TestDirectory
        private let data: String

        init() throws {
            directory = try TestDirectory()
            data = directory.appending("data")
        }

        // MARK: Starting

        @Test("The README's first dialogue: created, sold, the replay, refused")
        func firstDialogue() throws {
            try withServer(directory: data) { server in
                let connection = try server.connect()
                try connection.send(["CREATE phone 3", "DEDUCT o-1 phone 2", "DEDUCT o-1 phone 2", "DEDUCT o-2 phone 2"])
                // As `nc` does at the end of its input.
                connection.shutDownWriting()
                let lines = try connection.receiveUntilClosed(by: .after(EndToEnd.patience))
                #expect(
                    lines == [
                        "+CREATED phone seq=1", "+SOLD o-1 seq=2 available=1", "+SOLD o-1 seq=2 available=1 replay=1",
                        "-INSUFFICIENT phone want=2 available=1 held=0",
                    ])
            }
        }

        @Test("It makes its directory, for its owner only")
        func directoryMode() throws {
            try withServer(directory: data) { _ in
                let mode = try FileManager.default.attributesOfItem(atPath: data)[.posixPermissions] as? Int
                #expect(mode == 0o700)
            }
        }

        @Test("A second server on the same directory does not start, and the first goes on")
        func lock() throws {
            try withServer(directory: data) { server in
                let connection = try server.connect()
                _ = try connection.request("CREATE phone 3")
                let refusal = try ServerProcess.refusal(directory: data)
                #expect(refusal.status != .exited(0))
                #expect(refusal.stderr.contains(data), "which directory is in use is not said:\n\(refusal.stderr)")
                #expect(try connection.request("DEDUCT o-1 phone 1").head.text.hasPrefix("+SOLD"))
            }
        }

        @Test("On a port that is taken it does not start, and leaves a store as it was")
        func portTaken() throws {
            try withServer(directory: data) { server in
                let connection = try server.connect()
                _ = try connection.request("CREATE phone 3")
                #expect(try server.terminate() == .exited(0))
            }
            let other = data + "-other"
            try withServer(directory: other) { server in
                let before = try LogFiles.files(in: data) { _ in true }
                let refusal = try ServerProcess.refusal(directory: data, flags: ["--port", "\(server.port)"])
                #expect(refusal.status == .exited(69), "\(refusal)")
                #expect(!refusal.stderr.contains("recovered"), "the store was opened first:\n\(refusal.stderr)")
                #expect(try LogFiles.files(in: data) { _ in true } == before)
                #expect(try server.connect().request("PING").head.word == "PONG")
            }
        }

        @Test("A start right after a kill waits for the old process to be gone", arguments: 1...3)
        func startAfterKill(round: Int) throws {
            let server = try ServerProcess(directory: data)
            let connection = try server.connect()
            _ = try connection.pipeline((0..<2_000).map { "CREATE sku-\($0) 3" })
            // Not waited for.
            _ = Glibc.kill(server.pid, SIGKILL)
            try withServer(directory: data, flags: ["--port", "\(server.port)"]) { next in
                let line = try next.connect().request("GET sku-1999").head
                #expect(line.word == "STOCK", "\(line)")
            }
        }

        @Test("Beyond loopback it starts only with a password, or when told that this is wanted", arguments: ["0.0.0.0", "::"])
        func insecure(host: String) throws {
            let refusal = try ServerProcess.refusal(directory: data, flags: ["--host", host])
            #expect(refusal.status != .exited(0))
            #expect(refusal.stderr.contains("--password-file") && refusal.stderr.contains("--insecure"), "\(refusal.stderr)")
            #expect(!FileManager.default.fileExists(atPath: data + "/log"), "it has begun a store nevertheless")

            let password = try directory.write("open-sesame\n", to: "password")
            for flags in [["--password-file", password], ["--insecure"]] {
                try withServer(directory: data, flags: ["--host", host] + flags) { server in
                    let status = try server.terminate()
                    #expect(status == .exited(0))
                }
            }
        }

        @Test("Every flag can stand in the environment, and the flag wins over it")
        func environment() throws {
            let password = try directory.write("open-sesame\n", to: "password")
            let socket = directory.appending("s.sock")
            let environment = [
                "STOCKADE_DIR": directory.appending("elsewhere"), "STOCKADE_FSYNC": "always", "STOCKADE_UNIX": socket,
                "STOCKADE_PASSWORD_FILE": password, "STOCKADE_RETENTION": "2h", "STOCKADE_MAX_CLIENTS": "7",
                "STOCKADE_MAX_MEMORY": "512MiB", "STOCKADE_LOG_LEVEL": "info", "STOCKADE_HOST": "0.0.0.0", "STOCKADE_PORT": "1",
            ]
            try withServer(directory: data, environment: environment) { server in
                #expect(FileManager.default.fileExists(atPath: data))
                #expect(!FileManager.default.fileExists(atPath: directory.appending("elsewhere")))
                let connection = try Connection(to: .unix(path: socket))
                #expect(try connection.request("PING").head.text.hasPrefix("-NOAUTH"))
                #expect(try connection.authenticate("open-sesame").head.text == "+OK")
                #expect(try connection.request("STATS").items.contains { $0.text.contains("always") })
            }
        }

        @Test("A setting that it does not understand stops the start, with its name", arguments: [
            ("--fsync", "sometimes"), ("--port", "seventy"), ("--port", "65536"), ("--retention", "soon"), ("--max-clients", "-1"),
            ("--max-memory", "much"), ("--log-level", "loud"), ("--password-file", "/nonexistent/password"),
        ])
        func badSetting(flag: String, value: String) throws {
            let refusal = try ServerProcess.refusal(directory: data, flags: [flag, value])
            #expect(refusal.status != .exited(0))
            #expect(refusal.stderr.contains(flag), "\(refusal.stderr)")
        }

        // MARK: Stopping

        @Test("SIGTERM and SIGINT: what was accepted has been answered, and the exit status is 0", arguments: [SIGTERM, SIGINT])
        func drain(signal: Int32) throws {
            var sold = 0
            try withServer(directory: data) { server in
                let connection = try server.connect()
                _ = try connection.request("CREATE phone 1000000")
                try connection.send((0..<5_000).map { "DEDUCT o-\($0) phone 1" }, by: .after(EndToEnd.patience))
                _ = try connection.receiveReply(by: .after(EndToEnd.patience))
                sold = 1
                #expect(Glibc.kill(server.pid, signal) == 0)
                for line in try connection.receiveUntilClosed(by: .after(EndToEnd.patience)) where line.hasPrefix("+SOLD") { sold += 1 }
                #expect(try server.waitForExit() == .exited(0))
            }
            try withServer(directory: data) { server in
                let line = try server.connect().request("GET phone").head
                #expect(line.number("sold") == Int64(sold), "\(line)")
            }
        }

        @Test("SHUTDOWN answers +BYE and ends the server with exit status 0")
        func shutdown() throws {
            try withServer(directory: data) { server in
                let connection = try server.connect()
                try connection.send(["CREATE phone 3", "SHUTDOWN"])
                let lines = try connection.receiveUntilClosed(by: .after(EndToEnd.patience))
                #expect(lines == ["+CREATED phone seq=1", "+BYE"])
                #expect(try server.waitForExit() == .exited(0))
            }
            try withServer(directory: data) { server in
                let line = try server.connect().request("GET phone").head
                #expect(line.number("onhand") == 3, "\(line)")
            }
        }

        // MARK: Clients

        @Test("A Unix socket serves like TCP, also when a killed server has left it behind")
        func unixSocket() throws {
            let socket = directory.appending("stockade.sock")
            for _ in 0..<2 {
                try withServer(directory: data, flags: ["--unix", socket]) { server in
                    let connection = try Connection(to: .unix(path: socket))
                    #expect(try connection.request("PING hello").head.text == "+hello")
                    try server.kill()
                }
            }
        }

        @Test("With a password, nothing is answered before it, and it is never written anywhere")
        func password() throws {
            let file = try directory.write("open-sesame\n", to: "password")
            try withServer(directory: data, flags: ["--password-file", file, "--log-level", "trace"]) { server in
                let connection = try server.connect()
                for request in ["GET phone", "CREATE phone 3", "STATS"] {
                    #expect(try connection.request(request).head.text.hasPrefix("-NOAUTH"))
                }
                for secret in ["open", "open-sesame-", "OPEN-SESAME", "default open"] {
                    #expect(try connection.authenticate(secret).head.text.hasPrefix("-DENIED"))
                }
                #expect(try connection.authenticate("open-sesame").head.text == "+OK")
                #expect(try connection.request("CREATE phone 3").head.text == "+CREATED phone seq=1")
                #expect(try server.connect().request("GET phone").head.text.hasPrefix("-NOAUTH"))
                let status = try server.terminate()
                #expect(status == .exited(0))
                #expect(!server.stderr.contains("sesame"))
                for segment in try LogFiles.segments(in: data) {
                    #expect(try LogFiles.bytes(of: segment).range(of: Data("sesame".utf8)) == nil)
                }
            }
        }

        @Test("Beyond --max-clients a connection is closed, and there is room again when one has gone")
        func maxClients() throws {
            try withServer(directory: data, flags: ["--max-clients", "2"]) { server in
                var kept = [try server.connect(), try server.connect()]
                for connection in kept { #expect(try connection.request("PING").head.text == "+PONG") }
                let surplus = try server.connect()
                let lines = try surplus.receiveUntilClosed(by: .after(EndToEnd.patience))
                #expect(lines.allSatisfy { $0.hasPrefix("-") })
                #expect(try kept[0].request("PING").head.text == "+PONG")
                #expect(try kept[1].request("QUIT").head.text == "+BYE")
                #expect(try kept[1].receiveUntilClosed(by: .after(EndToEnd.patience)).isEmpty)
                kept.removeLast()
                #expect(try server.connect().request("PING", by: .after(EndToEnd.patience)).head.text == "+PONG")
            }
        }

        @Test("STATS tells of every part of the server")
        func stats() throws {
            try withServer(directory: data) { server in
                let connection = try server.connect()
                _ = try connection.pipeline(["CREATE phone 3", "DEDUCT o-1 phone 1", "GET nothing"])
                let all = try connection.request("STATS")
                #expect(all.items.count > 20)
                for line in all.items { #expect(line.text.hasPrefix("+") && line.text.contains("="), "\(line)") }
                for section in ["server", "clients", "memory", "log", "ledger", "commands", "refusals", "digest"] {
                    let part = try connection.request("STATS \(section)")
                    #expect(!part.items.isEmpty, "STATS \(section): \(part)")
                }
                #expect(try connection.request("STATS nonsense").isRefusal)
            }
        }

        @Test("Bytes that are no requests harm neither the server nor another connection")
        func noise() throws {
            try withServer(directory: data) { server in
                let witness = try server.connect()
                _ = try witness.request("CREATE phone 3")
                var random = SeededGenerator(seed: 3)
                for _ in 0..<(EndToEnd.isThorough ? 2_000 : 100) {
                    let connection = try server.connect()
                    let starts = ["", "*3\r\n$", "*-7\r\n", "*1000000\r\n", "$5\r\n", "GET ", "DEDUCT o-1 phone ", "*2\r\n$4\r\nPING\r\n$9"]
                    var bytes = Array(starts[Int.random(in: starts.indices, using: &random)].utf8)
                    for _ in 0..<Int.random(in: 0...600, using: &random) { bytes.append(UInt8.random(in: 0...255, using: &random)) }
                    do {
                        try connection.send(bytes: bytes[...])
                        connection.shutDownWriting()
                        _ = try connection.receiveUntilClosed(by: .after(EndToEnd.patience))
                    } catch ConnectionError.closed {
                        // Its right, after the first request that cannot be read.
                    }
                    #expect(try witness.request("PING").head.text == "+PONG")
                }
                #expect(try witness.request("GET phone").head.number("held") == 0)
            }
        }
    }
}
