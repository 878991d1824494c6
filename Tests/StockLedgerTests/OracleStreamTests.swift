// The oracle under streams of random commands: its laws hold after every step,
// and the streams bring about whatever can happen.

import Testing

extension Oracle {
    /// Records every broken law as an issue of the running test.
    func assertLaws(
        _ context: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let broken = brokenLaws()
        #expect(broken.isEmpty, "\(context())", sourceLocation: sourceLocation)
    }
}

@Suite("The oracle under random commands")
struct OracleStreamTests {
    /// Plays a stream to an oracle, checks the laws at each step, and gives how
    /// often each kind of reply came: `DEDUCT +SOLD`, `DEDUCT +SOLD replay` …
    private func play(seed: UInt64, commands: Int) throws -> [String: Int] {
        var stream = CommandStream(seed: seed)
        var subject = OracleAsSubject()
        var now = CommandStream.start
        var kinds: [String: Int] = [:]
        for step in 1...commands {
            now += stream.pause()
            for upkeep in subject.advance(to: now) {
                switch upkeep {
                case .released: kinds["released", default: 0] += 1
                case .forgot: kinds["forgot", default: 0] += 1
                }
            }
            let line = stream.next(at: now)
            for reply in subject.respond(line, at: now) {
                let verb = line.uppercased().split(separator: " ").first ?? ""
                let kind = reply.prefix { $0 != " " } + (reply.hasSuffix("replay=1") ? " replay" : "")
                kinds["\(verb) \(kind)", default: 0] += 1
            }
            // The first break of a stream says enough.
            let broken = subject.oracle.brokenLaws()
            try #require(broken.isEmpty, "seed \(seed), step \(step): \(line)")
        }
        return kinds
    }

    @Test("The laws hold after each of 500 commands of 200 streams", arguments: UInt64(0)..<8)
    func laws(group: UInt64) throws {
        for seed in group * 25..<group * 25 + 25 { _ = try play(seed: seed, commands: 500) }
    }

    @Test("The streams bring about every reply there is")
    func coverage() throws {
        var kinds: [String: Int] = [:]
        for seed in UInt64(1_000)..<1_050 { kinds.merge(try play(seed: seed, commands: 500), uniquingKeysWith: +) }
        let refusalsOfForm = Self.verbs.map { "\($0) -SYNTAX" }
        let missing = (Self.everyKind + refusalsOfForm).filter { kinds[$0] == nil }
        #expect(missing.isEmpty)
    }

    @Test("The same seed gives the same stream")
    func repeatability() {
        var one = CommandStream(seed: 7)
        var other = CommandStream(seed: 7)
        for step in Int64(0)..<500 {
            #expect(one.pause() == other.pause())
            #expect(one.next(at: step) == other.next(at: step))
        }
    }

    @Test("A slip in any counter breaks a law", arguments: [
        "onhand", "held", "sold", "loaded", "settled", "used", "kept", "line", "state", "promise",
    ])
    func lawsCanFail(slip: String) {
        var oracle = Oracle(retention: 1_000)
        for line in ["CREATE a 9 limit=9", "DEDUCT p a 2 buyer=ann", "RESERVE o 1m a 2 buyer=ann"] {
            _ = oracle.respond(line, at: 0)
        }
        oracle.assertLaws()
        switch slip {
        case "onhand": oracle.skus[0].onhand -= 1
        case "held": oracle.skus[0].held -= 1
        case "sold":
            oracle.skus[0].sold += 1
            oracle.skus[0].loaded += 1
        case "loaded": oracle.skus[0].loaded += 1
        case "settled": oracle.skus[0].settled += 1
        case "used": oracle.skus[0].used["bob"] = 1
        case "kept": oracle.skus[0].kept["ann"] = 1
        case "line": oracle.orders["p"]?.lines[0].returned = 3
        case "state": oracle.orders["o"]?.state = .sold
        default: oracle.skus[0].floor = 6
        }
        #expect(!oracle.brokenLaws().isEmpty)
    }

    // MARK: What must come up

    private static let verbs = [
        "CREATE", "ADJUST", "COUNT", "CONFIGURE", "TRANSFER", "DROP", "GET", "MGET", "DEDUCT", "RESERVE",
        "CONFIRM", "CANCEL", "EXTEND", "RETURN", "LOOKUP",
    ]

    private static let everyKind = [
        "released", "forgot",
        "CREATE +CREATED", "CREATE -EXISTS", "CREATE -RANGE",
        "ADJUST +ADJUSTED", "ADJUST +ADJUSTED replay", "ADJUST -CONFLICT", "ADJUST -INSUFFICIENT",
        "ADJUST -NOSKU", "ADJUST -RANGE",
        "COUNT +STOCK", "COUNT +STOCK replay", "COUNT -CONFLICT", "COUNT -INSUFFICIENT", "COUNT -MISMATCH",
        "COUNT -NOSKU", "COUNT -RANGE",
        "CONFIGURE +STOCK", "CONFIGURE -INSUFFICIENT", "CONFIGURE -NOSKU",
        "TRANSFER +TRANSFERRED", "TRANSFER +TRANSFERRED replay", "TRANSFER -CONFLICT",
        "TRANSFER -INSUFFICIENT", "TRANSFER -NOSKU", "TRANSFER -RANGE",
        "DROP +DROPPED", "DROP -INUSE", "DROP -NOSKU",
        "GET +STOCK", "GET -NOSKU", "MGET +STOCK", "MGET -NOSKU",
        "SKUS +STOCK", "SKUS +END", "HOLDS +ORDER", "HOLDS +END",
        "DEDUCT +SOLD", "DEDUCT +SOLD replay", "DEDUCT -BUYER", "DEDUCT -CANCELLED", "DEDUCT -CONFLICT",
        "DEDUCT -ENDED", "DEDUCT -INSUFFICIENT", "DEDUCT -NOSKU", "DEDUCT -PAUSED", "DEDUCT -QUOTA",
        "DEDUCT -RANGE", "DEDUCT -RETURNED", "DEDUCT -SOLDOUT", "DEDUCT -STALE", "DEDUCT -UPCOMING",
        "RESERVE +HELD", "RESERVE +HELD replay", "RESERVE +SOLD replay", "RESERVE -BUYER",
        "RESERVE -CANCELLED", "RESERVE -CONFLICT", "RESERVE -ENDED", "RESERVE -EXPIRED",
        "RESERVE -INSUFFICIENT", "RESERVE -NOSKU", "RESERVE -PAUSED", "RESERVE -QUOTA", "RESERVE -RANGE",
        "RESERVE -RETURNED", "RESERVE -SOLDOUT", "RESERVE -STALE", "RESERVE -UPCOMING",
        "CONFIRM +SOLD", "CONFIRM +SOLD replay", "CONFIRM -CANCELLED", "CONFIRM -CONFLICT",
        "CONFIRM -EXPIRED", "CONFIRM -INSUFFICIENT", "CONFIRM -NOORDER", "CONFIRM -NOSKU", "CONFIRM -QUOTA",
        "CONFIRM -RANGE", "CONFIRM -RETURNED", "CONFIRM -SOLDOUT",
        "CANCEL +CANCELLED", "CANCEL +CANCELLED replay", "CANCEL +EXPIRED replay", "CANCEL -CONFLICT",
        "CANCEL -RETURNED", "CANCEL -SOLD", "CANCEL -STALE",
        "EXTEND +HELD", "EXTEND -CANCELLED", "EXTEND -CONFLICT", "EXTEND -EXPIRED", "EXTEND -NOORDER",
        "EXTEND -RANGE", "EXTEND -RETURNED", "EXTEND -SOLD",
        "RETURN +RETURNED", "RETURN +RETURNED replay", "RETURN -CANCELLED", "RETURN -CONFLICT",
        "RETURN -EXPIRED", "RETURN -HELD", "RETURN -NOORDER", "RETURN -NOSKU", "RETURN -RANGE",
        "RETURN -RETURNED",
        "LOOKUP +ORDER", "LOOKUP -CONFLICT", "LOOKUP -NOORDER",
    ]
}
