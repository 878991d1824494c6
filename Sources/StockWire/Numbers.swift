// Numbers as clients write them. The input is hostile: whatever its length, reading it never traps, and a number too
// large to be held is as large as can be, so that it fails the check of its range and not the check of its form.

/// The value of `count` decimal digits; `Int64.max` when it is larger than that; -1 when they are not all digits or
/// there are none.
@inline(__always)
func decimal(_ base: UnsafeRawPointer, count: Int) -> Int64 {
    guard count > 0 else { return -1 }
    // 18 digits cannot overflow.
    guard count <= 18 else { return longDecimal(base, count: count) }
    var value: Int64 = 0
    for index in 0..<count {
        let digit = base.load(fromByteOffset: index, as: UInt8.self) &- UInt8(ascii: "0")
        if digit > 9 { return -1 }
        value = value &* 10 &+ Int64(digit)
    }
    return value
}

@inline(never)
private func longDecimal(_ base: UnsafeRawPointer, count: Int) -> Int64 {
    var value: Int64 = 0
    for index in 0..<count {
        let digit = base.load(fromByteOffset: index, as: UInt8.self) &- UInt8(ascii: "0")
        if digit > 9 { return -1 }
        let (tenfold, tooLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tenfold.addingReportingOverflow(Int64(digit))
        value = tooLarge || carried ? .max : sum
    }
    return value
}

/// As `decimal`, with an optional sign; `nil` when it is not of the form.
func signedDecimal(_ base: UnsafeRawPointer, count: Int) -> Int64? {
    guard count > 0 else { return nil }
    let first = base.load(as: UInt8.self)
    let sign = first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? 1 : 0
    let value = decimal(base + sign, count: count - sign)
    guard value >= 0 else { return nil }
    return first == UInt8(ascii: "-") ? -value : value
}

/// Milliseconds of a duration such as `15m`: digits and then `ms`, `s`, `m`, `h`, `d` or nothing (seconds);
/// `Int64.max` when it is larger than that; -1 when it is not of the form.
func duration(_ base: UnsafeRawPointer, count: Int) -> Int64 {
    guard count > 0 else { return -1 }
    var digits = count
    var unit: Int64 = 1_000
    switch base.load(fromByteOffset: count - 1, as: UInt8.self) {
    case UInt8(ascii: "s"):
        digits -= 1
        if digits > 0, base.load(fromByteOffset: digits - 1, as: UInt8.self) == UInt8(ascii: "m") {
            digits -= 1
            unit = 1
        }
    case UInt8(ascii: "m"):
        digits -= 1
        unit = 60_000
    case UInt8(ascii: "h"):
        digits -= 1
        unit = 3_600_000
    case UInt8(ascii: "d"):
        digits -= 1
        unit = 86_400_000
    default: break
    }
    let value = decimal(base, count: digits)
    guard value >= 0 else { return -1 }
    let (milliseconds, tooLarge) = value.multipliedReportingOverflow(by: unit)
    return tooLarge ? .max : milliseconds
}
