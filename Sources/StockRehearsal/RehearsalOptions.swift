// What a rehearsal is told: where, how many, how fast, and how its customers behave.

import StockConnection

/// The settings of one rehearsal.
public struct RehearsalOptions: Sendable {
    public var address: Address
    /// The secret to log in with, if any.
    public var password: String?
    /// Connections; the orders of one buyer stay on one of them, in their order.
    public var clients = 8
    public var speed = Speed.max
    /// Share of the orders whose holds are never confirmed.
    public var abandon = Share.none
    /// Share of the accepted requests that are sent again.
    public var retry = Share.none
    /// Decides which they are: the same seed, the same choice.
    public var seed: UInt64 = 1
    /// Stands before every id, so that a rehearsal can be repeated on a server that remembers the last one.
    public var run = Self.randomRun()
    /// Stands before every SKU, so that a rehearsal never touches a shop's own; nil: `rehearsal-RUN/`.
    public var prefix: String?
    /// How long a hold may wait for its confirmation. Seconds.
    public var hold = 900
    /// How long an abandoned hold lasts. The rehearsal waits for the last one to run out. Milliseconds.
    public var abandonedHold = 2_000

    public static let mostClients = 1_000
    /// Bytes of `prefix`: with `FileToken.longest` it makes a token.
    public static let longestPrefix = 48

    public init(address: Address) { self.address = address }

    var skuPrefix: String { prefix ?? "rehearsal-\(run)/" }

    private static func randomRun() -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return String((0..<6).map { _ in letters[Int.random(in: 0..<letters.count)] })
    }

    /// - Throws: `.usage` that names the first setting out of its limits.
    func check() throws(RehearsalError) {
        guard (1...Self.mostClients).contains(clients) else { throw .usage("1 to \(Self.mostClients) clients can play") }
        let letters = skuPrefix.utf8
        guard !letters.isEmpty, letters.count <= Self.longestPrefix,
            letters.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "=") })
        else { throw .usage("the prefix takes 1 to \(Self.longestPrefix) of the characters '!' to '~' without '='") }
    }
}

/// How fast the file's time goes by.
public enum Speed: Equatable, Sendable, CustomStringConvertible {
    /// An order comes as soon as a client is free.
    case max
    /// So many times as fast as it was.
    case times(Double)

    /// Reads `max`, `1x`, `60x`, `0.5x`; nil for anything else.
    public init?(_ text: String) {
        if text == "max" {
            self = .max
            return
        }
        guard text.hasSuffix("x"), let factor = Double(text.dropLast()), factor.isFinite, factor > 0, factor <= 1e9 else {
            return nil
        }
        self = .times(factor)
    }

    public var description: String {
        switch self {
        case .max: "max"
        case .times(let factor): factor == factor.rounded() ? "\(Int64(factor))x" : "\(factor)x"
        }
    }

    /// Where in the file's time the rehearsal is after `nanoseconds` of its own. Milliseconds.
    func position(after nanoseconds: Int64) -> Int64 {
        switch self {
        case .max: .max
        case .times(let factor): Self.whole(Double(nanoseconds) / 1e6 * factor)
        }
    }

    /// When, in nanoseconds from the start, the order at `offset` milliseconds of the file's time is due.
    func due(at offset: Int64) -> Int64 {
        switch self {
        case .max: 0
        case .times(let factor): Self.whole((Double(offset) * 1e6 / factor).rounded(.up))
        }
    }

    /// `value` as an integer; what does not fit is as late as can be.
    private static func whole(_ value: Double) -> Int64 { Int64(exactly: value.rounded(.down)) ?? .max }
}

/// A part of all, from 0 to 1.
public struct Share: Equatable, Sendable, CustomStringConvertible {
    public let value: Double

    public static let none = Share(value: 0)

    private init(value: Double) { self.value = value }

    /// Reads `20%`, `20` or `2.5%`; nil for anything else, and for more than all.
    public init?(_ text: String) {
        guard let percent = Double(text.hasSuffix("%") ? String(text.dropLast()) : text), (0...100).contains(percent) else {
            return nil
        }
        value = percent / 100
    }

    public var description: String {
        let percent = (value * 1e6).rounded() / 1e4
        return percent == percent.rounded() ? "\(Int(percent))%" : "\(percent)%"
    }
}

/// Chance that is the same for the same seed, whatever comes in which order: it depends on the name of what may happen.
struct Chance {
    let seed: UInt64

    func happens(_ share: Share, to name: String) -> Bool {
        // FNV-1a over the name, then the finishing step of SplitMix64.
        var hash = seed ^ 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        hash ^= hash >> 31
        return Double(hash >> 11) * 0x1p-53 < share.value
    }
}
