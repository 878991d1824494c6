// What one client in one process can do: DEDUCT with fresh ids from 1, 64 and 1,024 tasks, in two designs that differ in
// nothing else. "shared" is StockadeClient as it is: all tasks on one connection. "leased" is how clients with a pool
// do it: each call takes a connection of its own, gives it back after the reply, and waits while none is free.
//
//   client-benchmark [ADDRESS] [SECONDS-PER-RUN] [ROUNDS]

import StockadeClient

@main
struct ClientBenchmark {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let address = ServerAddress(arguments.first ?? "127.0.0.1")
        let seconds = arguments.dropFirst().first.flatMap(Int.init) ?? 5
        let rounds = arguments.dropFirst(2).first.flatMap(Int.init) ?? 3
        try await StockadeClient.withClient(address) { stock in
            _ = try await stock.create("benchmark-sku", onhand: 9_000_000_000_000_000)
        }
        print("orders/s, DEDUCT with fresh ids, \(seconds) s a run, median of \(rounds)")
        print("  tasks    shared    leased 1    leased 20")
        for tasks in [1, 64, 1_024] {
            // The designs take turns, so that what else happens on the machine happens to all of them.
            var rates: [[Double]] = [[], [], []]
            for _ in 0..<rounds {
                rates[0].append(try await run(tasks, seconds, Shared(address)))
                rates[1].append(try await run(tasks, seconds, Leased(address, connections: 1)))
                rates[2].append(try await run(tasks, seconds, Leased(address, connections: 20)))
            }
            let medians = rates.map { Int($0.sorted()[$0.count / 2]) }
            print("  \(right(tasks, 5))  \(right(medians[0], 8))    \(right(medians[1], 8))     \(right(medians[2], 8))")
        }
    }

    /// Orders per second of `count` tasks that each send an order when the last one is answered.
    private static func run(_ count: Int, _ seconds: Int, _ design: some Design) async throws -> Double {
        let client = try await design.open()
        let run = UInt64.random(in: 0 ... .max)
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let orders = await withTaskGroup(of: Int.self) { group in
            for task in 0..<count {
                group.addTask {
                    var done = 0
                    while ContinuousClock.now < end {
                        let order = NewOrder(id: "b-\(run)-\(task)-\(done)", items: [OrderItem("benchmark-sku")])
                        guard await client.deduct(order) else { break }
                        done += 1
                    }
                    return done
                }
            }
            return await group.reduce(0, +)
        }
        let time = ContinuousClock.now - start
        await client.close()
        return Double(orders) / (time / .seconds(1))
    }

    private static func right(_ number: Int, _ width: Int) -> String {
        let text = "\(number)"
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
