// A shop's orders as a file: one line for each line of an order, with the columns order, time, buyer, sku and
// quantity. A negative quantity gives goods back. A stock file has the columns sku and quantity.

import StockInput
import StockModel

/// The lines of an order file.
public struct OrderFile: Sendable {
    public struct Row: Equatable, Sendable {
        public let order: String
        /// When, in Unix milliseconds.
        public let time: Int64
        /// Empty when the shop did not know.
        public let buyer: String
        /// A space in the file's name of it has become `_`.
        public let sku: String
        /// Not 0; negative for goods given back.
        public let quantity: Int64
    }

    public static let columns = ["order", "time", "buyer", "sku", "quantity"]

    public private(set) var rows: [Row] = []
    /// Lines that are not among `rows`.
    public private(set) var badLines: [BadLine] = []
    /// What the file sells of each SKU that it names, returns not counted: with this much in stock, every order is
    /// filled.
    public private(set) var unitsSold: [String: Int64] = [:]
    /// What the file gives back of each SKU that it names.
    public private(set) var unitsGivenBack: [String: Int64] = [:]

    /// Reads a file.
    ///
    /// - Throws: `.badFile` when a column is missing, `.noFile` when it cannot be read. A bad line does not stop the
    ///   reading.
    public init(_ source: ByteSource) throws(RehearsalError) {
        var rows: [Row] = []
        var sold: [String: Int64] = [:]
        var givenBack: [String: Int64] = [:]
        badLines = try NamedColumns.read(source, columns: Self.columns) { values throws(LineProblem) in
            let row = try Row(values)
            // In range, so that no sum below can overflow: both are at most a counter's limit.
            let (sales, returns) = (sold[row.sku] ?? 0, givenBack[row.sku] ?? 0)
            guard max(sales, returns) + abs(row.quantity) <= Limits.counter else {
                throw LineProblem("more of '\(row.sku)' than a counter holds")
            }
            sold[row.sku] = sales + max(0, row.quantity)
            givenBack[row.sku] = returns - min(0, row.quantity)
            rows.append(row)
        }
        (self.rows, unitsSold, unitsGivenBack) = (rows, sold, givenBack)
    }

    public init(_ bytes: [UInt8]) throws(RehearsalError) {
        try self.init(ByteSource(bytes, name: "the order file"))
    }
}

extension OrderFile.Row {
    /// - Parameter values: those of `OrderFile.columns`.
    fileprivate init(_ values: [String]) throws(LineProblem) {
        order = try LineProblem.token(values[0], "order")
        guard let time = UnixTime.milliseconds(of: values[1]) else {
            throw LineProblem("'\(values[1])' is no time such as 2010-12-01T08:26:00Z")
        }
        self.time = time
        buyer = values[2].isEmpty ? "" : try LineProblem.token(values[2], "buyer")
        sku = try LineProblem.token(values[3], "sku")
        guard let quantity = Int64(values[4]), quantity != 0, quantity.magnitude <= Limits.quantity.magnitude else {
            throw LineProblem("'\(values[4])' is no quantity: a whole number, not 0, of at most \(Limits.quantity)")
        }
        self.quantity = quantity
    }
}

/// What there is of each SKU when the sale opens.
public struct StockFile: Sendable {
    public private(set) var units: [String: Int64] = [:]
    public private(set) var badLines: [BadLine] = []

    public static let columns = ["sku", "quantity"]

    /// Reads a file.
    ///
    /// - Throws: `.badFile` when a column is missing, `.noFile` when it cannot be read. A bad line does not stop the
    ///   reading.
    public init(_ source: ByteSource) throws(RehearsalError) {
        var units: [String: Int64] = [:]
        badLines = try NamedColumns.read(source, columns: Self.columns) { values throws(LineProblem) in
            let sku = try LineProblem.token(values[0], "sku")
            guard let quantity = Int64(values[1]), (0...Limits.counter).contains(quantity) else {
                throw LineProblem("'\(values[1])' is no stock: a whole number from 0 to \(Limits.counter)")
            }
            guard units[sku] == nil else { throw LineProblem("'\(sku)' for the second time") }
            units[sku] = quantity
        }
        self.units = units
    }

    public init(_ bytes: [UInt8]) throws(RehearsalError) {
        try self.init(ByteSource(bytes, name: "the stock file"))
    }
}
