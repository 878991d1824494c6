// What things cost in memory: a server is filled with one kind of thing after the other, and what its tables and its
// process grew by is divided by how many there are.

import StockConnection

/// The sizes of a memory measurement.
public struct MemoryOptions: Sendable {
    public var orders: Int
    public var skus: Int
    public var buyers: Int
    public var idle: Int
    public var parent: String

    /// About a minute; `quick`: some seconds.
    public init(quick: Bool, parent: String) {
        orders = quick ? 1_000_000 : 10_000_000
        skus = quick ? 100_000 : 1_000_000
        buyers = quick ? 100_000 : 1_000_000
        idle = quick ? 1_000 : 10_000
        self.parent = parent
    }
}

/// What one kind of thing cost.
struct MemoryRow {
    let what: String
    let count: Int
    /// By the server's account of its tables, and by the kernel's of its process; bytes in all.
    let tables: Int?
    let resident: Int
    /// Bytes of its own names in each.
    let name: Int
    /// Bytes that each may cost beyond its name.
    let limit: Int

    /// What counts: the tables' account where there is one, as the process has other pages too.
    var each: Double { Double(tables ?? resident) / Double(max(1, count)) }
    var isMet: Bool { each <= Double(limit + name) }

    var cells: [String] {
        [
            what, grouped(count), fixed(each, 1) + " B", fixed(Double(resident) / Double(max(1, count)), 1) + " B",
            name > 0 ? "≤ \(limit) + \(name) B" : "≤ \(grouped(limit)) B", isMet ? "yes" : "**no**",
        ]
    }
}

/// A memory measurement, ready to be shown.
public struct MemoryReport {
    let rows: [MemoryRow]
    /// Where an order's bytes are.
    let anatomy: [String]
    let machine: MachineFacts
    let command: String

    public var markdown: String {
        let head = ["what", "count", "tables, each", "process, each", "target", "met"]
        let lines = [
            "# What Stockade remembers, in bytes", "", "- command: `\(command)`", "- date: \(machine.date) UTC",
            "- machine: \(machine.machine)",
            "- tables: by the server's own account (`STATS memory`); process: what the kernel has of it in RAM", "",
        ] + markdownTable(head, rows.map(\.cells)) + [""] + anatomy.map { "- \($0)" }
        return lines.map { $0 + "\n" }.joined()
    }

    public var json: String {
        JSON.object([
            ("command", .text(command)), ("date", .text(machine.date)), ("kernel", .text(machine.kernel)),
            ("rows", .list(rows.map { row in
                .object([
                    ("what", .text(row.what)), ("count", .integer(row.count)), ("each", .number(row.each)),
                    ("resident_each", .number(Double(row.resident) / Double(max(1, row.count)))),
                    ("name_bytes", .integer(row.name)), ("limit", .integer(row.limit)), ("met", .flag(row.isMet)),
                ])
            })),
        ]).rendered() + "\n"
    }
}

/// Fills a server and divides.
public struct MemoryRun: Sendable {
    private let options: MemoryOptions
    private let programs: ServerPrograms

    public init(_ options: MemoryOptions, programs: ServerPrograms) {
        self.options = options
        self.programs = programs
    }

    /// Bytes of the names of a run: `abcdef-s00000000`, `0123456789abcdef`, and a `b` before the latter for buyers.
    private static let keyBytes = 16
    private static let idBytes = 16

    public func run(
        machine: MachineFacts, command: String, interrupt: borrowing Interrupt, tell: (String) -> Void
    ) throws(BenchError) -> MemoryReport {
        let server = try ChildServer.start(
            .stockade(fsync: "everysec"), flags: ["--snapshot-every", "0", "--snapshot-bytes", "0"], programs: programs,
            parent: options.parent, interrupt: interrupt)
        var filling = Filling(address: server.address, run: .random(), interrupt: interrupt.descriptor)
        filling.skus = options.skus
        var rows: [MemoryRow] = []
        var before = (figures: try ServerFigures(of: server.address, "memory"), resident: server.residentBytes)
        func row(
            _ what: String, _ count: Int, _ key: String?, name: Int, limit: Int, _ address: Address, _ resident: Int
        ) throws(BenchError) {
            let figures = try ServerFigures(of: address, "memory")
            let row = MemoryRow(
                what: what, count: count, tables: key.map { figures[$0] - before.figures[$0] },
                resident: resident - before.resident, name: name, limit: limit)
            rows.append(row)
            before = (figures, resident)
            tell("\(what)  \(fixed(row.each, 1)) B")
        }

        let idle = try connectIdle(server.address)
        // Answered after they were all accepted.
        _ = try ServerFigures(of: server.address, "clients")
        try row("idle connection", options.idle, nil, name: 0, limit: 4_096, server.address, server.residentBytes)
        try filling.makeSKUs()
        try row("SKU", options.skus, "memory_skus", name: Self.keyBytes, limit: 128, server.address, server.residentBytes)
        let sale = RequestShape(["DEDUCT", "{number}", "{sku}", "1"], expects: .starts("+SOLD "))
        try filling.fill(sale, options.orders)
        let index = try ServerFigures(of: server.address, "memory")["memory_orders_index"]
        try row(
            "remembered order of one line", options.orders, "memory_orders", name: Self.idBytes, limit: 96,
            server.address, server.residentBytes)
        let bought = RequestShape(["DEDUCT", "a{number}", "{sku}", "1", "buyer=b{number}"], expects: .starts("+SOLD "))
        try filling.fill(bought, options.buyers)
        try row(
            "buyer of a SKU", options.buyers, "memory_buyers", name: Self.idBytes + 1, limit: 32, server.address,
            server.residentBytes)
        return withExtendedLifetime(idle) {
            MemoryReport(rows: rows, anatomy: anatomy(index: index), machine: machine, command: command)
        }
    }

    private func connectIdle(_ address: Address) throws(BenchError) -> [Connection] {
        raiseDescriptorLimit(to: options.idle + 64)
        return try connect(options.idle, LoadOptions(address: address))
    }

    private func anatomy(index: Int) -> [String] {
        let record = 48 + 20 + Self.idBytes
        let granules = (record + 7) / 8 * 8
        return [
            "an order's record: 48 B of header, 20 B for its line, \(Self.idBytes) B of id: \(record) B, "
                + "\(granules) B in granules of 8",
            "an order's share of the index: \(fixed(Double(index) / Double(max(1, options.orders)), 1)) B "
                + "(slots of 8 B, full between three eighths and three quarters, more while a shard grows)",
            "the process row of buyers has their orders too",
        ]
    }
}
