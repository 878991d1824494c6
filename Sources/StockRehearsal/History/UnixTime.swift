// Times as order files have them: `2010-12-01T08:26:00Z`, with a space for the T, without seconds, with fractions
// of a second, with an offset such as +02:00; without any of these the time is UTC. A bare number is Unix
// milliseconds.

/// Text to Unix milliseconds.
enum UnixTime {
    /// nil for what is no time between the years 1 and 9999.
    static func milliseconds(of text: String) -> Int64? {
        if let number = Int64(text) { return number >= 0 && number <= 253_402_300_799_999 ? number : nil }
        var rest = Array(text.utf8)[...]
        guard let year = digits(4, &rest), year > 0, take("-", &rest), let month = digits(2, &rest), (1...12).contains(month),
            take("-", &rest), let day = digits(2, &rest), (1...lastDay(of: month, year)).contains(day),
            take("T", &rest) || take(" ", &rest),
            let hour = digits(2, &rest), hour < 24, take(":", &rest), let minute = digits(2, &rest), minute < 60
        else { return nil }
        var milliseconds = ((dayNumber(year, month, day) * 24 + hour) * 60 + minute) * 60_000
        if take(":", &rest) {
            guard let second = digits(2, &rest), second <= 60 else { return nil }
            milliseconds += second * 1_000
            if take(".", &rest) {
                let fraction = rest.prefix { (0x30...0x39).contains($0) }
                guard !fraction.isEmpty, fraction.count <= 9 else { return nil }
                rest = rest.dropFirst(fraction.count)
                var unit: Int64 = 100
                for digit in fraction.prefix(3) {
                    milliseconds += Int64(digit - 0x30) * unit
                    unit /= 10
                }
            }
        }
        if rest.isEmpty || (take("Z", &rest) && rest.isEmpty) { return milliseconds }
        let sign: Int64 = take("+", &rest) ? 1 : take("-", &rest) ? -1 : 0
        guard sign != 0, let hours = digits(2, &rest), hours < 24 else { return nil }
        _ = take(":", &rest)
        guard let minutes = digits(2, &rest), minutes < 60, rest.isEmpty else { return nil }
        return milliseconds - sign * (hours * 60 + minutes) * 60_000
    }

    private static func take(_ character: Unicode.Scalar, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Exactly so many digits.
    private static func digits(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> Int64? {
        let word = rest.prefix(count)
        guard word.count == count, word.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(count)
        return word.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    private static func lastDay(of month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 of the Gregorian calendar. Years are counted from March, so that a leap day is the last
    /// of its year.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let (y, m) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719_469
    }
}
