// Which request comes n-th on a connection. It depends on nothing but the connection's number and n, so that
// nothing is remembered between requests and a run can be computed again.

/// The next thing that a connection says.
struct Step: Equatable {
    /// Which template.
    var template: Int
    /// The order's number; its upper 24 bits are the connection's.
    var order: UInt64
    /// The SKU, when it is not the order's own.
    var names: UInt32?
}

/// The order in which a workload's templates are used.
enum Plan: Equatable {
    /// Template 0, each time a new order.
    case fresh
    /// Template 0 for `block` new orders, then template 1 for each of them.
    case twoSteps(block: UInt64)
    /// Template 0 for the orders 0 ..< known, which some connection's setup has placed, again and again.
    case known(UInt64)
    /// The templates of `MixedTemplate` in a cycle of ten.
    case mixed
    /// Template 0 for SKU 0, 1, 2…
    case eachSKU

    /// The `n`-th step of connection `connection`; both count from 0.
    @inline(__always)
    func step(_ n: UInt64, of connection: UInt64) -> Step {
        let base = connection << 40
        switch self {
        case .fresh: return Step(template: 0, order: base | n)
        case .twoSteps(let block):
            let (round, place) = n.quotientAndRemainder(dividingBy: block)
            return Step(template: Int(round & 1), order: base | (round >> 1 &* block &+ place))
        case .known(let count): return Step(template: 0, order: (n &+ connection &* 7_919) % count)
        case .mixed:
            let (round, place) = n.quotientAndRemainder(dividingBy: 10)
            let (template, order) = Self.cycle(place)
            return Step(template: template.rawValue, order: base | (round &* 10 &+ order))
        case .eachSKU: return Step(template: 0, order: 0, names: UInt32(truncatingIfNeeded: n))
        }
    }

    /// What `mixed` does at `place` 0…9 of its cycle, and to which order of the cycle.
    private static func cycle(_ place: UInt64) -> (MixedTemplate, order: UInt64) {
        switch place {
        case 0: (.deduct, 0)
        case 1: (.hold, 1)
        case 2: (.read, 2)
        case 3: (.deduct, 3)
        case 4: (.confirm, 1)
        case 5: (.hold, 5)
        case 6: (.deduct, 6)
        case 7: (.cancel, 5)
        case 8: (.retry, 6)
        default: (.read, 9)
        }
    }
}

/// The templates of the mixed workload, in the order in which its book has them.
enum MixedTemplate: Int, CaseIterable {
    case deduct, hold, confirm, cancel, retry, read
}
