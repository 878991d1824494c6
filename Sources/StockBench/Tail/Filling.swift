// Filling a server before something is measured: many requests of one shape as fast as it takes them, and holds that all
// run out at one moment.

import CLinux
import StockConnection

/// Sends requests of one shape to a server; all must succeed.
struct Filling {
    let address: Address
    let run: RunID
    let interrupt: Int32
    /// SKUs that orders choose from.
    var skus = 1_000

    /// How deep, and over how many connections.
    private static let pipeline = 256
    private static let connections = 8

    /// Makes the SKUs.
    func makeSKUs() throws(BenchError) {
        try fill(StockadeRequests.create, skus, plan: .eachSKU, connections: 1)
    }

    /// Sends `count` requests of a shape, each of a new order. Two calls on one server must differ in `run`, or the shape
    /// in a word, for the orders to be new.
    func fill(
        _ shape: RequestShape, _ count: Int, plan: Plan = .fresh, connections: Int = connections
    ) throws(BenchError) {
        guard count > 0 else { return }
        var options = LoadOptions(address: address)
        options.runID = run
        let template = RequestTemplate(shape, framing: .line, run: run)
        var loop = try LoadLoop(
            connections: try connect(connections, options),
            book: RequestBook([template], choice: SKUChoice(count: skus, zipf: nil, seed: 1)), plan: plan,
            pipeline: Self.pipeline, length: .requests(count))
        let result = try loop.run(interrupt: interrupt)
        if result.wasInterrupted { throw .interrupted }
        guard result.expected == count else {
            let example = result.unexpected.first?.example ?? "not all were answered"
            throw .server("cannot fill the server with \(shape.words[0]): \(example)")
        }
    }

    /// Makes `count` holds that are all due at `due`, in monotonic nanoseconds, or a few milliseconds about it.
    ///
    /// - Parameter buyers: each has a buyer of its own.
    /// - Returns: Unix milliseconds at which the first and the last of them are due.
    func makeHolds(_ count: Int, buyers: Bool = false, due: Int64) throws(BenchError) -> (first: Int, last: Int) {
        let address = address
        let connection = try connecting { () throws(ConnectionError) in try Connection(to: address) }
        var (first, last) = (Int.max, Int.min)
        var made = 0
        while made < count {
            let batch = min(Self.holdsAtOnce, count - made)
            let left = (due - clinux_monotonic_ns()) / 1_000_000
            guard left > 0 else { throw .server("the holds ran out before all of them were made") }
            var text = ""
            for number in made..<made + batch {
                text += "RESERVE \(run)-h\(number) \(left)ms \(run)-s\(hexadecimalText(sku(of: number))) 1"
                text += buyers ? " buyer=b\(number)\n" : "\n"
            }
            let replies = try connecting { () throws(ConnectionError) in
                try connection.send(bytes: Array(text.utf8)[...], by: .after(.seconds(60)))
                var ends: (String, String) = ("", "")
                for index in 0..<batch {
                    let line = try connection.receiveLine(by: .after(.seconds(60)))
                    if index == 0 { ends.0 = line }
                    ends.1 = line
                }
                return ends
            }
            for line in [replies.0, replies.1] {
                let expires = ServerFigures.number("expires", in: line)
                guard expires > 0 else { throw .server("a hold was refused: \(line)") }
                first = min(first, expires)
                last = max(last, expires)
            }
            made += batch
        }
        return (first, last)
    }

    /// Small enough that the replies of a batch fit the kernel's buffers.
    private static let holdsAtOnce = 1_000

    /// Neighbours in time are not neighbours in memory. The factor is prime and greater than any number of SKUs: a hold of
    /// each comes before a second one of any.
    private func sku(of hold: Int) -> UInt32 { UInt32(hold % skus * 2_654_435_761 % skus) }

    private func hexadecimalText(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
