// Time, as the ledger sees it: it comes in as an argument, once per turn of the loop.

/// A moment in Unix milliseconds, by the server's ledger clock or, for `born=`, the client's.
@frozen
public struct Timestamp: Equatable, Comparable, Hashable, Sendable {
    public var milliseconds: Int64

    @inlinable
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    @inlinable
    public static func < (a: Timestamp, b: Timestamp) -> Bool {
        a.milliseconds < b.milliseconds
    }

    /// The moment `milliseconds` later. Both operands are within `Limits`, so the sum cannot overflow.
    @inlinable
    public static func + (time: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds &+ milliseconds)
    }

    @inlinable
    public static func - (time: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds &- milliseconds)
    }
}
