// The same workloads as a shop builds them on Redis today: Lua scripts around a stock key, a dedup key that lives
// for a minute, and a hold key with a time to live. They are written the way that is fastest for Redis: one call
// checks and sets the dedup key (a refusal takes it back), keys come first, nothing is logged beside the AOF.
// What they lack is what the comparison is about: a retry after a minute sells twice, and a hold that runs out
// does not give its stock back.

/// The scripts by name; each answers a number, below zero for a refusal.
enum RedisScript: String, CaseIterable {
    case deduct, order, hold, confirm, cancel

    /// KEYS[1] is the dedup key in `deduct`, `order` and `hold`, the hold key in the others.
    var source: String {
        switch self {
        case .deduct:
            """
            if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', '60') then return -3 end
            local stock = tonumber(redis.call('GET', KEYS[2]))
            local wanted = tonumber(ARGV[1])
            if not stock or stock < wanted then
              redis.call('DEL', KEYS[1])
              if stock then return -1 end
              return -2
            end
            return redis.call('DECRBY', KEYS[2], wanted)
            """
        case .order:
            """
            if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', '60') then return -3 end
            for line = 2, #KEYS do
              local stock = tonumber(redis.call('GET', KEYS[line]))
              if not stock or stock < tonumber(ARGV[line - 1]) then
                redis.call('DEL', KEYS[1])
                if stock then return -1 end
                return -2
              end
            end
            for line = 2, #KEYS do redis.call('DECRBY', KEYS[line], ARGV[line - 1]) end
            return #KEYS - 1
            """
        case .hold:
            """
            if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', '60') then return -3 end
            local stock = tonumber(redis.call('GET', KEYS[2]))
            local wanted = tonumber(ARGV[1])
            if not stock or stock < wanted then
              redis.call('DEL', KEYS[1])
              if stock then return -1 end
              return -2
            end
            redis.call('SET', KEYS[3], wanted, 'EX', '1800')
            return redis.call('DECRBY', KEYS[2], wanted)
            """
        case .confirm:
            """
            local held = redis.call('GETDEL', KEYS[1])
            if not held then return -4 end
            redis.call('SET', KEYS[2], held, 'EX', '604800')
            return tonumber(held)
            """
        case .cancel:
            """
            local held = redis.call('GETDEL', KEYS[1])
            if not held then return -4 end
            return redis.call('INCRBY', KEYS[2], held)
            """
        }
    }
}

/// The shapes of the requests to Redis.
struct RedisRequests {
    /// What SCRIPT LOAD answered for each script.
    let digests: [RedisScript: String]

    static let create = RequestShape(["SET", "stock:{sku}", StockadeRequests.stock], expects: .starts("+OK"))

    private func run(_ script: RedisScript, keys: [String], _ arguments: [String], expects: ExpectedReply) -> RequestShape {
        RequestShape(
            ["EVALSHA", digests[script] ?? "", String(keys.count)] + keys + arguments, expects: expects)
    }

    /// As `StockadeRequests.shapes`.
    func shapes(of workload: Workload, lines: Int) -> [RequestShape] {
        let deduct = run(.deduct, keys: ["dedup:{order}", "stock:{sku}"], ["1"], expects: .number)
        let retry = RequestShape(deduct.words, expects: .starts(":-3"))
        let hold = run(
            .hold, keys: ["dedup:{order}", "stock:{sku}", "hold:{order}:{sku}"], ["1"], expects: .number)
        let confirm = run(.confirm, keys: ["hold:{order}:{sku}", "sold:{order}"], [], expects: .number)
        let cancel = run(.cancel, keys: ["hold:{order}:{sku}", "stock:{sku}"], [], expects: .number)
        return switch workload {
        case .deduct, .hot, .spread: [deduct]
        case .reserveConfirm: [hold, confirm]
        case .order:
            [
                run(
                    .order, keys: ["dedup:{order}"] + (0..<lines).map { $0 == 0 ? "stock:{sku}" : "stock:{next}" },
                    (0..<lines).map { _ in "1" }, expects: .number)
            ]
        case .replay: [retry]
        case .mixed:
            MixedTemplate.allCases.map { template in
                switch template {
                case .deduct: deduct
                case .hold: hold
                case .confirm: confirm
                case .cancel: cancel
                case .retry: retry
                case .read: RequestShape(["GET", "stock:{sku}"], expects: .starts("$"))
                }
            }
        case .ping: [RequestShape(["PING"], expects: .starts("+PONG"))]
        case .decrby: [RequestShape(["DECRBY", "stock:{sku}", "1"], expects: .number)]
        }
    }
}
