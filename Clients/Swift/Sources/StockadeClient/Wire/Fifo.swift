// A first-in, first-out queue. The requests of a connection stand in two of them: those that wait to be written, and
// those whose reply has not come.

/// A queue in one array. Taking from the front is O(1) amortised: the space in front is given back once it is
/// larger than what waits behind it.
struct Fifo<Element> {
    private var elements: [Element?] = []
    private var front = 0

    var count: Int { elements.count - front }
    var isEmpty: Bool { front == elements.count }
    var first: Element? { isEmpty ? nil : elements[front] }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[front]
        elements[front] = nil
        front += 1
        if front == elements.count {
            elements.removeAll(keepingCapacity: true)
            front = 0
        } else if front > 1_024 && front > count {
            elements.removeFirst(front)
            front = 0
        }
        return element
    }

    /// Shows each element, oldest first, to `change`, which may alter it in place.
    mutating func forEach(_ change: (inout Element) -> Void) {
        for index in front..<elements.count {
            guard var element = elements[index] else { continue }
            // Taken out while it is changed, so that what it refers to has one owner.
            elements[index] = nil
            change(&element)
            elements[index] = element
        }
    }

    /// Removes and hands over everything, oldest first.
    mutating func takeAll() -> [Element] {
        let all = elements[front...].compactMap { $0 }
        elements.removeAll()
        front = 0
        return all
    }
}
