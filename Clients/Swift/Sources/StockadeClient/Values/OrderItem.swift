// The small words of an order: what, how many, for how long, since when.

/// One SKU and how many units of it.
///
/// ```swift
/// [.init("phone", 2), .init("case", 1)]
/// ```
public struct OrderItem: Sendable, Hashable, CustomStringConvertible {
    /// 1 to 128 bytes from `!` to `~` without `=`.
    public var sku: String
    /// 1 to 10^12 units.
    public var quantity: Int64

    public init(_ sku: String, _ quantity: Int64 = 1) {
        self.sku = sku
        self.quantity = quantity
    }

    public var description: String { "\(sku) \(quantity)" }
}

/// How long a hold lasts: 1 ms to 30 days.
public struct HoldTime: Sendable, Hashable, Comparable {
    public var milliseconds: Int64

    public static func milliseconds(_ count: Int64) -> HoldTime { HoldTime(count, times: 1) }
    public static func seconds(_ count: Int64) -> HoldTime { HoldTime(count, times: 1_000) }
    public static func minutes(_ count: Int64) -> HoldTime { HoldTime(count, times: 60_000) }
    public static func hours(_ count: Int64) -> HoldTime { HoldTime(count, times: 3_600_000) }
    public static func days(_ count: Int64) -> HoldTime { HoldTime(count, times: 86_400_000) }

    /// What is too long to be counted stays too long; the call that it is given to says so.
    private init(_ count: Int64, times unit: Int64) {
        let (product, isTooLarge) = count.multipliedReportingOverflow(by: unit)
        milliseconds = isTooLarge ? .max : product
    }

    public static func < (a: HoldTime, b: HoldTime) -> Bool { a.milliseconds < b.milliseconds }
}

/// A moment by the server's clock, or by this machine's where it says so, in Unix milliseconds.
public struct Moment: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var unixMilliseconds: Int64

    public init(unixMilliseconds: Int64) {
        self.unixMilliseconds = unixMilliseconds
    }

    public static func < (a: Moment, b: Moment) -> Bool { a.unixMilliseconds < b.unixMilliseconds }

    public var description: String { "\(unixMilliseconds) ms" }
}
