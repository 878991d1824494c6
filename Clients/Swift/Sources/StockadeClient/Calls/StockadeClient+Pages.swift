// Listings of any length, page by page: the next page is asked for when the last one has been used up.

/// All SKUs, or all open orders, as a sequence. Nothing is asked before the first element is.
///
/// Entries that come and go while it runs may or may not be in it; every other is in it exactly once.
public struct Pages<Element: Sendable>: AsyncSequence, Sendable {
    public typealias Failure = StockadeError

    let request: @Sendable (_ after: String?) throws(StockadeError) -> Request
    let read: @Sendable (ReplyLine) throws(StockadeError) -> Element
    let client: StockadeClient
    /// For each page.
    let deadline: Duration?

    public func makeAsyncIterator() -> Iterator {
        Iterator(pages: self)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private let pages: Pages
        private var page: ArraySlice<Element> = []
        private var token: String?
        private var isLastPage = false

        init(pages: Pages) {
            self.pages = pages
        }

        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(StockadeError) -> Element? {
            // A page may be empty and still not be the last.
            while page.isEmpty && !isLastPage { try await turn(isolation: actor) }
            return page.popFirst()
        }

        private mutating func turn(isolation actor: isolated (any Actor)?) async throws(StockadeError) {
            let request = try pages.request(token)
            let lines = try await pages.client.list(request, on: pages.client.side, within: pages.deadline)
            guard let last = lines.last else { throw .unexpectedReply("a page without an end") }
            var entries: [Element] = []
            for line in lines.dropLast() { entries.append(try pages.read(line)) }
            if last.begins(with: "+END") {
                isLastPage = true
            } else {
                guard last.begins(with: "+NEXT"), let next = last.text(1), next != token else {
                    throw .unexpectedReply(last.text)
                }
                token = next
            }
            page = entries[...]
        }
    }
}

extension StockadeClient {
    /// All SKUs in the order of their creation.
    ///
    /// - Parameters:
    ///   - prefix: only those whose names begin so.
    ///   - pageSize: 1 to 1,000 entries are asked for at a time.
    public func skus(prefix: String? = nil, pageSize: Int = 100, deadline: Duration? = nil) -> Pages<StockLevel> {
        Pages(
            request: { after throws(StockadeError) in
                try Requests.skus(prefix: prefix, after: after, count: pageSize)
            },
            read: { line throws(StockadeError) in try StockLevel(line) },
            client: self, deadline: deadline)
    }

    /// All open orders, in no particular order.
    ///
    /// - Parameters:
    ///   - sku: only those that hold this SKU.
    ///   - buyer: only this buyer's.
    public func holds(
        sku: String? = nil, buyer: String? = nil, pageSize: Int = 100, deadline: Duration? = nil
    ) -> Pages<Order> {
        Pages(
            request: { after throws(StockadeError) in
                try Requests.holds(sku: sku, buyer: buyer, after: after, count: pageSize)
            },
            read: { line throws(StockadeError) in try Order(line) },
            client: self, deadline: deadline)
    }
}
