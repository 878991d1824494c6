// Every request of the protocol that the client sends, each as its words. What may stand in them is in
// Protocol/protocol.md.

import enum StockModel.Limits
import StockWire

enum Requests {
    // MARK: Orders

    static func deduct(_ order: NewOrder, born: Moment) throws(StockadeError) -> Request {
        var request = RequestWriter(.deduct)
        request.token(order.id, "order id", isEchoed: true)
        try request.order(order, born: born)
        return try request.finish()
    }

    static func reserve(_ order: NewOrder, for time: HoldTime, born: Moment) throws(StockadeError) -> Request {
        var request = RequestWriter(.reserve)
        request.token(order.id, "order id", isEchoed: true)
        request.duration(time)
        try request.order(order, born: born)
        return try request.finish()
    }

    static func confirm(_ id: String, _ items: [OrderItem], late: Bool) throws(StockadeError) -> Request {
        var request = RequestWriter(.confirm)
        request.token(id, "order id", isEchoed: true)
        request.items(items)
        request.flag("late", late)
        return try request.finish()
    }

    static func cancel(_ id: String, born: Moment?, reason: String?) throws(StockadeError) -> Request {
        var request = RequestWriter(.cancel)
        request.token(id, "order id", isEchoed: true)
        request.option("born", born?.unixMilliseconds, in: 0...Limits.timestamp)
        request.option("reason", reason, "reason")
        return try request.finish()
    }

    static func extend(_ id: String, by time: HoldTime) throws(StockadeError) -> Request {
        var request = RequestWriter(.extend)
        request.token(id, "order id", isEchoed: true)
        request.duration(time)
        return try request.finish()
    }

    static func giveBack(_ key: String, order: String, _ items: [OrderItem]) throws(StockadeError) -> Request {
        var request = RequestWriter(.giveBack)
        request.token(key, "id of a return", isEchoed: true)
        request.token(order, "order id")
        request.items(items)
        return try request.finish()
    }

    static func lookup(_ id: String) throws(StockadeError) -> Request {
        var request = RequestWriter(.lookup)
        request.token(id, "order id", isEchoed: true)
        return try request.finish(isChange: false)
    }

    static func holds(
        sku: String?, buyer: String?, after: String?, count: Int
    ) throws(StockadeError) -> Request {
        var request = RequestWriter(.holds)
        request.option("sku", sku, "SKU")
        request.option("buyer", buyer, "buyer")
        request.option("after", after, "page token")
        request.option("count", Int64(count), in: 1...Int64(Limits.pageEntries))
        return try request.finish(.array, isChange: false)
    }

    // MARK: Stock

    static func create(_ sku: String, onhand: Int64, _ settings: StockSettings) throws(StockadeError) -> Request {
        var request = RequestWriter(.create)
        request.token(sku, "SKU", isEchoed: true)
        request.number(onhand, "units on hand", in: 0...Limits.counter)
        request.settings(settings)
        return try request.finish()
    }

    static func adjust(
        _ id: String, sku: String, by delta: Int64, reason: String?, force: Bool
    ) throws(StockadeError) -> Request {
        var request = RequestWriter(.adjust)
        request.token(id, "id of an adjustment", isEchoed: true)
        request.token(sku, "SKU")
        request.number(delta, "delta", in: -Limits.counter...Limits.counter)
        request.option("reason", reason, "reason")
        request.flag("force", force)
        return try request.finish()
    }

    static func count(
        _ sku: String, onhand: Int64, _ condition: CountCondition, force: Bool
    ) throws(StockadeError) -> Request {
        var request = RequestWriter(.count)
        request.token(sku, "SKU", isEchoed: true)
        request.number(onhand, "units on hand", in: 0...Limits.counter)
        switch condition {
        case .ifOnhand(let expected): request.option("if", expected, in: -Limits.counter...Limits.counter)
        case .once(let id): request.option("id", id, "id of a count")
        }
        request.flag("force", force)
        return try request.finish()
    }

    static func configure(
        _ sku: String, _ settings: StockSettings, isPaused: Bool?
    ) throws(StockadeError) -> Request {
        var request = RequestWriter(.configure)
        request.token(sku, "SKU", isEchoed: true)
        request.settings(settings)
        request.option("paused", isPaused.map { $0 ? 1 : 0 }, in: 0...1)
        return try request.finish()
    }

    static func transfer(
        _ id: String, from: String, to: String, quantity: Int64
    ) throws(StockadeError) -> Request {
        var request = RequestWriter(.transfer)
        request.token(id, "id of a transfer", isEchoed: true)
        request.token(from, "SKU")
        request.token(to, "SKU")
        request.number(quantity, "quantity", in: 1...Limits.quantity)
        return try request.finish()
    }

    static func drop(_ sku: String) throws(StockadeError) -> Request {
        var request = RequestWriter(.drop)
        request.token(sku, "SKU", isEchoed: true)
        return try request.finish()
    }

    static func get(_ sku: String) throws(StockadeError) -> Request {
        var request = RequestWriter(.get)
        request.token(sku, "SKU", isEchoed: true)
        return try request.finish(isChange: false)
    }

    static func get(_ skus: [String]) throws(StockadeError) -> Request {
        var request = RequestWriter(.mget)
        for sku in skus { request.token(sku, "SKU") }
        return try request.finish(.array, isChange: false)
    }

    static func skus(prefix: String?, after: String?, count: Int) throws(StockadeError) -> Request {
        var request = RequestWriter(.skus)
        request.option("prefix", prefix, "prefix")
        request.option("after", after, "page token")
        request.option("count", Int64(count), in: 1...Int64(Limits.pageEntries))
        return try request.finish(.array, isChange: false)
    }

    // MARK: The server

    static func ping() throws(StockadeError) -> Request {
        try RequestWriter(.ping).finish(isChange: false)
    }

    static func clock() throws(StockadeError) -> Request {
        try RequestWriter(.clock).finish(isChange: false)
    }

    static func durable() throws(StockadeError) -> Request {
        try RequestWriter(.durable).finish(isChange: false)
    }

    static func stats(_ section: String?) throws(StockadeError) -> Request {
        var request = RequestWriter(.stats)
        if let section { request.token(section, "section") }
        return try request.finish(.array, isChange: false)
    }
}

extension RequestWriter {
    fileprivate mutating func order(_ order: NewOrder, born: Moment) throws(StockadeError) {
        guard !order.items.isEmpty else { throw .invalid("an order has one item at least") }
        items(order.items)
        option("buyer", order.buyer, "buyer")
        option("born", born.unixMilliseconds, in: 0...Limits.timestamp)
    }

    fileprivate mutating func settings(_ settings: StockSettings) {
        option("floor", settings.floor, in: -Limits.counter...Limits.counter)
        option("limit", settings.limit, in: 0...Limits.buyerLimit)
        option("opens", settings.opens?.unixMilliseconds, in: 0...Limits.timestamp)
        option("closes", settings.closes?.unixMilliseconds, in: 0...Limits.timestamp)
    }
}
