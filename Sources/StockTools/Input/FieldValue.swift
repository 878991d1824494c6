// What a field of a file may hold: a token, a whole number within limits, a moment. All of it is input that nobody has
// looked at yet.

import StockModel

enum FieldValue {
    /// Whether `bytes` are a token: a SKU, an id, a buyer.
    static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.count <= Limits.tokenLength && bytes.allSatisfy(isTokenByte)
    }

    /// A decimal number, spaces around it allowed; `nil` when it is none or too large for 64 bits.
    static func integer(_ bytes: ArraySlice<UInt8>) -> Int64? {
        var rest = bytes
        while let first = rest.first, isSpace(first) { rest.removeFirst() }
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard !rest.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in rest {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (tenfold, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tenfold.addingReportingOverflow(Int64(byte &- UInt8(ascii: "0")))
            if tooLarge || carried { return nil }
            value = sum
        }
        return isNegative ? -value : value
    }

    /// Unix milliseconds from a bare number of them, or from UTC as `2026-11-21`, `2026-11-21T07:33`,
    /// `2026-11-21T07:33:48` or `2026-11-21T07:33:48.123`, with or without a `Z`; `nil` for anything else.
    static func moment(_ bytes: ArraySlice<UInt8>) -> Int64? {
        if let number = integer(bytes) { return number }
        var text = bytes
        while let first = text.first, isSpace(first) { text.removeFirst() }
        while let last = text.last, isSpace(last) || last == UInt8(ascii: "Z") { text.removeLast() }
        let digits = Array(text)
        // Each form is this one, cut short; `0` stands for a digit.
        let form = Array("0000-00-00T00:00:00.000".utf8)
        guard [10, 16, 19, 23].contains(digits.count) else { return nil }
        var parts: [Int64] = [0]
        for (byte, wanted) in zip(digits, form) {
            if wanted == UInt8(ascii: "0") {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                parts[parts.count - 1] = parts[parts.count - 1] * 10 + Int64(byte - UInt8(ascii: "0"))
            } else {
                guard byte == wanted || (wanted == UInt8(ascii: "T") && byte == UInt8(ascii: " ")) else { return nil }
                parts.append(0)
            }
        }
        parts += Array(repeating: 0, count: 7 - parts.count)
        guard (1...12).contains(parts[1]), (1...31).contains(parts[2]), parts[3] < 24, parts[4] < 60, parts[5] < 60,
            parts[2] <= lastDay(ofMonth: parts[1], year: parts[0])
        else { return nil }
        let seconds = days(year: parts[0], month: parts[1], day: parts[2]) * 86_400 + parts[3] * 3_600 + parts[4] * 60
        return (seconds + parts[5]) * 1_000 + parts[6]
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func lastDay(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970 (Gregorian), by the method of Howard Hinnant, "chrono-compatible low-level date algorithms":
    /// years begin in March, so that the leap day is a year's last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let fromMarch = month <= 2 ? year - 1 : year
        let era = (fromMarch >= 0 ? fromMarch : fromMarch - 399) / 400
        let yearOfEra = fromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
