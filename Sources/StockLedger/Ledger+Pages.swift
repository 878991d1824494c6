// Looking: one SKU, one order, and the pages of SKUS and HOLDS. A page is read step by step and has a budget, so
// that a page over a million SKUs of which none matches costs no turn of the loop.

import StockModel

/// A page of `SKUS` that is being read. Its prefix must outlive it.
public struct StockCursor {
    var position: UInt32
    var budget: Int
    let prefix: Token?
}

/// A page of `HOLDS` that is being read. Its buyer must outlive it.
public struct HoldCursor {
    var position: UInt32
    var budget: Int
    /// 0: whatever the SKU. `nil`: a SKU that does not exist, so no hold matches.
    let ordinal: UInt32?
    let buyer: Token?
}

extension Ledger {
    /// Entries looked at for one page. Each may be a wait for memory or two: so many take less than a millisecond.
    private static let pageBudget = 4_000

    // MARK: SKUS

    /// The page after `token`, or the first; `nil` when that token was never given.
    public func stockCursor(prefix: Token?, after token: UInt64?) -> StockCursor? {
        guard let position = position(token, .sku, upTo: stocks.newest) else { return nil }
        return StockCursor(position: position, budget: Ledger.pageBudget, prefix: prefix)
    }

    /// The next SKU of a page, in the order of creation.
    public func next(_ cursor: inout StockCursor) -> PageStep<StockView> {
        while cursor.position < stocks.newest {
            guard cursor.budget > 0 else { return .more }
            cursor.budget -= 1
            cursor.position += 1
            guard !stocks[cursor.position].pointee.isDropped else { continue }
            if let prefix = cursor.prefix {
                let key = stocks.key(cursor.position)
                guard key.count >= prefix.count, equalBytes(key.base, prefix.base, count: prefix.count) else {
                    continue
                }
            }
            return .item(view(ofSKU: cursor.position))
        }
        return .end
    }

    /// What a client gives back to see the page that follows.
    public func token(of cursor: StockCursor) -> UInt64 { token(cursor.position, .sku) }

    // MARK: HOLDS

    /// The page after `token`, or the first; `nil` when that token was never given.
    public func holdCursor(sku: Token?, buyer: Token?, after token: UInt64?) -> HoldCursor? {
        guard let position = position(token, .order, upTo: holds.slotCount) else { return nil }
        var ordinal: UInt32? = 0
        if let sku {
            let found = stocks.find(sku)
            ordinal = found == 0 ? nil : found
        }
        return HoldCursor(position: position, budget: Ledger.pageBudget, ordinal: ordinal, buyer: buyer)
    }

    /// The next open order of a page, in no particular order. An order that is open while all pages are read is shown
    /// exactly once. Valid until the next call.
    public func next(_ cursor: inout HoldCursor) -> PageStep<OrderView> {
        guard let ordinal = cursor.ordinal else { return .end }
        while cursor.position < holds.slotCount {
            guard cursor.budget > 0 else { return .more }
            cursor.budget -= 1
            let reference = holds.order(at: cursor.position)
            cursor.position += 1
            guard reference != 0 else { continue }
            let record = records[reference]
            cursor.budget -= record.lineCount / 16
            if ordinal != 0 && record.line(of: ordinal) == nil { continue }
            if let buyer = cursor.buyer, record.buyer != buyer { continue }
            guard let view = view(of: reference) else { continue }
            return .item(view)
        }
        return .end
    }

    /// What a client gives back to see the page that follows.
    public func token(of cursor: HoldCursor) -> UInt64 { token(cursor.position, .order) }

    // MARK: Tokens

    // A token is a position and 16 bits of its keyed hash, so that one that was never given is recognised.

    private func token(_ position: UInt32, _ kind: ItemKind) -> UInt64 {
        UInt64(position) << 16 | check(position, kind)
    }

    private func position(_ token: UInt64?, _ kind: ItemKind, upTo last: UInt32) -> UInt32? {
        guard let token else { return 0 }
        guard let position = UInt32(exactly: token >> 16), position <= last,
            token & 0xFFFF == check(position, kind)
        else { return nil }
        return position
    }

    private func check(_ position: UInt32, _ kind: ItemKind) -> UInt64 {
        var hasher = ItemHasher(kind)
        hasher.combine(hashKey.k0)
        hasher.combine(hashKey.k1)
        hasher.combine(UInt64(position))
        return hasher.finish() & 0xFFFF
    }

    // MARK: Views

    func view(ofSKU ordinal: UInt32) -> StockView {
        let stock = stocks[ordinal].pointee
        return StockView(
            sku: stocks.key(ordinal), available: stock.available, held: stock.held, sold: stock.sold,
            onhand: stock.onhand, floor: stock.floor, limit: stock.limit, opens: stock.opens, closes: stock.closes,
            paused: stock.isPaused, status: stock.status(at: clock), sequence: sequence)
    }

    /// `nil` when the id is an operation's.
    func view(of reference: Arena.Reference) -> OrderView? {
        let record = records[reference]
        guard let state = record.orderState else { return nil }
        let header = record.header.pointee
        var count = 0
        for index in 0..<record.lineCount {
            let line = record.lines[index]
            let quantity = state == .sold ? line.kept : line.asked
            guard quantity != 0 else { continue }
            (shownLines + count).initialize(to: OrderLine(sku: stocks.key(line.ordinal), quantity: quantity))
            count += 1
        }
        return OrderView(
            id: record.id, state: state, sequence: header.sequence, at: Timestamp(milliseconds: header.at),
            expires: state == .held ? Timestamp(milliseconds: header.moment) : nil, buyer: record.buyer,
            lines: OrderLines(start: shownLines, count: count))
    }
}
