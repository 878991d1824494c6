// An oracle in the place of the server: the streams are played to it, and with a
// mistake built in it shows that the comparison finds mistakes.

struct OracleAsSubject: Subject {
    enum Mistake: Equatable {
        /// The reply is given, but what the command did is lost.
        case losesEffect(of: String)
        /// The word is missing from replies.
        case leavesOut(String)
        case answersTwice(String)
        case neverReleases
        /// Forgets what is still this many milliseconds within its retention.
        case forgetsEarly(by: Int64)
        /// Pages of listings end before their last item.
        case losesLastItem
    }

    var oracle = Oracle(retention: CommandStream.retention)
    var mistake: Mistake?
    /// Items on a page of HOLDS or SKUS.
    var pageSize = 2

    init(mistake: Mistake? = nil) { self.mistake = mistake }

    mutating func respond(_ line: String, at now: Int64) -> [String] {
        let words = line.split(separator: " ").map(String.init)
        var listing = line
        var start = 0
        if let after = words.last, after.hasPrefix("after="), let number = Int(after.dropFirst("after=".count)) {
            listing = words.dropLast().joined(separator: " ")
            start = number
        }
        let before = oracle
        let reply = oracle.respond(listing, at: now)
        if case .losesEffect(of: words.first) = mistake { oracle = before }
        if reply.last == "+END" { return page(of: reply, from: start) }
        switch mistake {
        case .leavesOut(let word):
            return reply.map { $0.split(separator: " ").filter { $0 != word }.joined(separator: " ") }
        case .answersTwice(let verb) where verb == words.first: return reply + reply
        default: return reply
        }
    }

    mutating func advance(to now: Int64) -> [Upkeep] {
        var done: [Upkeep] = []
        for id in oracle.dueHolds(at: now) where mistake != .neverReleases {
            oracle.release(id, at: now)
            done.append(.released(id))
        }
        var deadline = now
        if case .forgetsEarly(let milliseconds) = mistake { deadline += milliseconds }
        if let last = oracle.newestForgettable(at: deadline) {
            oracle.forget(endedUpTo: last)
            done.append(.forgot(endedUpTo: last))
        }
        return done
    }

    private func page(of reply: [String], from start: Int) -> [String] {
        var items = Array(reply.dropFirst().dropLast())
        if mistake == .losesLastItem { items = items.dropLast() }
        let end = min(start + pageSize, items.count)
        let next = end == items.count ? "+END" : "+NEXT \(end)"
        let here = items[min(start, end)..<end]
        return ["*\(here.count + 1)"] + here + [next]
    }
}

extension Oracle {
    /// The sequence up to which everything ended is past its retention; nil if nothing is.
    func newestForgettable(at now: Int64) -> Int64? {
        let ended =
            orders.values.filter { $0.state != .held }.map { (seq: $0.seq, at: $0.changedAt) }
            + operations.values.map(end)
        return ended.filter { $0.at + retention <= now }.map(\.seq).max()
    }
}
