// Random but interesting command lines, the same ones for the same seed: few
// names, so that everything meets everything; small stocks, so that they run
// out; short holds, so that they expire; retries, wrong verbs and wrong words.
// The stream knows nothing of the state; what a line deserves is the oracle's
// to say.

import SeededRandom

extension SeededGenerator {
    /// 0 ..< sides, for sides > 0.
    mutating func roll(_ sides: Int) -> Int { Int(next() % UInt64(sides)) }
    mutating func chance(_ percent: Int) -> Bool { roll(100) < percent }
    mutating func pick<T>(_ items: [T]) -> T { items[roll(items.count)] }
}

struct CommandStream {
    static let skus = ["a", "b", "c", "d", "store/7:e", "f"]
    static let orderIDs = (1...26).map { "o-\($0)" }
    static let operationIDs = (1...18).map { "x-\($0)" }
    static let ids = orderIDs + operationIDs
    static let buyers = ["ann", "bob", "cy", "dee"]
    /// What streams are made for, in milliseconds: an ended order is forgotten
    /// while its id still comes up again.
    static let retention: Int64 = 600
    static let start: Int64 = 1_763_690_400_000

    private var dice: SeededGenerator
    private var now: Int64 = 0
    private var step = 0
    /// Lines already given, for retries.
    private var given: [String] = []
    /// When they were given: `born=` is most telling if it hits one of these exactly.
    private var times: [Int64] = []
    /// The pairs last asked for under an id, for partial confirms and returns.
    private var asked: [String: [(sku: String, quantity: Int)]] = [:]
    /// Ids in the order in which they were asked for.
    private var recent: [String] = []
    private var promises = 0
    private var operations = 0
    /// A name that a DROP has made free, to be taken again soon.
    private var dropped: String?
    /// The rest of a story, told line by line among others.
    private var plot: [String] = []
    /// Whether the line at hand has a number outside its limits: then it gets
    /// no second fault, so that the code of its refusal is beyond doubt.
    private var hasOutlier = false

    init(seed: UInt64) { dice = SeededGenerator(seed: seed) }

    /// Milliseconds until the next command.
    mutating func pause() -> Int64 {
        switch dice.roll(100) {
        case ..<35: 0
        case ..<88: Int64(1 + dice.roll(9))
        case ..<99: Int64(20 + dice.roll(60))
        default: Int64(300 + dice.roll(400))
        }
    }

    mutating func next(at now: Int64) -> String {
        self.now = now
        step += 1
        times.append(now)
        if step <= Self.skus.count { return create(Self.skus[step - 1]) }
        if !plot.isEmpty, dice.chance(60) { return plot.removeFirst() }
        if plot.isEmpty, dice.chance(4) { plot = story() }
        if let name = dropped, dice.chance(15) { return create(name) }
        if given.count > 20, dice.chance(12) { return given[given.count - 1 - dice.roll(20)] }
        hasOutlier = false
        var line = command()
        if !hasOutlier, dice.chance(4) { return spoiled(line) }
        if dice.chance(3) { line = restyled(line) }
        given.append(line)
        return line
    }

    // MARK: One line of each kind

    private mutating func command() -> String {
        switch dice.roll(100) {
        case ..<4: create(dropped ?? sku())
        case ..<12: adjust()
        case ..<16: count()
        case ..<23: configure()
        case ..<27: transfer()
        case ..<28: drop()
        case ..<30: "GET \(sku())"
        case ..<31: "MGET \(sku()) nothing \(sku())"
        case ..<32: dice.pick(["SKUS", "SKUS prefix=store", "SKUS prefix=a"])
        case ..<43: deduct()
        case ..<63: reserve()
        case ..<77: confirm()
        case ..<81: "CANCEL \(knownID())\(born(40))\(dice.chance(20) ? " reason=unpaid" : "")"
        case ..<85: "EXTEND \(knownID()) \(ttl())"
        case ..<95: giveBack()
        case ..<98: "LOOKUP \(knownID())"
        default: dice.pick(["HOLDS", "HOLDS buyer=\(dice.pick(Self.buyers))", "HOLDS sku=\(Self.skus[0])"])
        }
    }

    private mutating func drop() -> String {
        let sku = sku()
        dropped = sku
        return "DROP \(sku)"
    }

    private mutating func create(_ sku: String) -> String {
        if sku == dropped { dropped = nil }
        var line = "CREATE \(sku) \(dice.chance(2) ? outlier(["9000000000000001"]) : "\(dice.roll(20))")"
        if dice.chance(3) { line = "CREATE \(sku) \(dice.pick(["9000000000000000", "8999999999999990"]))" }
        if dice.chance(25) { line += " floor=\(floor())" }
        if dice.chance(15) { line += " limit=\(1 + dice.roll(9))" }
        return line + window(5)
    }

    private mutating func adjust() -> String {
        var delta = dice.chance(65) ? "\(1 + dice.roll(10))" : "-\(1 + dice.roll(8))"
        if dice.chance(3) { delta = outlier(["0", "9000000000000001", "-99999999999999999999"]) }
        if dice.chance(2) { delta = dice.pick(["9000000000000000", "1000000000000"]) }
        var line = "ADJUST \(operationID()) \(sku()) \(delta)"
        if dice.chance(20) { line += " reason=stock-take" }
        if dice.chance(12) { line += " force=1" } else if dice.chance(5) { line += " force=0" }
        return line
    }

    private mutating func count() -> String {
        let onhand = dice.chance(3) ? outlier(["9000000000000001"]) : "\(dice.roll(12))"
        let guardedBy =
            dice.chance(50) ? "id=\(operationID())" : "if=\(dice.roll(10) - (dice.chance(15) ? 6 : 0))"
        return "COUNT \(sku()) \(onhand) \(guardedBy)\(dice.chance(15) ? " force=1" : "")"
    }

    private mutating func configure() -> String {
        var options = ""
        if dice.chance(40) { options += " floor=\(floor())" }
        if dice.chance(40) { options += " limit=\(dice.chance(60) ? 0 : 1 + dice.roll(9))" }
        if dice.chance(40) { options += " paused=\(dice.chance(12) ? 1 : 0)" }
        options += window(25)
        if options.isEmpty { options = " opens=0 closes=0 paused=0" }
        return "CONFIGURE \(sku())\(options)"
    }

    private mutating func transfer() -> String {
        let from = sku()
        var to = sku()
        while to == from { to = sku() }
        return "TRANSFER \(operationID()) \(from) \(to) \(quantity())"
    }

    private mutating func deduct() -> String {
        let id = newID()
        return "DEDUCT \(id)\(pairs(for: id))\(buyer())\(born(40))"
    }

    private mutating func reserve() -> String {
        let id = newID()
        let ttl = ttl()
        return "RESERVE \(id) \(ttl)\(pairs(for: id))\(buyer())\(born(40))"
    }

    private mutating func confirm() -> String {
        let id = knownID()
        return "CONFIRM \(id)\(dice.chance(30) ? part(of: id) : "")\(dice.chance(45) ? " late=1" : "")"
    }

    private mutating func giveBack() -> String {
        let id = knownID()
        return "RETURN \(operationID()) \(id)\(dice.chance(65) ? part(of: id) : "")"
    }

    // MARK: Lines that belong together

    /// What chance alone would seldom bring about: an order, and things done to it in a telling sequence.
    private mutating func story() -> [String] {
        let id = newID()
        let sku = sku()
        let quantity = 1 + dice.roll(3)
        let buyer = " buyer=\(dice.pick(Self.buyers))"
        let deduct = "DEDUCT \(id) \(sku) \(quantity)\(buyer)"
        let reserve = "RESERVE \(id) \(10 * (1 + dice.roll(5)))ms \(sku) \(quantity)\(buyer)"
        let giveBack = "RETURN \(operationID()) \(id)"
        let rival = "DEDUCT \(newID()) \(sku) \(1 + dice.roll(9))\(buyer)"
        let part = " \(sku) \(1 + dice.roll(quantity))"
        switch dice.roll(5) {
        case 0:  // Paid too late, when another may have taken the units or the limit.
            let limit = "CONFIGURE \(sku) limit=\(dice.chance(50) ? 0 : quantity)"
            return [reserve, "EXTEND \(id) 1ms", limit, rival, "CONFIRM \(id) late=1", "LOOKUP \(id)", reserve]
        case 1:  // Paid too late for a SKU that is sold out, or only for a part of it.
            return [
                reserve, "EXTEND \(id) 5ms", "COUNT \(sku) \(dice.roll(3)) id=\(operationID())",
                "CONFIRM \(id)\(part) late=1", "CONFIRM \(id) late=1", reserve,
            ]
        case 2:  // Bought, and given back in parts.
            return [
                deduct, giveBack + part, giveBack + part, deduct,
                "RETURN \(operationID()) \(id)", deduct, "CONFIRM \(id)", "CANCEL \(id)",
            ]
        case 3:  // Held, paid, given back; and its first request again.
            return [reserve, "CONFIRM \(id)\(part)", reserve, giveBack, reserve, giveBack, "EXTEND \(id) 1s"]
        default:  // The SKU goes, and perhaps comes again, under the feet of its orders.
            return [
                dice.chance(50) ? deduct : reserve, "EXTEND \(id) 1ms", "DROP \(sku)", giveBack,
                "CREATE \(sku) \(dice.roll(20))", giveBack, "CONFIRM \(id) late=1", deduct, "LOOKUP \(id)",
            ]
        }
    }

    // MARK: Words

    private mutating func sku() -> String { dice.pick(Self.skus) }

    /// For a promise: mostly the id that has rested longest.
    private mutating func newID() -> String {
        if dice.chance(5) { return dice.pick(Self.operationIDs) }
        if dice.chance(30) { return dice.pick(Self.orderIDs) }
        promises += 1
        return Self.orderIDs[promises % Self.orderIDs.count]
    }

    /// For what follows a promise: mostly an id that was asked for lately.
    private mutating func knownID() -> String {
        guard !recent.isEmpty, dice.chance(85) else {
            return dice.pick(dice.chance(90) ? Self.orderIDs : Self.operationIDs)
        }
        return recent[recent.count - 1 - dice.roll(min(8, recent.count))]
    }


    /// For an adjustment, count, transfer or return: mostly the id that has rested longest.
    private mutating func operationID() -> String {
        if dice.chance(4) { return dice.pick(Self.orderIDs) }
        if dice.chance(25) { return dice.pick(Self.operationIDs) }
        operations += 1
        return Self.operationIDs[operations % Self.operationIDs.count]
    }

    private mutating func buyer() -> String { dice.chance(85) ? " buyer=\(dice.pick(Self.buyers))" : "" }

    private mutating func born(_ percent: Int) -> String {
        guard dice.chance(percent) else { return "" }
        let past = dice.chance(85) ? 20 : 300
        return " born=\(times[times.count - 1 - dice.roll(min(past, times.count))])"
    }

    private mutating func floor() -> Int { dice.chance(50) ? 0 : dice.roll(11) - 7 }

    /// Mostly some tens of milliseconds, in each of the units.
    private mutating func ttl() -> String {
        if dice.chance(2) { return outlier(["0", "0ms", "31d", "721h", "2592001", "2592000001ms"]) }
        return dice.chance(15)
            ? dice.pick(["1", "2s", "15m", "24h", "30d", "2592000", "1ms"]) : "\(10 * (1 + dice.roll(dice.chance(50) ? 8 : 30)))ms"
    }

    private mutating func quantity() -> String {
        if dice.chance(8) { return outlier(["0", "1000000000001", "123456789012345678901234567890"]) }
        return dice.chance(2) ? "1000000000000" : "\(1 + dice.roll(dice.chance(80) ? 3 : 9))"
    }

    private mutating func pairs(for id: String) -> String {
        // Often the same again, so that a second line is a retry.
        if let before = asked[id], dice.chance(50) {
            recent.append(id)
            return text(before)
        }
        var fresh: [(sku: String, quantity: Int)] = []
        for _ in 0..<(dice.chance(60) ? 1 : 2 + dice.roll(3)) { fresh.append((sku(), 1 + dice.roll(dice.chance(70) ? 2 : 5))) }
        asked[id] = fresh
        recent.append(id)
        return dice.chance(8) ? " \(sku()) \(quantity())" : text(fresh)
    }

    /// Some of what the id may have asked for, rarely more than that or another SKU.
    private mutating func part(of id: String) -> String {
        guard let whole = asked[id], !dice.chance(6) else { return " \(sku()) \(quantity())" }
        var part: [(sku: String, quantity: Int)] = []
        for pair in whole where part.isEmpty || dice.chance(60) {
            part.append((pair.sku, dice.chance(5) ? pair.quantity + 1 : 1 + dice.roll(pair.quantity)))
        }
        return text(part)
    }

    private func text(_ pairs: [(sku: String, quantity: Int)]) -> String {
        pairs.map { " \($0.sku) \($0.quantity)" }.joined()
    }

    /// Sometimes a sale window around now; more often none.
    private mutating func window(_ percent: Int) -> String {
        guard dice.chance(percent) else { return "" }
        var options = ""
        if dice.chance(60) { options += " opens=\(dice.chance(50) ? 0 : now + Int64(dice.roll(200) - 60))" }
        if dice.chance(60) { options += " closes=\(dice.chance(75) ? 0 : now + Int64(dice.roll(200)))" }
        return options
    }

    private mutating func outlier(_ words: [String]) -> String {
        hasOutlier = true
        return dice.pick(words)
    }

    // MARK: Faults and manners

    /// The line with one fault (which now and then happens to be none).
    private mutating func spoiled(_ line: String) -> String {
        var words = line.split(separator: " ").map(String.init)
        let place = 1 + dice.roll(max(1, words.count - 1))
        switch dice.roll(4) {
        case 0 where words.count > 1 && words[0] != "CONFIGURE":
            words.removeLast()
        case 1:
            words.append(words[words.count - 1])
        default:
            let bad = [
                "=", "é", "tab\there", "\u{7F}", "-1", "1.5", "0x1", "1e3", "0", "999999999999999999999999",
                "force=2", "nonsense=1", "buyer=", String(repeating: "x", count: 129),
            ]
            if place < words.count { words[place] = dice.pick(bad) } else { words.append(dice.pick(bad)) }
        }
        return words.joined(separator: " ")
    }

    /// The same request in another spelling: small letters, more spaces, leading zeros.
    private mutating func restyled(_ line: String) -> String {
        var words = line.split(separator: " ").map(String.init)
        switch dice.roll(3) {
        case 0: words[0] = words[0].lowercased()
        case 1:
            for place in words.indices.dropFirst() {
                guard let equals = words[place].firstIndex(of: "=") else { continue }
                words[place] = words[place][..<equals].uppercased() + words[place][equals...]
            }
        default:
            if let last = words.last, last.allSatisfy(\.isNumber) { words[words.count - 1] = "000" + last }
        }
        return (dice.chance(30) ? " " : "") + words.joined(separator: dice.chance(50) ? "  " : " ")
    }
}
