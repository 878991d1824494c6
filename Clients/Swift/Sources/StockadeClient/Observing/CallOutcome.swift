// The end of a call in words for a meter or a span: few enough that each may have a time series of its own.

#if Metrics || Tracing

    /// How a call ended.
    struct CallOutcome: Sendable, Equatable {
        /// `done`, `refused`, `unknown`, or what kept it from being carried out.
        var name: String
        /// The refusal's code as the protocol spells it.
        var refusal: String?
        var error: StockadeError?

        init(_ refusal: Refusal?) {
            name = refusal == nil ? "done" : "refused"
            self.refusal = refusal?.code
        }

        init(_ error: StockadeError) {
            self.error = error
            name =
                switch error {
                case .outcomeUnknown: "unknown"
                case .deadlineExceeded: "deadline"
                case .cancelled: "cancelled"
                case .unavailable: "unavailable"
                case .serverTrouble: "trouble"
                case .overloaded: "overloaded"
                case .denied: "denied"
                case .invalid: "invalid"
                case .notRunning: "not-running"
                case .closed: "closed"
                case .unexpectedReply: "unexpected"
                }
        }
    }

    extension Refusal {
        /// The first word of its line, as Protocol/protocol.md has it.
        var code: String {
            switch self {
            case .soldOut: "SOLDOUT"
            case .insufficient, .floorInUse: "INSUFFICIENT"
            case .upcoming: "UPCOMING"
            case .ended: "ENDED"
            case .paused: "PAUSED"
            case .quota: "QUOTA"
            case .buyerNeeded: "BUYER"
            case .order(let state): state.rawValue.uppercased()
            case .noSuchSKU: "NOSKU"
            case .exists: "EXISTS"
            case .mismatch: "MISMATCH"
            case .inUse: "INUSE"
            case .noSuchOrder: "NOORDER"
            case .conflict: "CONFLICT"
            case .stale: "STALE"
            case .tooMany, .outOfRange: "RANGE"
            case .other: "other"
            }
        }
    }

#endif
