// The comparison of two servers, tried on two oracles: it finds nothing where
// there is nothing, and every mistake that is built in.

import Testing

@Suite("The comparison of a server with the oracle")
struct OracleDifferentialTests {
    @Test("An oracle agrees with an oracle")
    func agreement() throws {
        for seed in UInt64(0)..<10 {
            try Differential.run(seed: seed, commands: 500, subject: OracleAsSubject())
        }
    }

    @Test("Every mistake is found within five streams", arguments: [
        OracleAsSubject.Mistake.losesEffect(of: "RESERVE"), .losesEffect(of: "DEDUCT"),
        .losesEffect(of: "CONFIRM"), .losesEffect(of: "CANCEL"), .losesEffect(of: "EXTEND"),
        .losesEffect(of: "RETURN"), .losesEffect(of: "ADJUST"), .losesEffect(of: "COUNT"),
        .losesEffect(of: "TRANSFER"), .losesEffect(of: "CONFIGURE"), .losesEffect(of: "DROP"),
        .losesEffect(of: "CREATE"), .leavesOut("replay=1"), .leavesOut("empty=1"), .leavesOut("have=0"),
        .answersTwice("CANCEL"), .neverReleases, .forgetsEarly(by: 1), .losesLastItem,
    ])
    func mistakes(mistake: OracleAsSubject.Mistake) {
        #expect(throws: Difference.self) {
            for seed in UInt64(0)..<5 {
                try Differential.run(seed: seed, commands: 500, subject: OracleAsSubject(mistake: mistake))
            }
        }
    }

    @Test("A difference is told as a dialogue with its seed and step")
    func report() throws {
        let subject = OracleAsSubject(mistake: .answersTwice("CREATE"))
        let difference = try #require(throws: Difference.self) {
            try Differential.run(seed: 3, commands: 500, subject: subject)
        }
        #expect(difference.description.hasPrefix("# seed 3, step 1: expected [\"+CREATED a seq=1\"]\n"))
        #expect(difference.description.hasSuffix("S: +CREATED a seq=1\nS: +CREATED a seq=1"))
    }
}
