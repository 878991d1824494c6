// Faults to order: what a test makes the network or the server do to one request.

/// What happens to a request instead of an answer.
public enum Fault: Sendable, Hashable {
    /// It is carried out, and the connection closes without the reply. The nastiest one: a client that forgets it
    /// sells twice, one that takes it for a failure loses an order.
    case dropReply
    /// It is not carried out, and the connection closes.
    case dropRequest
    /// It is not carried out, and the connection is reset.
    case reset
    /// It is carried out, and the reply comes so much later.
    case delay(Duration)
    /// It is carried out, and nothing is ever heard on that connection again.
    case silence
    /// It is not carried out: `-BUSY`.
    case busy
    /// It is not carried out: `-SLOWDOWN retry=…ms`.
    case slowDown(milliseconds: Int64)
}

/// The faults that were ordered and have not happened yet.
struct FaultPlan {
    private struct Entry {
        var fault: Fault
        var verb: String?
        var left: Int
    }

    private var entries: [Entry] = []

    /// - Parameter verb: in capitals; `nil`: whatever comes.
    mutating func add(_ fault: Fault, verb: String?, count: Int) {
        guard count > 0 else { return }
        entries.append(Entry(fault: fault, verb: verb, left: count))
    }

    mutating func removeAll() {
        entries.removeAll()
    }

    /// The first fault that waits for such a request; it has happened now.
    mutating func take(for verb: String) -> Fault? {
        guard !entries.isEmpty,
            let index = entries.firstIndex(where: { $0.verb == nil || $0.verb == verb })
        else { return nil }
        let fault = entries[index].fault
        entries[index].left -= 1
        if entries[index].left == 0 { entries.remove(at: index) }
        return fault
    }
}
