// Things that wait for their sequence: records read in the order in which they began, wanted in the order in which
// they ended.

/// A binary heap of payloads by a number, smallest first.
struct MinHeap<Payload> {
    private var items: [(key: UInt64, payload: Payload)] = []

    var isEmpty: Bool { items.isEmpty }

    /// The smallest key.
    var first: UInt64? { items.first?.key }

    /// Complexity: O(log n).
    mutating func push(_ key: UInt64, _ payload: Payload) {
        items.append((key, payload))
        var index = items.count - 1
        while index > 0 && items[(index - 1) / 2].key > items[index].key {
            items.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Takes out the payload with the smallest key, if that key is at most `limit`.
    ///
    /// Complexity: O(log n).
    mutating func pop(upTo limit: UInt64) -> Payload? {
        guard let first = items.first, first.key <= limit else { return nil }
        let last = items.removeLast()
        guard !items.isEmpty else { return first.payload }
        items[0] = last
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < items.count else { break }
            if child + 1 < items.count && items[child + 1].key < items[child].key { child += 1 }
            guard items[child].key < items[index].key else { break }
            items.swapAt(index, child)
            index = child
        }
        return first.payload
    }
}
