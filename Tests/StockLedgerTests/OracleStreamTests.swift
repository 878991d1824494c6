// The oracle under streams of random commands: its laws hold after every step,
// the streams are worth playing, and the comparison finds a subject that errs.

import Testing

/// An oracle in the place of the server, with room for a mistake.
private struct OracleAsSubject: Subject {
    var oracle = Oracle(retention: CommandStream.retention)
    /// What it says instead of the reply.
    var mistake: @Sendable (_ line: String, _ reply: [String]) -> [String] = { _, reply in reply }
    var forgetsEarlyBy: Int64 = 0
    var releases = true

    mutating func respond(_ line: String, at now: Int64) -> [String] {
        mistake(line, oracle.respond(line, at: now))
    }

    mutating func advance(to now: Int64) -> [Upkeep] {
        var done: [Upkeep] = []
        for id in oracle.dueHolds(at: now) where releases {
            oracle.release(id, at: now)
            done.append(.released(id))
        }
        if let last = oracle.newestForgettable(at: now + forgetsEarlyBy) {
            oracle.forget(endedUpTo: last)
            done.append(.forgot(endedUpTo: last))
        }
        return done
    }
}

extension Oracle {
    /// The sequence up to which everything ended is past its retention; nil if nothing is.
    fileprivate func newestForgettable(at now: Int64) -> Int64? {
        let ended =
            orders.values.filter { $0.state != .held }.map { (seq: $0.seq, at: $0.changedAt) }
            + operations.values.map { (seq: $0.seq, at: $0.at) }
        return ended.filter { $0.at + retention <= now }.map(\.seq).max()
    }

    func assertLaws(_ context: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation) {
        let broken = brokenLaws()
        #expect(broken.isEmpty, "\(context())", sourceLocation: sourceLocation)
    }
}

@Suite("The oracle under random commands")
struct OracleStreamTests {
    /// Plays a stream to an oracle alone and gives how often each kind of reply came.
    private func play(seed: UInt64, commands: Int) -> [String: Int] {
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
            subject.oracle.assertLaws("seed \(seed), step \(step): \(line)")
        }
        return kinds
    }

    @Test("The laws hold after each of 500 commands of a stream", arguments: 0..<8)
    func laws(group: UInt64) {
        for seed in group * 25..<group * 25 + 25 { _ = play(seed: seed, commands: 500) }
    }

    @Test("The streams bring about every kind of reply")
    func coverage() {
        var kinds: [String: Int] = [:]
        for seed in UInt64(1_000)..<1_040 { kinds.merge(play(seed: seed, commands: 500), uniquingKeysWith: +) }
        for (kind, count) in kinds.sorted(by: { $0.key < $1.key }) { print(kind, count) }
    }

    @Test("An oracle agrees with an oracle")
    func agreement() throws {
        for seed in UInt64(0)..<10 { try Differential.run(seed: seed, commands: 500, subject: OracleAsSubject()) }
    }
}
