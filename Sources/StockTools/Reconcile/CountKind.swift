// What a shop's record counts. The three differ by what is held and by what is kept back, and comparing one with
// another is the usual false alarm.

/// The counter of a SKU that is compared with the shop's record.
public enum CountKind: String, CaseIterable, Sendable {
    /// Units not yet sold; those that are held for open orders are among them.
    case onhand
    /// Units that can be promised now: onhand less what is held and less the floor.
    case available
    /// Units sold, less returns.
    case sold

    /// The counter itself; what `available` would be if it could be below zero.
    func value(onhand: Int64, held: Int64, sold: Int64, floor: Int64) -> Int64 {
        switch self {
        case .onhand: onhand
        case .available: onhand &- held &- floor
        case .sold: sold
        }
    }

    /// What is shown and compared.
    func shown(_ value: Int64) -> Int64 { self == .available ? max(0, value) : value }

    /// How an entry of the history changed it.
    func change(onhand: Int64, held: Int64, sold: Int64) -> Int64 {
        switch self {
        case .onhand: onhand
        case .available: onhand &- held
        case .sold: sold
        }
    }
}
