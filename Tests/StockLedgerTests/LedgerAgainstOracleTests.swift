// The ledger against a second reading of the protocol, and against a replica that knows only its events: thousands
// of random commands, every reply compared, every law recomputed. A seed that fails names a dialogue.

import StockLedger
import Testing

/// The real ledger in the oracle's comparison.
private struct LedgerAsSubject: Subject {
    let shop: MemoryShop

    init() {
        var options = LedgerOptions()
        options.retention = CommandStream.retention
        shop = MemoryShop(options: options)
    }

    func respond(_ line: String, at now: Int64) -> [String] { shop.respond(line, at: now) }

    func advance(to now: Int64) -> [Upkeep] {
        let done = shop.advance(to: now)
        let problem = shop.audit()
        #expect(problem == nil)
        // A walk over the laws is always on, three records at a time, whatever happens meanwhile.
        if case .broken(let law) = shop.verify(limit: 3) { Issue.record("VERIFY: \(law)") }
        return done
    }
}

@Suite("The ledger and the oracle")
struct LedgerAgainstOracleTests {
    /// More of them with STOCKADE_THOROUGH=1.
    static let seeds = isThorough ? UInt64(0)..<2_000 : UInt64(0)..<60

    @Test("They agree on every reply, the laws hold after each step, and the events alone give the same state")
    func agreement() throws {
        for seed in Self.seeds {
            try Differential.run(seed: seed, commands: 500, subject: LedgerAsSubject())
        }
    }
}
