// `stockade top` in a pipe, against a server that sells meanwhile.

import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("stockade top")
    struct TopTests {
        @Test("It writes a block a look: what was asked, refused and sold since the look before, and what expires soon")
        func blocks() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                guard case .tcp(_, let port) = server.address else { throw Failure("no TCP address") }
                let connection = try server.connect()
                let setUp = ["CREATE phone 100000000", "CREATE shoe 5", "RESERVE h-1 30s shoe 2", "RESERVE h-2 1h shoe 1"]
                _ = try connection.pipeline(setUp)
                let child = try ChildProcess(
                    ServerProcess.executable, ["top", "--port", "\(port)", "--interval", "0.2", "--count", "2"])
                // Sells until both blocks are there, so that each look falls into the sale.
                var orders = 0
                while !(try hasEnded(child)) {
                    let batch = (orders..<(orders + 50)).map { "DEDUCT o-\($0) phone 2" } + ["GET nosuch"]
                    for reply in try connection.pipeline(batch).dropLast() { #expect(!reply.isRefusal) }
                    orders += 50
                }
                #expect(try child.waitForExit(within: EndToEnd.patience) == .exited(0))
                let output = child.text(.output)
                let blocks = output.components(separatedBy: "\n\nstockade ")
                #expect(blocks.count == 2, "\(output)")
                for block in blocks {
                    let rows = block.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                    #expect(rows.contains { $0.first == "DEDUCT" && ($0.dropFirst().first ?? "0.0") != "0.0" }, "\(block)")
                    #expect(rows.contains { $0.first == "-NOSKU" }, "\(block)")
                    #expect(rows.contains { $0.first == "phone" && $0.last == "selling" }, "\(block)")
                    #expect(rows.contains { $0.first == "h-1" } && !rows.contains { $0.first == "h-2" }, "\(block)")
                }
                #expect(!output.contains("\u{1B}"))
            }
        }

        private func hasEnded(_ child: ChildProcess) throws -> Bool {
            (try? child.waitForExit(within: .milliseconds(5))) != nil
        }

        @Test("Where nobody listens the exit status is 69")
        func unreachable() throws {
            let directory = try TestDirectory()
            let result = try ChildProcess.run(
                ServerProcess.executable, ["top", "--unix", directory.appending("no.sock"), "--count", "1"])
            #expect(result.status == .exited(69))
        }
    }
}
