// The server's counters beside the account of the replies. They were kept by two parties that share no code; where
// they agree for every SKU, nothing was sold twice and nothing went away.

import StockConnection

/// The comparison at the end, when no order is open any more.
public struct Proof: Equatable, Sendable {
    public struct Difference: Equatable, Sendable {
        /// By its name in the file.
        public let sku: String
        public let expected: String
        public let found: String
    }

    /// SKUs compared.
    public let skus: Int
    /// SKUs of which more was sold than ever came in, whatever the server says.
    public let oversold: Int
    /// SKUs whose counters are not what the account says.
    public let differences: [Difference]

    public var holds: Bool { oversold == 0 && differences.isEmpty }

    /// - Parameter found: the server's line for each SKU, such as `+STOCK … held=0 sold=1 onhand=99`.
    public init(_ account: Account, found: [String: ReplyLine]) {
        skus = account.skus.count
        oversold = account.skus.values.count { $0.onhand < 0 }
        differences = account.skus.sorted { $0.key < $1.key }.compactMap { name, sku in
            let line = found[name]
            let agrees =
                line?.number("held") == 0 && line?.number("onhand") == sku.onhand && line?.number("sold") == sku.netSold
                && line?.number("available") == max(0, sku.onhand)
            if agrees { return nil }
            return Difference(
                sku: name, expected: "held=0 sold=\(sku.netSold) onhand=\(sku.onhand)",
                found: line.map(Self.counters) ?? "no answer")
        }
    }

    private static func counters(of line: ReplyLine) -> String {
        if line.isRefusal { return line.text }
        return ["held", "sold", "onhand"].map { "\($0)=\(line[$0] ?? "–")" }.joined(separator: " ")
    }
}
