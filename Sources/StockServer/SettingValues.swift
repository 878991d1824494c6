// The values that flags and environment variables are written in: durations as in the protocol, sizes, yes and no.
// Each parser gives `nil` for what is not of its form or does not fit; the caller says what was expected.

import StockModel

enum SettingValue {
    /// Milliseconds from `90s`, `15m`, `24h`, `7d`, `250ms`; a bare number is seconds.
    static func duration(_ text: String) -> Int64? {
        scaled(text, units: ["ms": 1, "s": 1000, "": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000])
    }

    /// Bytes from `512KiB`, `64MiB`, `4GiB`, `1TiB`, or in thousands `kB`, `MB`, `GB`, `TB`; a bare number is bytes.
    static func size(_ text: String) -> Int64? {
        scaled(
            text.lowercased(),
            units: [
                "": 1, "b": 1,
                "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
                "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
            ])
    }

    /// Bytes from a size, or from `70%` of what the machine lets this process have.
    static func memory(_ text: String, available: Int64) -> Int64? {
        guard text.hasSuffix("%") else { return size(text) }
        guard let percent = count(String(text.dropLast())), (1...100).contains(percent) else { return nil }
        return available / 100 * percent
    }

    /// A decimal number without a sign.
    static func count(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }

    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "true", "yes", "on": true
        case "0", "false", "no", "off", "": false
        default: nil
        }
    }

    private static func scaled(_ text: String, units: [String: Int64]) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = count(String(digits)), let unit = units[String(text.dropFirst(digits.count))] else {
            return nil
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : value
    }
}
