// What a server does when nobody sells: reading its log, folding it into the database, starting from the rows, and using
// memory again that forgotten orders had. One server for the first three, another one for the last.

import CLinux
import StockConnection

/// What `RecoveryRun` found. Rates are events a second, times nanoseconds.
struct RecoveryFigures {
    var events = 0
    var skus = 0
    var orders = 0
    /// Reading the log after a kill, as the server counts it.
    var replayRate: Double?
    var foldRate: Double?
    /// From the start of the process until it answers, from the database's rows.
    var restart: Int64?
    /// Bytes in RAM after `orders` were sold, and after these were forgotten and as many were sold.
    var residentBefore: Int?
    var residentAfter: Int?
    /// Of the second sale: remembered when it was over. Fewer than sold: the retention was too short for this machine.
    var rememberedAtEnd = 0
}

struct RecoveryRun {
    let options: TailOptions
    let programs: ServerPrograms

    init(_ options: TailOptions, programs: ServerPrograms) {
        self.options = options
        self.programs = programs
    }

    /// How long a start may take.
    private static let patience: Int64 = 300_000_000_000

    func run(interrupt: borrowing Interrupt, tell: (String) -> Void) throws(BenchError) -> RecoveryFigures {
        var figures = RecoveryFigures()
        figures.orders = options.recoveryOrders
        try measureStarts(&figures, interrupt: interrupt, tell: tell)
        try measureMemory(&figures, interrupt: interrupt, tell: tell)
        return figures
    }

    private func measureStarts(
        _ figures: inout RecoveryFigures, interrupt: borrowing Interrupt, tell: (String) -> Void
    ) throws(BenchError) {
        var server = try ChildServer.start(
            .stockade(fsync: "everysec"), flags: ["--snapshot-every", "0", "--snapshot-bytes", "0"], programs: programs,
            parent: options.parent, interrupt: interrupt)
        var filling = Filling(address: server.address, run: .random(), interrupt: interrupt.descriptor)
        filling.skus = options.recoverySKUs
        try filling.makeSKUs()
        try filling.fill(StockadeRequests.deduct, options.recoveryOrders)
        figures.skus = options.recoverySKUs

        _ = try server.restart(within: Self.patience, interrupt: interrupt)
        var stats = try ServerFigures(of: server.address, "server", "ledger")
        figures.events = stats["recovered_events"]
        figures.replayRate = Self.perSecond(stats["recovered_events"], milliseconds: stats["recovery_ms"])
        tell("recovery  log read  \(figures.replayRate.map(rate) ?? "–")")

        let address = server.address
        let reply = try connecting { () throws(ConnectionError) in
            try Connection(to: address).request("SNAPSHOT", by: .after(.seconds(600)))
        }
        guard !reply.isRefusal, let milliseconds = reply.head.number("ms"), let sequence = reply.head.number("seq") else {
            throw .server("SNAPSHOT: \(reply.head.text)")
        }
        figures.foldRate = Self.perSecond(Int(sequence), milliseconds: Int(milliseconds))
        tell("recovery  folded  \(figures.foldRate.map(rate) ?? "–")")

        figures.restart = try server.restart(within: Self.patience, interrupt: interrupt)
        stats = try ServerFigures(of: server.address, "ledger")
        guard stats["orders"] == options.recoveryOrders, stats["skus"] == options.recoverySKUs else {
            throw .server("after the start there are \(stats["orders"]) orders and \(stats["skus"]) SKUs")
        }
        tell("recovery  started from the rows  \(figures.restart.map(duration) ?? "–")")
    }

    private func measureMemory(
        _ figures: inout RecoveryFigures, interrupt: borrowing Interrupt, tell: (String) -> Void
    ) throws(BenchError) {
        // Long enough that nothing is forgotten while as many are sold at 200,000 a second.
        let retention = 3 + options.recoveryOrders / 200_000
        let server = try ChildServer.start(
            .stockade(fsync: "everysec"),
            flags: ["--snapshot-every", "0", "--snapshot-bytes", "0", "--retention", "\(retention)s"],
            programs: programs, parent: options.parent, interrupt: interrupt)
        let first = Filling(address: server.address, run: .random(), interrupt: interrupt.descriptor)
        try first.makeSKUs()
        try first.fill(StockadeRequests.deduct, options.recoveryOrders)
        figures.residentBefore = server.residentBytes

        let giveUp = clinux_monotonic_ns() + Self.patience
        while try ServerFigures(of: server.address, "ledger")["orders"] > 0 {
            if interrupt.hasCome(within: 200) { throw .interrupted }
            guard clinux_monotonic_ns() < giveUp else { throw .server("orders are not forgotten") }
        }
        let second = Filling(address: server.address, run: .random(), interrupt: interrupt.descriptor)
        try second.makeSKUs()
        try second.fill(StockadeRequests.deduct, options.recoveryOrders)
        figures.residentAfter = server.residentBytes
        figures.rememberedAtEnd = try ServerFigures(of: server.address, "ledger")["orders"]
        tell("recovery  memory after forgetting and selling again  \(grouped(figures.residentAfter ?? 0)) B, before "
            + "\(grouped(figures.residentBefore ?? 0)) B")
    }

    private static func perSecond(_ count: Int, milliseconds: Int) -> Double? {
        milliseconds > 0 ? Double(count) * 1_000 / Double(milliseconds) : nil
    }
}
