// A page of SKUS or HOLDS as it is written: the lines, and behind them where the listing goes on, or that it does not.
// How many lines there are is known only when the page is full, and stands before them.

import StockModel

/// A page that is being written. It ends early rather than pass `Limits.pageBytes`, or when the ledger has looked at
/// enough for one turn.
public struct Page: ~Copyable {
    /// What one line may take: of a SKU, and of an order of the most pairs.
    public static let stockRoom = 1_024
    public static let orderRoom = Limits.pairs * (Limits.tokenLength + 22) + 1_024

    fileprivate var lines = ByteQueue()
    fileprivate var entries = 0
    /// Whether there is nothing behind this page.
    fileprivate var isLast = false
    private let count: Int
    private let entryRoom: Int

    /// - Parameters:
    ///   - count: lines at most.
    ///   - entryRoom: bytes that any one of them may take.
    public init(count: Int, entryRoom: Int) {
        self.count = count
        self.entryRoom = entryRoom
    }

    /// Takes entries from `next` until the page is full or there are no more.
    public mutating func fill<Item>(from next: () -> PageStep<Item>, write: (Item, inout ByteQueue) -> Void) {
        while entries < count, lines.count <= Limits.pageBytes - entryRoom {
            switch next() {
            case .item(let item):
                write(item, &lines)
                entries += 1
            case .more: return
            case .end:
                isLast = true
                return
            }
        }
    }
}

extension ByteQueue {
    /// `*N`, the page's lines, and `+END` or `+NEXT token`.
    ///
    /// - Parameter next: the token that the listing goes on from.
    public mutating func write(_ page: borrowing Page, next: UInt64) {
        writeArrayHeader(page.entries + 1)
        append(page.lines.bytes)
        if page.isLast { writeSimple("END") } else { writeNextPage(token: next) }
    }
}
