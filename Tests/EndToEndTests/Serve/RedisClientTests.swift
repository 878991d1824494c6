// The stock command-line clients of Redis, unchanged, against our server.

import StockConnection
import Testing

/// Are the tools of Redis here?
enum RedisTools {
    /// Why they cannot be used, or nil.
    static let obstacle: String? = {
        for tool in ["redis-cli", "redis-benchmark"] {
            guard let result = try? ChildProcess.run(tool, ["--version"]), result.status == .exited(0) else {
                return "\(tool) is not installed"
            }
        }
        return nil
    }()
}

extension EndToEnd {
    @Suite("Clients of Redis", .enabled(if: RedisTools.obstacle == nil, Comment(rawValue: RedisTools.obstacle ?? "")))
    struct RedisClientTests {
        private func run(_ tool: String, _ server: ServerProcess, _ arguments: [String]) throws -> String {
            guard case .tcp(let host, let port) = server.address else { throw Failure("no TCP address") }
            let result = try ChildProcess.run(tool, ["-h", host, "-p", "\(port)"] + arguments, within: EndToEnd.patience)
            guard result.status == .exited(0) else { throw Failure("\(tool): \(result)") }
            return result.output
        }

        @Test("redis-cli holds, confirms and is refused, in RESP2 and RESP3")
        func cli() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                let dialogue: [([String], reply: String)] = [
                    (["PING"], "PONG"), (["CREATE", "phone", "3"], "CREATED phone seq=1"),
                    (["RESERVE", "o-9", "15m", "phone", "1"], "HELD o-9 seq=2 available=2 expires="),
                    (["-3", "CONFIRM", "o-9"], "SOLD o-9 seq=3"),
                    (["DEDUCT", "o-10", "phone", "9"], "INSUFFICIENT phone want=9 available=2 held=0"),
                    (["MGET", "phone", "car"], "STOCK phone available=2 held=0 sold=1 onhand=2"),
                ]
                for (arguments, reply) in dialogue {
                    let output = try run("redis-cli", server, arguments)
                    #expect(output.hasPrefix(reply), "\(arguments)")
                }
            }
        }

        @Test("redis-benchmark sells")
        func benchmark() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                let connection = try server.connect()
                _ = try connection.request("CREATE bench 1000000000")
                let output = try run(
                    "redis-benchmark", server,
                    ["-n", "20000", "-r", "1000000000", "-P", "16", "-q", "DEDUCT", "o-__rand_int__", "bench", "1"])
                #expect(output.contains("requests per second"), "\(output)")
                // A few of the random ids may have come twice.
                let sold = try #require(try connection.request("GET bench").head.number("sold"))
                #expect((19_900...20_000).contains(sold))
            }
        }
    }
}
