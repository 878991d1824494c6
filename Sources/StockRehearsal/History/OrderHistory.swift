// The rows of an order file as orders: what each asks for, in requests that the protocol takes, and what it gives
// back.

import StockModel

/// The orders of a file, in the order in which they begin there.
public struct OrderHistory: Sendable {
    public struct Line: Equatable, Sendable {
        public let sku: String
        public let quantity: Int64
    }

    public struct Order: Equatable, Sendable {
        public let id: String
        /// Milliseconds after the first order of the file; never before the order above it.
        public let offset: Int64
        public let buyer: String
        /// What is bought; a longer order than one request takes is in several parts, of which each is sold or not.
        public let parts: [[Line]]
        /// What is given back, quantities positive.
        public let returns: [Line]
    }

    public let orders: [Order]

    /// Rows of one order belong together wherever they stand.
    public init(_ rows: [OrderFile.Row]) {
        var places: [String: Int] = [:]
        var groups: [[OrderFile.Row]] = []
        for row in rows {
            if let place = places[row.order] {
                groups[place].append(row)
            } else {
                places[row.order] = groups.count
                groups.append([row])
            }
        }
        let start = groups.first?.first?.time ?? 0
        var latest: Int64 = 0
        orders = groups.compactMap { group in
            guard let first = group.first else { return nil }
            latest = max(latest, first.time - start)
            return Order(
                id: first.order, offset: latest, buyer: first.buyer,
                parts: Self.parts(group.filter { $0.quantity > 0 }.map { Line(sku: $0.sku, quantity: $0.quantity) }),
                returns: group.filter { $0.quantity < 0 }.map { Line(sku: $0.sku, quantity: -$0.quantity) })
        }
    }

    /// As many parts as one request's pairs make necessary.
    public static func parts(_ lines: [Line]) -> [[Line]] {
        stride(from: 0, to: lines.count, by: Limits.pairs).map { Array(lines[$0..<min($0 + Limits.pairs, lines.count)]) }
    }

    /// The id of a part, from 0.
    public static func id(of order: String, part: Int) -> String { part == 0 ? order : "\(order)/\(part + 1)" }
}
