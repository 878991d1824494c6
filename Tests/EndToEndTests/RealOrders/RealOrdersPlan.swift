// A shop's real orders as requests, with what a stock of a given size must make of them. The outcome is worked
// out here in the plainest way, order by order, with none of the server's code, so that it can stand against it.

import StockRehearsal

/// The requests for a file of orders and a stock, the replies they must get, and the counters after them.
struct RealOrdersPlan {
    struct Step {
        let request: String
        /// The reply, or how it begins: what follows is `seq=` and what comes after it.
        let reply: String
    }

    struct Counters: Equatable {
        var onhand: Int64
        var sold: Int64 = 0
    }

    private(set) var steps: [Step] = []
    private(set) var counters: [String: Counters]
    /// Returns that matched an earlier sale, and those that did not and went in by ADJUST.
    private(set) var matchedReturns = 0
    private(set) var unmatchedReturns = 0

    /// Orders that were filled, with what is left of them.
    private var book = SalesBook()
    private var returnNumbers: [String: Int] = [:]

    /// Plays `orders` against a stock of `opening` units by SKU.
    init(_ orders: OrderFile, opening: [String: Int64]) {
        counters = opening.mapValues { Counters(onhand: $0) }
        for order in OrderHistory(orders.rows).orders {
            for (part, lines) in order.parts.enumerated() {
                sell(lines, id: OrderHistory.id(of: order.id, part: part), buyer: order.buyer)
            }
            for line in order.returns { giveBack(line, order: order.id, buyer: order.buyer) }
        }
    }

    private mutating func sell(_ lines: [OrderHistory.Line], id: String, buyer: String) {
        var units: [String: Int64] = [:]
        for line in lines { units[line.sku, default: 0] += line.quantity }
        let pairs = lines.map { "\($0.sku) \($0.quantity)" }.joined(separator: " ")
        let request = "DEDUCT \(id) \(pairs)" + (buyer.isEmpty ? "" : " buyer=\(buyer)")

        // All or nothing: the first line whose SKU falls short decides.
        for line in lines {
            let (want, available) = (units[line.sku] ?? 0, counters[line.sku]?.onhand ?? 0)
            guard want > available else { continue }
            let word = available == 0 ? "-SOLDOUT" : "-INSUFFICIENT"
            steps.append(Step(request: request, reply: "\(word) \(line.sku) want=\(want) available=\(available) held=0"))
            return
        }
        for (sku, quantity) in units {
            counters[sku]?.onhand -= quantity
            counters[sku]?.sold += quantity
        }
        book.add(order: id, buyer: buyer, units: units)
        steps.append(Step(request: request, reply: "+SOLD \(id) "))
    }

    /// What no earlier order of the buyer had is a restock.
    private mutating func giveBack(_ line: OrderHistory.Line, order: String, buyer: String) {
        var left = line.quantity
        for match in book.take(line.quantity, of: line.sku, from: buyer) {
            counters[line.sku]?.onhand += match.units
            counters[line.sku]?.sold -= match.units
            left -= match.units
            matchedReturns += 1
            let id = returnID(order)
            steps.append(
                Step(request: "RETURN \(id) \(match.order) \(line.sku) \(match.units)", reply: "+RETURNED \(id) "))
        }
        guard left > 0 else { return }
        counters[line.sku]?.onhand += left
        unmatchedReturns += 1
        let id = returnID(order)
        steps.append(
            Step(
                request: "ADJUST \(id) \(line.sku) \(left) reason=return",
                reply: "+ADJUSTED \(id) onhand=\(counters[line.sku]?.onhand ?? 0) "))
    }

    private mutating func returnID(_ order: String) -> String {
        returnNumbers[order, default: 0] += 1
        return "\(order)-return-\(returnNumbers[order] ?? 0)"
    }

    /// Has everything that order sold been given back? Then a retry of it is told so.
    func isGivenBack(_ id: some StringProtocol) -> Bool { book.isGivenBack(String(id)) }
}
