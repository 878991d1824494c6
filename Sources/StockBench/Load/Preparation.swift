// What must be there before the first measured request: the SKUs of the run, the scripts of the Redis way, and the
// orders that `replay` retries. It is made through the same loop, so it is checked as every reply is.

import StockConnection

/// Makes SKUs, scripts and known orders.
struct Preparation {
    private let options: LoadOptions
    private let interrupt: Int32

    /// Orders that `replay` retries.
    static let knownOrders: UInt64 = 10_000
    /// One connection makes everything, this deep.
    private static let pipeline = 256

    init(_ options: LoadOptions, interrupt: Int32) throws(BenchError) {
        self.options = options
        self.interrupt = interrupt
    }

    /// Prepares the server.
    ///
    /// - Returns: the templates of the workload, in the order that its plan expects.
    func prepare() throws(BenchError) -> [RequestTemplate] {
        let create: RequestShape
        let shapes: [RequestShape]
        let first: RequestShape
        switch options.dialect {
        case .stockade:
            create = StockadeRequests.create
            shapes = StockadeRequests.shapes(of: options.workload, lines: options.lines)
            first = StockadeRequests.deduct
        case .redis:
            let requests = RedisRequests(digests: try loadScripts())
            create = RedisRequests.create
            shapes = requests.shapes(of: options.workload, lines: options.lines)
            first = requests.shapes(of: .deduct, lines: 1)[0]
        }
        if options.skuCount > 0 { try make(create, .eachSKU, options.skuCount, of: "SKUs") }
        if options.workload == .replay { try make(first, .fresh, Int(Self.knownOrders), of: "orders") }
        return shapes.map(template)
    }

    private func template(_ shape: RequestShape) -> RequestTemplate {
        RequestTemplate(shape, framing: options.dialect == .redis ? .array : .line, run: options.runID)
    }

    /// Sends `count` requests of one shape; all must succeed.
    private func make(_ shape: RequestShape, _ plan: Plan, _ count: Int, of what: String) throws(BenchError) {
        let choice = SKUChoice(count: options.skuCount, zipf: options.zipf, seed: options.seed)
        var loop = try LoadLoop(
            connections: try connect(1, options), book: RequestBook([template(shape)], choice: choice), plan: plan,
            pipeline: Self.pipeline, length: .requests(count))
        let result = try loop.run(interrupt: interrupt)
        if result.wasInterrupted { throw .interrupted }
        guard result.expected == count else {
            let example = result.unexpected.first?.example ?? "not all were answered"
            throw .server("cannot make the \(what) of the run: \(example)")
        }
    }

    /// Loads the scripts into Redis.
    ///
    /// - Returns: the digest that each is called by.
    private func loadScripts() throws(BenchError) -> [RedisScript: String] {
        var digests: [RedisScript: String] = [:]
        guard options.workload != .ping, options.workload != .decrby else { return digests }
        let connection = try connect(1, options)[0]
        for script in RedisScript.allCases {
            let words = ["SCRIPT", "LOAD", script.source]
            let request = "*3\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
            let (head, body) = try connecting { () throws(ConnectionError) in
                try connection.send(bytes: Array(request.utf8)[...])
                let head = try connection.receiveLine()
                return (head, head.hasPrefix("$") ? try connection.receiveLine() : "")
            }
            guard body.utf8.count == 40 else { throw .server("Redis does not take the script '\(script)': \(head)") }
            digests[script] = body
        }
        return digests
    }
}
