// The real orders as a rehearsal: proven on a server that does what it says, also across a crash, and not proven as
// soon as somebody changes the stock behind its back.

import Foundation
import StockConnection
import StockRehearsal
import Testing

extension EndToEnd {
    @Suite("Rehearsals")
    struct RehearsalTests {
        private static func options(_ server: ServerProcess) throws -> RehearsalOptions {
            var options = RehearsalOptions(address: server.address)
            options.clients = 16
            options.abandon = try #require(Share("20%"))
            options.retry = try #require(Share("5%"))
            options.abandonedHold = 500
            return options
        }

        @Test("The command plays the real orders, some abandoned, some sent again, and proves the result")
        func command() throws {
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                guard case .tcp(let host, let port) = server.address else { throw Failure("no TCP address") }
                let file = RealOrdersTests.file.path
                // Twice on the same server: runs do not get into each other's way.
                for _ in 0..<2 {
                    let run = try ChildProcess.run(
                        ServerProcess.executable,
                        ["rehearse", "--orders", file, "--host", host, "--port", "\(port)", "--abandon", "20%", "--retry", "5%"])
                    #expect(run.status == .exited(0), "\(run.output)")
                    #expect(run.error == "")
                    #expect(run.output.contains("PROVEN: nothing was oversold, nothing was lost: all counters of 1,602 SKUs"))
                    #expect(run.output.contains("  refused                  0\n"))
                    #expect(!run.output.contains("\u{1B}"))
                }
            }
        }

        @Test("With half the stock some orders are refused, and the books still agree")
        func half() throws {
            let directory = try TestDirectory()
            let orders = try RealOrdersTests.orders()
            let lines = orders.unitsSold.map { "\($0.key),\($0.value / 2)" }.joined(separator: "\n")
            let stock = try StockFile(Array("sku,quantity\n\(lines)\n".utf8))
            try withServer(directory: directory.appending("data")) { server in
                let result = try Rehearsal(orders, stock: stock, options: Self.options(server)).run()
                #expect(result.isProven, "\(result.proof) \(result.account.wrongExamples)")
                #expect(result.account.refusedOrders > 0)
                #expect(result.account.abandoned > 0)
                #expect(result.account.repeated > 0)
                #expect(result.ordersPlayed == 307)
            }
        }

        @Test("A single unit that comes in or goes out behind its back makes the proof fail", arguments: [1, -1])
        func planted(_ delta: Int) throws {
            let directory = try TestDirectory()
            let orders = try RealOrdersTests.orders()
            try withServer(directory: directory.appending("data")) { server in
                var options = try Self.options(server)
                options.prefix = "rehearsal/"
                let connection = try server.connect()
                let rehearsal = try Rehearsal(orders, stock: nil, options: options)
                var planted: Reply?
                let result = try rehearsal.run { progress in
                    guard progress.stage == .awaitingExpiry else { return }
                    planted = try? connection.request("ADJUST planted rehearsal/85123A \(delta) force=1")
                }
                #expect(planted?.head.word == "ADJUSTED")
                #expect(!result.isProven)
                #expect(result.proof.differences.map(\.sku) == ["85123A"])
            }
        }

        @Test("A sale behind its back makes the proof fail")
        func plantedSale() throws {
            let directory = try TestDirectory()
            let orders = try RealOrdersTests.orders()
            try withServer(directory: directory.appending("data")) { server in
                var options = try Self.options(server)
                (options.prefix, options.abandon) = ("rehearsal/", .none)
                let connection = try server.connect()
                // What came back is there to be sold.
                let sku = try #require(orders.unitsGivenBack.filter { $0.value > 0 }.keys.min())
                let result = try Rehearsal(orders, stock: nil, options: options).run { progress in
                    guard progress.stage == .awaitingExpiry else { return }
                    _ = try? connection.request("DEDUCT planted rehearsal/\(sku) 1")
                }
                #expect(!result.isProven)
                #expect(result.proof.differences.map(\.sku) == [sku])
            }
        }

        @Test("A server that is killed in the middle is waited for, and the proof holds over its restart")
        func crash() throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            let orders = try RealOrdersTests.orders()
            var server = try ServerProcess(directory: data)
            guard case .tcp(_, let port) = server.address else { throw Failure("no TCP address") }
            var options = try Self.options(server)
            // The file's 34 hours in two seconds, so that there is a middle.
            options.speed = .times(60_000)
            var restarts = 0
            var failure: (any Error)?
            let result = try Rehearsal(orders, stock: nil, options: options).run { progress in
                guard progress.stage == .playing, restarts == 0, (20..<250).contains(progress.orders) else { return }
                restarts += 1
                do {
                    try server.kill()
                    server = try ServerProcess(directory: data, flags: ["--port", "\(port)"])
                } catch {
                    failure = error
                }
            }
            #expect(failure == nil)
            #expect(restarts == 1)
            #expect(result.account.resent > 0)
            #expect(result.isProven, "\(result.proof) \(result.account.wrongExamples)")
            #expect(result.ordersPlayed == 307)
        }
    }
}
