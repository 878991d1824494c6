// Which SKU an order takes: a pure function of the order's number, so that a retry or a confirmation names the
// SKU of the first try without anyone remembering it. Uniform, or by Zipf's law: the r-th most wanted SKU is
// asked for in proportion to 1 / r^s.

import Glibc

/// The choice of SKUs of a run.
struct SKUChoice: ~Copyable {
    /// SKUs there are, at least 1 as far as arithmetic goes.
    let count: UInt32
    private let seed: UInt64
    /// Draws by Zipf's law, used again and again in an order that the hash shuffles; nil: uniform.
    private let draws: UnsafeMutableBufferPointer<UInt32>?

    /// Two to this power are drawn: enough that the tail of a million SKUs is not missed.
    static let drawBits: UInt64 = 20

    init(count: Int, zipf: Double?, seed: UInt64) {
        self.count = UInt32(clamping: max(count, 1))
        self.seed = mix(seed)
        guard let zipf, count > 1 else {
            draws = nil
            return
        }
        let law = Zipf(count: count, exponent: zipf)
        var generator = SplitMix(seed: seed)
        draws = .allocate(copying: (0..<(1 << Self.drawBits)).map { _ in UInt32(law.rank(at: generator.nextUnit())) })
    }

    deinit { draws?.deallocate() }

    /// The SKU of an order, 0 ..< count.
    @inline(__always)
    func sku(of order: UInt64) -> UInt32 {
        let hash = mix(order ^ seed)
        if let draws { return draws[Int(hash >> (64 - Self.drawBits))] }
        return UInt32(((hash >> 32) &* UInt64(count)) >> 32)
    }
}

/// Zipf's law over the ranks 0 ..< count.
struct Zipf {
    private let cumulative: [Double]

    init(count: Int, exponent: Double) {
        var sum = 0.0
        cumulative = (1...max(count, 1)).map { rank in
            sum += pow(Double(rank), -exponent)
            return sum
        }
    }

    /// The rank at `unit`, a number from 0 up to 1: the first whose share of the whole, with those before it,
    /// passes it.
    func rank(at unit: Double) -> Int {
        let wanted = unit * (cumulative.last ?? 0)
        var low = 0
        var high = cumulative.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > wanted { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): numbers that look random and are the same for the same seed.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mix(state)
    }

    /// From 0 up to 1, without 1.
    mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// The finishing step of SplitMix64: every bit of the result depends on every bit of `value`.
@inline(__always)
func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
}
