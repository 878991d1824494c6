// Two samples become a screen of text: rates are differences over the time between. Pure, so that tests show what an
// operator sees.

import StockWire

/// What `top` shows of the time between two samples.
struct TopView {
    /// nil at the first look: there are totals then, and no rates.
    let before: Sample?
    let now: Sample
    let palette: Palette
    let address: String

    /// Rows of each list.
    static let commandRows = 8
    static let refusalRows = 6
    static let skuRows = 8
    static let holdRows = 6
    static let slowRows = 4
    /// Expiring soon means within this time, in milliseconds.
    static let soon: Int64 = 60_000

    // MARK: Numbers

    /// Seconds between the samples.
    private var seconds: Double? {
        guard let before, now.time > before.time else { return nil }
        return Double(now.time - before.time) / 1e9
    }

    private func number(_ key: String) -> Int64 { now.numbers[key] ?? 0 }

    /// How much `key` grew; nil without an earlier sample, or when the server was restarted in between.
    private func growth(_ key: String) -> Int64? {
        guard let before, before.numbers["process"] == now.numbers["process"] else { return nil }
        let (difference, overflow) = number(key).subtractingReportingOverflow(before.numbers[key] ?? 0)
        return overflow || difference < 0 ? nil : difference
    }

    private func perSecond(_ key: String) -> Double? {
        guard let seconds, let growth = growth(key) else { return nil }
        return Double(growth) / seconds
    }

    private func rate(_ key: String) -> String { perSecond(key).map(rateText) ?? "–" }

    // MARK: The screen

    /// All that is shown, line by line.
    var lines: [String] {
        head + commands + refusals + hottest + expiring + slowTurns
    }

    private var head: [String] {
        [
            palette.strong("stockade \(now.words["version"] ?? "?")")
                + "  \(address)  up \(timeText(number("uptime_s"))), "
                + "\(countText(number("clients"))) clients, fsync \(now.words["fsync"] ?? "?"), log \(state(of: "log"))",
            "requests \(rate("requests"))/s  changes \(rate("seq"))/s  "
                + "in \(rate("bytes_in")) B/s  out \(rate("bytes_out")) B/s  busy \(busyText)",
            "skus \(countText(number("skus")))  orders \(countText(number("orders")))  "
                + "holds \(countText(number("holds")))  buyers \(countText(number("buyers")))  "
                + "memory \(sizeText(number("memory_resident")))",
            "log behind \(sizeText(number("log_unsynced_bytes"))), \(number("log_unsynced_ms")) ms  "
                + "slowest sync \(microText(number("log_slowest_sync_us")))  expiry lag \(number("expiry_lag_ms")) ms  "
                + "slowest turn \(microText(number("longest_turn_us"))) (\(number("longest_turn_requests")) requests)"
                + ownWork,
        ] + archive
    }

    /// Of servers that tell their own work from what the kernel gave to others meanwhile.
    private var ownWork: String {
        guard let work = now.numbers["longest_work_us"] else { return "" }
        return ", own work at most \(microText(work)), \(countText(number("slow_turns"))) slow turns"
    }

    /// Of servers that fold their log into a database.
    private var archive: [String] {
        guard let events = now.numbers["fold_lag_events"] else { return [] }
        return [
            "archive \(state(of: "archive"))  behind \(countText(events)) events, "
                + "\(timeText(number("fold_lag_ms") / 1_000))  database \(sizeText(number("database_bytes")))"
        ]
    }

    /// `ok`, or what is wrong and why.
    private func state(of part: String) -> String {
        switch now.words["\(part)_state"] {
        case "ok": palette.done("ok")
        case "folding": "folding"
        case let state: palette.refused([state, now.words["\(part)_reason"]].compactMap(\.self).joined(separator: ": "))
        }
    }

    /// The share of its time that the loop's thread worked.
    private var busyText: String {
        perSecond("busy_us").map { "\(Int(min(100, $0 / 10_000)))%" } ?? "–"
    }

    private var commands: [String] {
        var rows: [(name: String, calls: Int64, rate: Double?, cost: String)] = []
        for verb in Verb.allCases {
            let name = "\(verb.name)"
            let key = name.lowercased()
            guard let calls = now.numbers["\(key)_calls"] else { continue }
            var cost = "–"
            if let calls = growth("\(key)_calls"), calls > 0, let spent = growth("\(key)_us"), spent > 0 {
                cost = fixedText(Double(spent) / Double(calls))
            }
            rows.append((name, calls, perSecond("\(key)_calls"), cost))
        }
        rows.sort { ($0.rate ?? 0, $0.calls, $1.name) > ($1.rate ?? 0, $1.calls, $0.name) }
        return section(
            "COMMAND", ["per second", "total", "µs each"],
            rows.prefix(Self.commandRows).map { ($0.name, [$0.rate.map(rateText) ?? "–", countText($0.calls), $0.cost]) })
    }

    private var refusals: [String] {
        let prefix = "refused_"
        var rows = now.numbers.keys.filter { $0.hasPrefix(prefix) }.map { key in
            (code: "-" + key.dropFirst(prefix.count), total: number(key), rate: perSecond(key))
        }
        rows.sort { ($0.rate ?? 0, $0.total, $1.code) > ($1.rate ?? 0, $1.total, $0.code) }
        return section(
            "REFUSED", ["per second", "total"],
            rows.prefix(Self.refusalRows).map { ($0.code, [$0.rate.map(rateText) ?? "–", countText($0.total)]) })
    }

    private var hottest: [String] {
        guard let before, let seconds else { return [] }
        var rows = now.skus.compactMap { name, sku -> (name: String, units: Double, sku: Sample.SKU)? in
            // Made since: everything that it sold, it sold since.
            let units = difference(sku.sold, before.skus[name]?.sold ?? 0)
            return units > 0 ? (name, Double(units) / seconds, sku) : nil
        }
        rows.sort { ($0.units, $1.name) > ($1.units, $0.name) }
        return section(
            now.hasMoreSKUs ? "HOTTEST of the first \(countText(Int64(now.skus.count)))" : "HOTTEST",
            ["sold/s", "sold", "held", "available", "status"],
            rows.prefix(Self.skuRows).map { row in
                let counts = [row.sku.sold, row.sku.held, row.sku.available].map(countText)
                return (row.name, [rateText(row.units)] + counts + [row.sku.status])
            })
    }

    private var expiring: [String] {
        let clock = number("clock_ms")
        let (limit, overflow) = clock.addingReportingOverflow(Self.soon)
        let soon = now.holds.filter { !overflow && $0.expires <= limit }
            .sorted { ($0.expires, $0.id) < ($1.expires, $1.id) }
        let rows = soon.prefix(Self.holdRows).map { hold in
            (hold.id, [timeText(max(0, difference(hold.expires, clock)) / 1_000), hold.lines])
        }
        let among = now.hasMoreHolds ? " of the first \(countText(Int64(now.holds.count)))" : ""
        return section("EXPIRING within a minute: \(countText(Int64(soon.count)))\(among)", ["in", "units"], rows)
    }

    private var slowTurns: [String] {
        let clock = number("clock_ms")
        let rows = now.slowTurns.prefix(Self.slowRows).map { turn in
            (
                "\(timeText(max(0, difference(clock, turn.at)) / 1_000)) ago",
                [
                    microText(turn.time), microText(turn.work), countText(turn.requests), countText(turn.expirySteps),
                    countText(turn.waits), turn.verbs,
                ]
            )
        }
        return section("SLOW TURNS", ["took", "own work", "requests", "expiries", "waits", "asked"], rows)
    }

    /// A heading and rows; nothing when there are no rows.
    private func section(_ title: String, _ headings: [String], _ rows: [(name: String, cells: [String])]) -> [String] {
        guard !rows.isEmpty else { return [] }
        let nameWidth = max(24, title.count, rows.map { $0.name.count }.max() ?? 0)
        let widths = headings.indices.map { index in
            max(9, headings[index].count, rows.map { $0.cells[index].count }.max() ?? 0)
        }
        func line(_ name: String, _ cells: [String]) -> String {
            name.padded(to: nameWidth) + zip(cells, widths).map { "  " + $0.padded(to: $1, right: true) }.joined()
        }
        return ["", palette.faint(line(title, headings))] + rows.map { line($0.name, $0.cells) }
    }
}

/// `a - b`, held at the ends of its range: the numbers are the server's, and any bytes may call themselves a server.
private func difference(_ a: Int64, _ b: Int64) -> Int64 {
    let (result, overflow) = a.subtractingReportingOverflow(b)
    return overflow ? (a < b ? .min : .max) : result
}

// MARK: Numbers for the eye

/// `1,234,567`
func countText(_ number: Int64) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
        text.append(digit)
    }
    return number < 0 ? "-" + text : text
}

/// One digit behind the point below 100, none above.
func rateText(_ perSecond: Double) -> String {
    perSecond < 100 ? fixedText(perSecond) : countText(Int64(clamping: Int(min(perSecond, 1e15).rounded())))
}

/// One digit behind the point.
private func fixedText(_ value: Double) -> String {
    let tenths = Int64(min(max(value, 0), 1e15) * 10 + 0.5)
    return "\(tenths / 10).\(tenths % 10)"
}

/// `1.5 MiB`
func sizeText(_ bytes: Int64) -> String {
    var value = Double(bytes)
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1_024 || unit == "GiB" { return unit == "B" ? "\(bytes) B" : "\(fixedText(value)) \(unit)" }
        value /= 1_024
    }
    return "\(bytes) B"
}

/// `870 µs`, `12.4 ms`
private func microText(_ microseconds: Int64) -> String {
    microseconds < 1_000 ? "\(microseconds) µs" : "\(fixedText(Double(microseconds) / 1_000)) ms"
}

/// `59s`, `12m 5s`, `3h 20m`, `5d 3h`
func timeText(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3_600: "\(seconds / 60)m \(seconds % 60)s"
    case ..<86_400: "\(seconds / 3_600)h \(seconds / 60 % 60)m"
    default: "\(seconds / 86_400)d \(seconds / 3_600 % 24)h"
    }
}
