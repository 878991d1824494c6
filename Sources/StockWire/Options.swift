// The options of one request, `name=value` words behind its other arguments. They live in fixed places, one for each
// kind, of which only those that `has` names mean anything: emptying them is one store.

import StockModel

struct Options: ~Copyable {
    /// A bit for each option that the request has.
    var has: UInt32 = 0
    private let numbers: UnsafeMutablePointer<Int64>
    private let tokens: UnsafeMutablePointer<Token>

    init() {
        numbers = .allocate(capacity: Field.allCases.count)
        tokens = .allocate(capacity: Field.allCases.count)
    }

    deinit {
        numbers.deallocate()
        tokens.deallocate()
    }

    @inline(__always)
    static func bit(_ field: Field) -> UInt32 { 1 &<< UInt32(field.rawValue) }

    @inline(__always)
    static func mask(_ a: Field) -> UInt32 { bit(a) }
    @inline(__always)
    static func mask(_ a: Field, _ b: Field) -> UInt32 { bit(a) | bit(b) }
    @inline(__always)
    static func mask(_ a: Field, _ b: Field, _ c: Field) -> UInt32 { mask(a, b) | bit(c) }
    @inline(__always)
    static func mask(_ a: Field, _ b: Field, _ c: Field, _ d: Field) -> UInt32 { mask(a, b, c) | bit(d) }
    @inline(__always)
    static func mask(_ a: Field, _ b: Field, _ c: Field, _ d: Field, _ e: Field) -> UInt32 {
        mask(a, b, c, d) | bit(e)
    }

    func set(_ field: Field, _ number: Int64) { numbers[Int(field.rawValue)] = number }
    func set(_ field: Field, _ token: Token) { tokens[Int(field.rawValue)] = token }

    @inline(__always)
    func number(_ field: Field) -> Int64? {
        has & Self.bit(field) != 0 ? numbers[Int(field.rawValue)] : nil
    }

    @inline(__always)
    func token(_ field: Field) -> Token? {
        has & Self.bit(field) != 0 ? tokens[Int(field.rawValue)] : nil
    }

    @inline(__always)
    func time(_ field: Field) -> Timestamp? {
        number(field).map { Timestamp(milliseconds: $0) }
    }

    @inline(__always)
    func flag(_ field: Field) -> Bool? {
        number(field).map { $0 == 1 }
    }

    var settings: StockSettings {
        StockSettings(
            floor: number(.floor), limit: number(.limit), opens: number(.opens), closes: number(.closes),
            paused: flag(.paused))
    }

    var pageToken: UInt64? { number(.after).map { UInt64(bitPattern: $0) } }

    var pageCount: Int { number(.count).map { Int($0) } ?? Limits.pageEntriesDefault }
}
