// The workloads as Stockade is asked for them.

/// The shapes of Stockade's requests.
enum StockadeRequests {
    /// Far more than any run sells.
    static let stock = "1000000000000"

    static let create = RequestShape(["CREATE", "{sku}", stock], expects: .starts("+CREATED "))
    static let deduct = RequestShape(["DEDUCT", "{order}", "{sku}", "1"], expects: .starts("+SOLD "))
    static let reserve = RequestShape(["RESERVE", "{order}", "30m", "{sku}", "1"], expects: .starts("+HELD "))
    static let confirm = RequestShape(["CONFIRM", "{order}"], expects: .starts("+SOLD "))
    static let cancel = RequestShape(["CANCEL", "{order}"], expects: .starts("+CANCELLED "))
    static let retry = RequestShape(deduct.words, expects: .replay("+SOLD "))
    static let get = RequestShape(["GET", "{sku}"], expects: .starts("+STOCK "))
    static let ping = RequestShape(["PING"], expects: .starts("+PONG"))

    static func order(lines: Int) -> RequestShape {
        RequestShape(
            ["DEDUCT", "{order}"] + (0..<lines).flatMap { [$0 == 0 ? "{sku}" : "{next}", "1"] },
            expects: .starts("+SOLD "))
    }

    /// The shapes that `workload` uses, in the order that its plan expects.
    static func shapes(of workload: Workload, lines: Int) -> [RequestShape] {
        switch workload {
        case .deduct, .hot, .spread, .decrby: [deduct]
        case .reserveConfirm: [reserve, confirm]
        case .order: [order(lines: lines)]
        case .replay: [retry]
        case .mixed:
            MixedTemplate.allCases.map { template in
                switch template {
                case .deduct: deduct
                case .hold: reserve
                case .confirm: confirm
                case .cancel: cancel
                case .retry: retry
                case .read: get
                }
            }
        case .ping: [ping]
        }
    }
}
