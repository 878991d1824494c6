// A shop's real orders as requests, with what a stock of a given size must make of them. The outcome is worked
// out here in the plainest way, order by order, with none of the server's code, so that it can stand against it.

/// The lines of an order file: order, time, buyer, SKU, quantity; a negative quantity gives goods back.
struct RealOrders {
    struct Row: Equatable {
        let order: String
        /// Empty when the shop did not know.
        let buyer: String
        let sku: String
        let quantity: Int64
    }

    let rows: [Row]

    /// Reads the file's text. A space in a SKU becomes `_`: the protocol's tokens have none.
    ///
    /// - Throws: `Failure` that names the line.
    init(csv: String) throws {
        var lines = csv.split(separator: "\n", omittingEmptySubsequences: true)[...]
        guard lines.popFirst() == "order,time,buyer,sku,quantity" else { throw Failure("not the expected columns") }
        rows = try lines.map { line in
            let columns = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard columns.count == 5, let quantity = Int64(columns[4]), quantity != 0 else { throw Failure("not an order line: \(line)") }
            let sku = String(columns[3].map { $0 == " " ? "_" : $0 })
            return Row(order: columns[0], buyer: columns[2], sku: sku, quantity: quantity)
        }
    }

    /// What the file sells of each SKU it names, returns not counted: with this much in stock, every order is filled.
    var unitsSold: [String: Int64] {
        rows.reduce(into: [:]) { $0[$1.sku, default: 0] += max(0, $1.quantity) }
    }

    /// What the file gives back of each SKU.
    var unitsGivenBack: [String: Int64] {
        rows.reduce(into: [:]) { $0[$1.sku, default: 0] -= min(0, $1.quantity) }
    }
}

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

    /// The most pairs in one order; a longer invoice is split.
    static let mostPairs = 1_024

    private(set) var steps: [Step] = []
    private(set) var counters: [String: Counters]
    /// Returns that matched an earlier sale, and those that did not and went in by ADJUST.
    private(set) var matchedReturns = 0
    private(set) var unmatchedReturns = 0

    /// Orders that were filled, oldest first, with what is left of them.
    private var sales: [(id: String, buyer: String, left: [String: Int64])] = []
    private var returnNumbers: [String: Int] = [:]

    /// Plays `orders` against a stock of `opening` units by SKU.
    init(_ orders: RealOrders, opening: [String: Int64]) {
        counters = opening.mapValues { Counters(onhand: $0) }
        var rest = orders.rows[...]
        while let first = rest.first {
            let invoice = rest.prefix { $0.order == first.order }
            rest = rest.dropFirst(invoice.count)
            let sold = invoice.filter { $0.quantity > 0 }
            for (part, start) in stride(from: 0, to: sold.count, by: Self.mostPairs).enumerated() {
                sell(Array(sold[start..<min(start + Self.mostPairs, sold.count)]), part: part)
            }
            for row in invoice where row.quantity < 0 { giveBack(row) }
        }
    }

    private mutating func sell(_ rows: [RealOrders.Row], part: Int) {
        let id = part == 0 ? rows[0].order : "\(rows[0].order)/\(part + 1)"
        let buyer = rows[0].buyer
        var units: [String: Int64] = [:]
        for row in rows { units[row.sku, default: 0] += row.quantity }
        let pairs = rows.map { "\($0.sku) \($0.quantity)" }.joined(separator: " ")
        let request = "DEDUCT \(id) \(pairs)" + (buyer.isEmpty ? "" : " buyer=\(buyer)")

        // All or nothing: the first line whose SKU falls short decides.
        for row in rows {
            let (want, available) = (units[row.sku] ?? 0, counters[row.sku]?.onhand ?? 0)
            guard want > available else { continue }
            let word = available == 0 ? "-SOLDOUT" : "-INSUFFICIENT"
            steps.append(Step(request: request, reply: "\(word) \(row.sku) want=\(want) available=\(available) held=0"))
            return
        }
        for (sku, quantity) in units {
            counters[sku]?.onhand -= quantity
            counters[sku]?.sold += quantity
        }
        sales.append((id, buyer, units))
        steps.append(Step(request: request, reply: "+SOLD \(id) "))
    }

    /// Takes the units from the same buyer's earlier orders, newest first; what none of them had is a restock.
    private mutating func giveBack(_ row: RealOrders.Row) {
        var left = -row.quantity
        for index in sales.indices.reversed() where left > 0 && !row.buyer.isEmpty && sales[index].buyer == row.buyer {
            let units = min(left, sales[index].left[row.sku] ?? 0)
            guard units > 0 else { continue }
            sales[index].left[row.sku]? -= units
            counters[row.sku]?.onhand += units
            counters[row.sku]?.sold -= units
            left -= units
            matchedReturns += 1
            let id = returnID(row.order)
            steps.append(Step(request: "RETURN \(id) \(sales[index].id) \(row.sku) \(units)", reply: "+RETURNED \(id) "))
        }
        guard left > 0 else { return }
        counters[row.sku]?.onhand += left
        unmatchedReturns += 1
        let id = returnID(row.order)
        steps.append(
            Step(
                request: "ADJUST \(id) \(row.sku) \(left) reason=return",
                reply: "+ADJUSTED \(id) onhand=\(counters[row.sku]?.onhand ?? 0) "))
    }

    private mutating func returnID(_ order: String) -> String {
        returnNumbers[order, default: 0] += 1
        return "\(order)-return-\(returnNumbers[order] ?? 0)"
    }

    /// Has everything that order sold been given back? Then a retry of it is told so.
    func isGivenBack(_ id: some StringProtocol) -> Bool {
        sales.contains { $0.id == id && $0.left.values.allSatisfy { $0 == 0 } }
    }
}
