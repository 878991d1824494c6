// Times and durations as people read them, in messages and tools. Computed by hand: the server has no Foundation.

/// A moment in Unix milliseconds, as `2026-11-21T07:33:48.123Z`.
public struct UTCTime: CustomStringConvertible, Sendable {
    public let milliseconds: Int64

    public init(_ milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public var description: String {
        let (days, inDay) = Self.divideFloor(milliseconds, by: 86_400_000)
        let (year, month, day) = Self.civil(days: days)
        let seconds = inDay / 1000
        return "\(year < 0 ? "-" : "")\(padded(abs(year), 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
            + ".\(padded(inDay % 1000, 3))Z"
    }

    /// Year, month and day of a day since 1970 (Gregorian), by the method of Howard Hinnant, "chrono-compatible
    /// low-level date algorithms": years begin in March, so that the leap day is a year's last.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = divideFloor(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// The quotient rounded down, and a remainder that is never negative.
    private static func divideFloor(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let remainder = value % divisor
        return remainder < 0 ? (value / divisor - 1, remainder + divisor) : (value / divisor, remainder)
    }
}

/// A duration in milliseconds in its largest fitting unit, as `340 ms`, `2.5 s`, `15 min`, `3 h`, `30 d`.
public struct DurationText: CustomStringConvertible, Sendable {
    public let milliseconds: Int64

    public init(_ milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public var description: String {
        let units: [(name: String, milliseconds: Int64)] = [
            ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000),
        ]
        for unit in units where milliseconds >= unit.milliseconds {
            return "\(oneDecimal(milliseconds, in: unit.milliseconds)) \(unit.name)"
        }
        return "\(milliseconds) ms"
    }
}

/// A size in bytes in its largest fitting unit, as `64 MiB`.
public struct SizeText: CustomStringConvertible, Sendable {
    public let bytes: Int64

    public init(_ bytes: Int64) {
        self.bytes = bytes
    }

    public var description: String {
        for (name, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes >= 1 << shift {
            return "\(oneDecimal(bytes, in: 1 << shift)) \(name)"
        }
        return "\(bytes) B"
    }
}

/// `value` in units of `unit`, with one decimal where it is not whole, rounded down. `value` is not negative.
private func oneDecimal(_ value: Int64, in unit: Int64) -> String {
    let tenths = value % unit * 10 / unit
    return tenths == 0 ? "\(value / unit)" : "\(value / unit).\(tenths)"
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
