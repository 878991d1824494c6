// Who bought what, and what is left of it: goods that come back are taken from the same buyer's earlier orders of
// that SKU, newest first. What none of them had came from before the file, and goes in as a restock.

/// The orders that were filled, with what has not been given back of them.
public struct SalesBook: Sendable {
    private struct Sale {
        let order: String
        var left: [String: Int64]
    }

    /// By buyer, oldest first.
    private var sales: [String: [Sale]] = [:]
    /// By order: units that have not come back.
    private var unitsLeft: [String: Int64] = [:]

    public init() {}

    /// Part of a return that one earlier order can take.
    public struct Match: Equatable, Sendable {
        public let order: String
        public let units: Int64
    }

    /// Adds an order that was filled; `units` by SKU. Orders of nobody (an empty buyer) match no return.
    public mutating func add(order: String, buyer: String, units: [String: Int64]) {
        unitsLeft[order] = units.values.reduce(0, +)
        if !buyer.isEmpty { sales[buyer, default: []].append(Sale(order: order, left: units)) }
    }

    /// Takes up to `quantity` units of `sku` from the buyer's orders, newest first. What is missing to `quantity`
    /// matches none.
    public mutating func take(_ quantity: Int64, of sku: String, from buyer: String) -> [Match] {
        var matches: [Match] = []
        var wanted = quantity
        for index in (sales[buyer] ?? []).indices.reversed() where wanted > 0 {
            guard let sale = sales[buyer]?[index], let left = sale.left[sku], left > 0 else { continue }
            let units = min(wanted, left)
            sales[buyer]?[index].left[sku] = left - units
            unitsLeft[sale.order]? -= units
            wanted -= units
            matches.append(Match(order: sale.order, units: units))
        }
        return matches
    }

    /// Whether everything that order sold has come back. A retry of it is told so.
    public func isGivenBack(_ order: String) -> Bool { unitsLeft[order] == 0 }
}
