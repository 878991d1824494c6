// The laws of the stock, recomputed from nothing but the orders. The oracle's
// own counters were changed step by step, so a slip in a step shows here.

extension Oracle {
    /// Every law that does not hold now, in words; empty when all is well.
    func brokenLaws() -> [String] {
        let sums = sumsOfOrders()
        return skus.indices.flatMap { brokenLaws(ofSKU: $0, sums[$0]) }
            + brokenLawsOfOrders() + brokenLawsOfPromise()
    }

    /// What the orders say of one SKU.
    private struct Sums {
        var held: Int64 = 0
        var sold: Int64 = 0
        var used: [String: Int64] = [:]
    }

    /// One walk over all remembered orders; the sums by place of the SKU.
    private func sumsOfOrders() -> [Sums] {
        var sums = skus.map { Sums(sold: $0.settled, used: $0.kept) }
        for order in orders.values {
            for line in order.lines {
                let held = order.state == .held ? line.asked : 0
                sums[line.sku].held += held
                sums[line.sku].sold += line.left
                if let buyer = order.asked?.buyer { sums[line.sku].used[buyer, default: 0] += held + line.left }
            }
        }
        return sums
    }

    private func brokenLaws(ofSKU place: Int, _ sums: Sums) -> [String] {
        let sku = skus[place]
        var broken: [String] = []
        func law(_ holds: Bool, _ text: @autoclosure () -> String) {
            if !holds { broken.append("\(sku.name) (#\(place)): \(text())") }
        }
        law(sku.held >= 0 && sku.sold >= 0, "held \(sku.held) or sold \(sku.sold) is negative")
        law(sku.held == sums.held, "held \(sku.held), but its open orders hold \(sums.held)")
        law(sku.sold == sums.sold, "sold \(sku.sold), but its orders and the settled units make \(sums.sold)")
        law(sku.loaded == sku.onhand + sku.sold, "loaded \(sku.loaded) ≠ \(sku.onhand) + \(sku.sold)")
        law(sku.shortfall <= sku.excused, "short by \(sku.shortfall), excused \(sku.excused)")
        for counter in [sku.onhand, sku.held, sku.sold, sku.loaded, sku.settled] {
            law(limits.signed.contains(counter), "a counter is \(counter)")
        }
        if sku.isDropped {
            law(sku.held == 0, "dropped with \(sku.held) held")
            law(sku.used.isEmpty && sku.kept.isEmpty, "dropped, but still counts buyers")
        } else {
            law(
                sku.used.filter { $0.value != 0 } == sums.used.filter { $0.value != 0 },
                "buyers \(sku.used), but the orders say \(sums.used)")
        }
        return broken
    }

    private func brokenLawsOfOrders() -> [String] {
        var broken: [String] = []
        for order in orders.values {
            let sound =
                switch order.state {
                case .held: order.lines.allSatisfy { $0.sold == 0 } && !order.lines.isEmpty
                case .cancelled, .expired: order.lines.allSatisfy { $0.sold == 0 }
                case .sold: order.lines.contains { $0.left > 0 }
                case .returned: order.lines.allSatisfy { $0.left == 0 } && order.lines.contains { $0.sold > 0 }
                }
            if !sound { broken.append("\(order.id): \(order.state) with lines \(order.lines)") }
            for line in order.lines where !(0 <= line.returned && line.returned <= line.sold && line.sold <= line.asked) {
                broken.append("\(order.id): impossible line \(line)")
            }
            if order.seq > seq || order.changedAt > now { broken.append("\(order.id): is of the future") }
            if operations[order.id] != nil { broken.append("\(order.id): has two outcomes") }
        }
        return broken
    }

    /// What was promised just now left the floor and every buyer's limit alone.
    private func brokenLawsOfPromise() -> [String] {
        promised.skus.compactMap { place in
            let sku = skus[place]
            if sku.onhand - sku.held < sku.floor { return "\(sku.name): promised below its floor" }
            let used = promised.buyer.map { sku.used[$0] ?? 0 } ?? 0
            if sku.limit != 0, used > sku.limit { return "\(sku.name): \(used) units for one buyer" }
            return nil
        }
    }
}
