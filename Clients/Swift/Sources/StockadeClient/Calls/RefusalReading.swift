// Reads a `-` line: a refusal, an error, or a request for patience. The first word decides; whatever stands behind
// the words that are known is for people.

/// What a `-` line means to a call.
enum Negative: Equatable {
    case refusal(Refusal)
    case error(StockadeError)
    /// Nothing was done, and it may be asked again, after `pause` milliseconds if the server named them.
    case later(pause: Int64?, text: String)
}

extension ReplyLine {
    /// - Precondition: the line is negative.
    func negative() -> Negative {
        let code = code
        let name = text(1) ?? ""
        let text = text
        switch code {
        case "SOLDOUT": return .refusal(.soldOut(sku: name))
        case "INSUFFICIENT":
            if let available = number(of: "available") {
                return .refusal(.insufficient(sku: name, available: available, held: number(of: "held") ?? 0))
            }
            guard let floor = number(of: "floor"), let onhand = number(of: "onhand"), let held = number(of: "held")
            else { return .error(.unexpectedReply(text)) }
            return .refusal(.floorInUse(sku: name, floor: floor, onhand: onhand, held: held))
        case "UPCOMING":
            return .refusal(.upcoming(sku: name, opens: Moment(unixMilliseconds: number(of: "opens") ?? 0)))
        case "ENDED": return .refusal(.ended(sku: name))
        case "PAUSED": return .refusal(.paused(sku: name))
        case "QUOTA":
            guard let used = number(of: "used"), let limit = number(of: "limit") else {
                return .error(.unexpectedReply(text))
            }
            return .refusal(.quota(sku: name, used: used, limit: limit))
        case "BUYER": return .refusal(.buyerNeeded(sku: name))
        case "HELD": return .refusal(.order(.held))
        case "SOLD": return .refusal(.order(.sold))
        case "CANCELLED": return .refusal(.order(.cancelled))
        case "EXPIRED": return .refusal(.order(.expired))
        case "RETURNED": return .refusal(.order(.returned))
        case "NOSKU": return .refusal(.noSuchSKU(name))
        case "EXISTS": return .refusal(.exists(sku: name, onhand: number(of: "onhand") ?? 0))
        case "MISMATCH": return .refusal(.mismatch(sku: name, onhand: number(of: "onhand") ?? 0))
        case "INUSE": return .refusal(.inUse(sku: name, held: number(of: "held") ?? 0))
        case "NOORDER": return .refusal(.noSuchOrder(name))
        case "CONFLICT": return .refusal(.conflict(id: name, state: self.text(of: "state") ?? ""))
        case "STALE": return .refusal(.stale(name))
        case "RANGE":
            if let have = number(of: "have") { return .refusal(.tooMany(sku: name, have: have)) }
            return .refusal(.outOfRange(text))
        case "BUSY": return .later(pause: nil, text: text)
        case "SLOWDOWN": return .later(pause: retryPause, text: text)
        case "FULL", "READONLY": return .error(.serverTrouble(text))
        case "NOAUTH", "DENIED": return .error(.denied(text))
        case "SYNTAX", "UNKNOWN", "TOOLONG": return .error(.invalid(text))
        default: return .refusal(.other(code: code, text: text))
        }
    }

    /// The milliseconds of `retry=…ms`.
    private var retryPause: Int64? {
        guard let value = text(of: "retry"), value.hasSuffix("ms") else { return nil }
        return Int64(value.dropLast(2)).flatMap { $0 >= 0 ? $0 : nil }
    }
}

extension Refusal {
    /// Whether it says nothing about the id: the same request, arriving later, may still be accepted.
    var leavesIDFree: Bool {
        switch self {
        case .soldOut, .insufficient, .upcoming, .ended, .paused, .quota, .buyerNeeded, .noSuchSKU, .outOfRange,
            .noSuchOrder, .other:
            true
        case .order, .exists, .mismatch, .inUse, .floorInUse, .conflict, .stale, .tooMany: false
        }
    }
}
