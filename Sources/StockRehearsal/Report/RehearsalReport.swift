// The end of a rehearsal: a page for people, JSON for programs.

import StockBench

/// A rehearsal and its result, ready to be shown.
public struct RehearsalReport {
    public let options: RehearsalOptions
    public let result: RehearsalResult

    /// SKUs of a list.
    static let longestList = 5
    /// Differences shown; all are counted.
    static let mostDifferences = 20

    public init(options: RehearsalOptions, result: RehearsalResult) {
        self.options = options
        self.result = result
    }

    // MARK: For people

    /// The page, with a line end after each line.
    public func text(isColoured: Bool = false) -> String {
        let account = result.account
        var page = Page()
        page.line("rehearsal \(options.run) at \(options.address): \(grouped(result.ordersPlayed)) orders, "
            + "\(grouped(account.skus.count)) SKUs, \(options.clients) clients, speed \(options.speed), "
            + "abandon \(options.abandon), retry \(options.retry), seed \(options.seed)")
        if result.wasInterrupted { page.line("interrupted: the rest of the file was not played") }

        page.title("orders")
        page.row("held", account.held, "requests for orders, accepted by RESERVE")
        page.row("sold", account.sold, "confirmed")
        page.row("abandoned", account.abandoned, "never confirmed; they ran out")
        page.row("refused", account.refusedOrders, reasons)
        page.row("returns", account.returns, "matched to an earlier order of the buyer")
        page.row("restocks", account.restocks, "goods back that no order of the file had")
        page.row("sent again", account.repeated, "repeated on purpose, and answered alike")
        if account.resent > 0 { page.row("lost replies", account.resent, "sent again on a new connection") }
        if account.postponed > 0 { page.row("postponed", account.postponed, "the server was busy") }
        if account.wrongReplies > 0 { page.row("wrong replies", account.wrongReplies, "see below") }

        page.title("units")
        page.row("opening", Int(account.total(\.opening)))
        page.row("sold", Int(account.total(\.sold)))
        page.row("came back", Int(account.total(\.returned) + account.total(\.restocked)))
        page.row("left", Int(account.total(\.onhand)))

        list("most sold", \.sold, &page)
        list("most refused", \.refused, &page)
        showLatencies(&page)
        showProof(&page, isColoured: isColoured)
        return page.text
    }

    private var reasons: String {
        sortedReasons.map { "\($0.key) \(grouped($0.value))" }.joined(separator: ", ")
    }

    private var sortedReasons: [(key: String, value: Int)] {
        result.account.refused.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    }

    /// The SKUs with the most units of one counter, at most `longestList`, without those that have none.
    private func top(_ counter: KeyPath<Account.SKU, Int64>) -> [(name: String, units: Int64)] {
        result.account.skus.map { (name: $0.key, units: $0.value[keyPath: counter]) }
            .filter { $0.units > 0 }.sorted { ($1.units, $0.name) < ($0.units, $1.name) }.prefix(Self.longestList).map { $0 }
    }

    private func list(_ title: String, _ counter: KeyPath<Account.SKU, Int64>, _ page: inout Page) {
        let names = top(counter)
        guard !names.isEmpty else { return }
        page.title("\(title), units")
        for entry in names {
            let sku = result.account.skus[entry.name]
            page.row(entry.name, Int(entry.units), "opened with \(grouped(Int(sku?.opening ?? 0))), \(grouped(Int(sku?.onhand ?? 0))) left")
        }
    }

    private func showLatencies(_ page: inout Page) {
        let latencies = result.latencies
        page.title("latency of \(grouped(latencies.count)) requests in \(duration(result.nanoseconds))")
        guard latencies.count > 0 else { return }
        let percents = [("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9)]
        page.line("  " + percents.map { "\($0) \(duration(latencies.percentile($1)))" }.joined(separator: "   ")
            + "   max \(duration(latencies.longest))")
        for bucket in LatencyBucket.buckets(of: latencies) {
            page.line("  up to " + padded(duration(bucket.upTo), to: 10, left: true)
                + padded(grouped(bucket.count), to: 10, left: true) + "  " + bucket.bar(of: latencies.count))
        }
    }

    private func showProof(_ page: inout Page, isColoured: Bool) {
        let (proof, account) = (result.proof, result.account)
        page.title("proof")
        for example in account.wrongExamples { page.line("  wrong reply to \(example)") }
        for difference in proof.differences.prefix(Self.mostDifferences) {
            page.line("  \(difference.sku): the replies add up to \(difference.expected), the server has \(difference.found)")
        }
        if proof.differences.count > Self.mostDifferences {
            page.line("  and \(grouped(proof.differences.count - Self.mostDifferences)) more SKUs")
        }
        let verdict = result.isProven ? "PROVEN" : "NOT PROVEN"
        let colour = result.isProven ? "1;32" : "1;31"
        let statement =
            result.isProven
            ? "nothing was oversold, nothing was lost: all counters of \(grouped(proof.skus)) SKUs are what the replies add up to, and nothing is held"
            : "\(grouped(proof.oversold)) SKUs oversold, \(grouped(proof.differences.count)) of \(grouped(proof.skus)) with other counters "
                + "than the replies add up to, \(grouped(account.wrongReplies)) wrong replies"
        page.line("  " + (isColoured ? "\u{1B}[\(colour)m\(verdict)\u{1B}[0m" : verdict) + ": " + statement)
    }

    // MARK: For programs

    /// The same as JSON; latencies are microseconds. All SKUs are in it.
    public var json: String {
        let account = result.account
        let skus = account.skus.sorted { $0.key < $1.key }.map { name, sku in
            JSON.object([
                ("sku", .text(name)), ("opening", .integer(Int(sku.opening))), ("sold", .integer(Int(sku.sold))),
                ("returned", .integer(Int(sku.returned))), ("restocked", .integer(Int(sku.restocked))),
                ("abandoned", .integer(Int(sku.abandoned))), ("refused", .integer(Int(sku.refused))),
                ("left", .integer(Int(sku.onhand))),
            ])
        }
        let differences = result.proof.differences.map {
            JSON.object([("sku", .text($0.sku)), ("expected", .text($0.expected)), ("found", .text($0.found))])
        }
        let percents = [("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9)]
        return JSON.object([
            ("run", .text(options.run)), ("prefix", .text(options.skuPrefix)), ("address", .text(options.address.description)),
            ("clients", .integer(options.clients)), ("speed", .text(options.speed.description)),
            ("abandon", .text(options.abandon.description)), ("retry", .text(options.retry.description)),
            ("seed", .text(String(options.seed))),
            ("interrupted", .flag(result.wasInterrupted)), ("orders", .integer(result.ordersPlayed)),
            ("held", .integer(account.held)), ("sold", .integer(account.sold)), ("abandoned", .integer(account.abandoned)),
            ("refused", .object(sortedReasons.map { ($0.key, .integer($0.value)) })),
            ("returns", .integer(account.returns)), ("restocks", .integer(account.restocks)),
            ("sent_again", .integer(account.repeated)), ("lost_replies", .integer(account.resent)),
            ("postponed", .integer(account.postponed)),
            ("wrong_replies", .integer(account.wrongReplies)), ("wrong_examples", .list(account.wrongExamples.map { .text($0) })),
            ("seconds", .number(Double(result.nanoseconds) / 1e9)), ("requests", .integer(result.latencies.count)),
            ("latency_us", .object(
                percents.map { ($0, .number(Double(result.latencies.percentile($1)) / 1e3)) }
                    + [("max", .number(Double(result.latencies.longest) / 1e3))])),
            ("proven", .flag(result.isProven)), ("oversold", .integer(result.proof.oversold)),
            ("differences", .list(differences)), ("skus", .list(skus)),
        ]).rendered() + "\n"
    }
}

/// Lines of text in columns.
private struct Page {
    private(set) var text = ""

    mutating func line(_ line: String) { text += line + "\n" }
    mutating func title(_ title: String) { text += "\n\(title)\n" }

    mutating func row(_ name: String, _ number: Int, _ remark: String = "") {
        let row = "  " + padded(name, to: 14) + padded(grouped(number), to: 12, left: true)
        line(remark.isEmpty ? row : row + "   " + remark)
    }
}
