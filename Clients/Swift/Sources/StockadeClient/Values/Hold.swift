// A hold: stock promised to one order for a time.

/// Units that are promised to an order until the hold runs out.
///
/// It is a value with a way back to the server: it may be kept, copied and passed on, and a hold that is known by its
/// id alone (from a database, in another process) is at hand as ``StockadeClient/hold(order:)``.
public struct Hold: Sendable {
    public let order: String
    /// The order's newest change; 0 of a hold that is known by its id alone.
    public let sequence: Int64
    /// What is left, for holds of a single SKU.
    public let available: Int64?
    /// When it runs out, by the server's clock. `nil` if the order is confirmed, or known by its id alone.
    public let expires: Moment?
    /// The order was there before this call's last attempt.
    public let isReplay: Bool
    /// The call repeated one whose hold has been confirmed since.
    public let isConfirmed: Bool
    let client: StockadeClient

    /// Sells what is held.
    ///
    /// - Parameters:
    ///   - items: what is sold; the rest goes back at once. Empty: everything.
    ///   - late: if the hold has run out, take the stock again, if it is there: for payments that came too late.
    public func confirm(
        _ items: [OrderItem] = [], late: Bool = false, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Sale> {
        try await client.confirm(order: order, items, late: late, deadline: deadline)
    }

    /// Gives back what is held. It never takes back a sale.
    public func cancel(
        reason: String? = nil, deadline: Duration? = nil
    ) async throws(StockadeError) -> Answer<Cancellation> {
        try await client.cancel(order: order, reason: reason, deadline: deadline)
    }

    /// Lets the hold run out `time` from now.
    ///
    /// - Returns: the hold with its new expiry.
    public func extend(by time: HoldTime, deadline: Duration? = nil) async throws(StockadeError) -> Answer<Hold> {
        try await client.extend(order: order, by: time, deadline: deadline)
    }
}

extension Hold {
    init(_ line: ReplyLine, order: String, client: StockadeClient) throws(StockadeError) {
        let isConfirmed = line.begins(with: "+SOLD")
        guard isConfirmed || line.begins(with: "+HELD"), let sequence = line.number(of: "seq") else {
            throw .unexpectedReply(line.text)
        }
        self.init(
            order: order, sequence: sequence, available: line.number(of: "available"),
            expires: line.number(of: "expires").map(Moment.init(unixMilliseconds:)), isReplay: line.flag("replay"),
            isConfirmed: isConfirmed, client: client)
    }

    init(_ order: Order, client: StockadeClient) {
        self.init(
            order: order.id, sequence: order.sequence, available: nil, expires: order.expires, isReplay: true,
            isConfirmed: order.state == .sold, client: client)
    }
}
