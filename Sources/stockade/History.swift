// `stockade history`: who, when, before and after, why.

import ArgumentParser
import Glibc
import StockTools

struct History: ParsableCommand {
    enum About: String, CaseIterable, ExpressibleByArgument { case sku, order, buyer }

    static let configuration = CommandConfiguration(
        abstract: "What happened to a SKU, an order or a buyer.",
        discussion: """
            Reads the database of a server's directory, whether the server runs or not; oldest first. Each line is an \
            event: its number, when, what, which id and buyer, the units, and the counters before and after where they \
            changed. An order is found by its id, and by the id of a return of it; so are adjustments, counts and transfers.

            EXAMPLES
              stockade history sku phone --last 20
              stockade history order o-1
              stockade history buyer ann --json

            EXIT STATUS
              0   something is known
              1   nothing is known
              64  a flag cannot be used
              66  there is no store, or no database in it yet
              75  the database is locked
              78  the database is damaged
            """)

    @Argument(help: ArgumentHelp("sku, order or buyer.", valueName: "about"))
    var about: About

    @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("Only the newest so many lines.", valueName: "n"))
    var last: Int?

    @Flag(help: "One JSON object per line.")
    var json = false

    @OptionGroup var directory: DirectoryFlag

    func validate() throws {
        if let last, last < 1 { throw ValidationError("--last takes a number from 1 on") }
    }

    func run() throws {
        try conclude {
            let reader = HistoryReader(try directory.open().read())
            let subject: HistorySubject =
                switch about {
                case .sku: .sku(name)
                case .order: .order(name)
                case .buyer: .buyer(name)
                }
            let count = try json ? writeJSON(reader, subject) : writeText(reader, subject)
            guard count == 0 else { return }
            let from = reader.historyFrom > 1 ? "; its history begins with event \(reader.historyFrom)" : ""
            throw fail(
                "nothing is known of the \(about.rawValue == "sku" ? "SKU" : about.rawValue) '\(name)' up to event "
                    + "\(reader.sequence)\(from)", .incomplete)
        }
    }

    private func writeText(_ reader: borrowing HistoryReader, _ subject: HistorySubject) throws -> Int {
        var isFirst = true
        return try reader.forEachLine(about: subject, last: last) { line in
            if isFirst {
                isFirst = false
                for text in try reader.standing(of: subject) { writeAll(STDOUT_FILENO, text + "\n") }
            }
            return writeAll(STDOUT_FILENO, text(of: line) + "\n")
        }
    }

    private func text(of line: HistoryLine) -> String {
        var words = ["\(padded(String(line.sequence), 8, right: true))  \(line.time)  \(padded(line.kind, 15))"]
        if let id = line.id { words.append(id) }
        if let order = line.order, order != line.id { words.append("of \(order)") }
        if let buyer = line.buyer, about != .buyer { words.append("by \(buyer)") }
        if let sku = line.sku, about != .sku { words.append(sku) }
        if let quantity = line.quantity { words.append("\(quantity) \(quantity.magnitude == 1 ? "unit" : "units")") }
        for (name, counter) in [("onhand", line.onhand), ("held", line.held), ("sold", line.sold)] {
            guard let counter else { continue }
            let before = counter.before == counter.after ? "" : "\(counter.before)→"
            words.append("\(name) \(before)\(counter.after)")
        }
        if let until = line.until { words.append("until \(until)") }
        if line.isForced { words.append("forced") }
        if line.isLate { words.append("late") }
        if let reason = line.reason { words.append("(\(reason))") }
        return words.joined(separator: "  ")
    }

    private func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.utf8.count))
        return right ? space + text : text + space
    }

    private func writeJSON(_ reader: borrowing HistoryReader, _ subject: HistorySubject) throws -> Int {
        try reader.forEachLine(about: subject, last: last) { line in
            var object = JSONLine()
            object.add("seq", line.sequence)
            object.add("time", line.time)
            object.add("kind", line.kind)
            object.add("id", ifAny: line.id)
            object.add("order", ifAny: line.order)
            object.add("sku", ifAny: line.sku)
            object.add("buyer", ifAny: line.buyer)
            object.add("quantity", ifAny: line.quantity)
            for (name, counter) in [("onhand", line.onhand), ("held", line.held), ("sold", line.sold)] {
                object.add("\(name)_before", ifAny: counter?.before)
                object.add("\(name)_after", ifAny: counter?.after)
            }
            object.add("until", ifAny: line.until)
            if line.isForced { object.add("forced", true) }
            if line.isLate { object.add("late", true) }
            object.add("reason", ifAny: line.reason)
            return writeAll(STDOUT_FILENO, object.line)
        }
    }
}
