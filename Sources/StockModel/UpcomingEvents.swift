// Decoded events that wait to be applied, with what can be counted of them beforehand, on another thread.

/// Events in the order of the log. What it points to belongs to whoever hands it out.
@frozen
public struct UpcomingEvents {
    public let events: UnsafeBufferPointer<Event>
    /// For each of them, the keyed hash of the id that it is found by; 0 for those that have none.
    public let idHashes: UnsafeBufferPointer<UInt64>

    /// - Parameter idHashes: as many as `events`.
    @inlinable
    public init(events: UnsafeBufferPointer<Event>, idHashes: UnsafeBufferPointer<UInt64>) {
        invariant(events.count == idHashes.count, "each event has its hash")
        self.events = events
        self.idHashes = idHashes
    }
}

extension Event {
    /// The id that whoever applies the event looks for first; `nil` if there is none.
    @inlinable
    public var id: Token? {
        switch self {
        case .adjusted(let id, _, _, _), .transferred(let id, _, _), .deducted(let id, _, _, _),
            .reserved(let id, _, _, _, _, _), .confirmed(let id, _, _), .cancelled(let id, _, _), .emptyCancelled(let id, _, _),
            .extended(let id, _), .returned(let id, _, _, _, _), .expired(let id, _):
            return id
        case .counted(let id, _, _): return id
        case .created, .configured, .dropped, .forgot: return nil
        }
    }

    /// The SKU of its first line; 0: it has no lines.
    @inlinable
    public var firstOrdinal: UInt32 {
        switch self {
        case .deducted(_, let lines, _, _), .reserved(_, let lines, _, _, _, _), .confirmed(_, let lines, _),
            .cancelled(_, let lines, _), .expired(_, let lines), .returned(_, _, let lines, _, _):
            return lines.first?.ordinal ?? 0
        case .adjusted(_, let line, _, _), .counted(_, let line, _), .transferred(_, let line, _): return line.ordinal
        case .created, .configured, .dropped, .emptyCancelled, .extended, .forgot: return 0
        }
    }
}
