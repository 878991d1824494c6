// `stockade export`: a table of the database, as CSV or JSON, streamed.

import ArgumentParser
import Glibc
import StockTools

extension ExportTable: ExpressibleByArgument {}
extension RowFormat: ExpressibleByArgument {}

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write SKUs, orders or the ledger as CSV or JSON.",
        discussion: """
            Reads the database of a server's directory, whether the server runs or not. All rows are of one event, which \
            is named on stderr; what the server has not folded into the database yet is not there. Times are UTC.

              skus    a row for each SKU: \(ExportTable.skus.columnNames.joined(separator: ", "))
              orders  a row for each line of each remembered order: \
            \(ExportTable.orders.columnNames.joined(separator: ", "))
              ledger  a row for each line of each event: \(ExportTable.ledger.columnNames.joined(separator: ", "))

            --where takes column=value, or != < <= > >= for =; given more than once, all of them must hold.

            EXAMPLES
              stockade export skus > stock.csv
              stockade export orders --where state=held --where sku=phone
              stockade export ledger --where 'time>=2026-11-21' --format json

            EXIT STATUS
              0   written
              64  a flag or a condition cannot be used
              66  there is no store, or no database in it yet
              75  the database is locked
              78  the database is damaged
            """)

    @Argument(help: ArgumentHelp("skus, orders or ledger.", valueName: "table"))
    var table: ExportTable

    @Option(name: .customLong("where"), help: ArgumentHelp("Only rows of which this is so.", valueName: "condition"))
    var conditions: [String] = []

    @Option(help: "csv, with a first line of names, or json, an object per line.")
    var format = RowFormat.csv

    @OptionGroup var directory: DirectoryFlag

    func run() throws {
        try conclude {
            let exporter = try Exporter(table, where: conditions.map { try Condition($0) })
            let reader = try directory.open().read()
            let progress = ProgressLine()
            var isHeard = true
            // A terminal that shows the rows has no room for a bar.
            let isQuiet = isatty(STDOUT_FILENO) == 1
            let rows = try exporter.run(
                on: reader, as: format,
                progress: { rows in if !isQuiet { progress.update(nil, counted(rows, "row")) } },
                write: { bytes in
                    isHeard = writeAll(STDOUT_FILENO, bytes)
                    return isHeard
                })
            progress.clear()
            if isHeard { warn("\(counted(rows, "row")), as of event \(reader.position.sequence)") }
        }
    }
}
