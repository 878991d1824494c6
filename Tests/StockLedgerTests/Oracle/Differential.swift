// Two servers, one stream of commands: the first reply that differs is a bug
// in one of them. The real ledger joins in by a small adaptor to `Subject`.

/// Something that answers request lines as a stock server does.
protocol Subject {
    /// The reply lines, without their line ends. The clock has already been
    /// told `now` by `advance`.
    mutating func respond(_ line: String, at now: Int64) -> [String]

    /// Does everything that is due at `now`, and says what it did, in order.
    /// Every due hold must be released; whether and when something is
    /// forgotten, after its retention, is the subject's choice.
    mutating func advance(to now: Int64) -> [Upkeep]
}

/// What the clock makes a ledger do. Each takes one sequence number.
enum Upkeep: Equatable {
    /// The hold under this id ran out.
    case released(String)
    /// Every ended record whose newest sequence is at most this is forgotten.
    case forgot(endedUpTo: Int64)
}

/// The first difference between the oracle and a subject, printed as a dialogue
/// in the transcript format.
struct Difference: Error, CustomStringConvertible {
    let seed: UInt64
    let step: Int
    let complaint: String
    /// The newest lines of the dialogue; the last one is where they differ.
    let dialogue: [String]

    var description: String {
        (["# seed \(seed), step \(step): \(complaint)"] + dialogue).joined(separator: "\n")
    }
}

/// Plays one stream to an oracle and a subject and compares every reply.
struct Differential<Tested: Subject> {
    private let seed: UInt64
    private var stream: CommandStream
    private var oracle = Oracle(retention: CommandStream.retention)
    private var subject: Tested
    private var now = CommandStream.start
    private var step = 0
    private var dialogue: [String] = []

    /// How many lines of the dialogue a report shows.
    private static var shown: Int { 20 }
    /// After so many commands everything there is gets looked at.
    private static var sweepEvery: Int { 25 }

    init(seed: UInt64, subject: Tested) {
        self.seed = seed
        self.subject = subject
        stream = CommandStream(seed: seed)
    }

    /// Throws the first difference.
    static func run(seed: UInt64, commands: Int, subject: Tested) throws(Difference) {
        var run = Differential(seed: seed, subject: subject)
        for _ in 0..<commands {
            run.step += 1
            try run.passTime()
            try run.compare(run.stream.next(at: run.now))
            if run.step % sweepEvery == 0 { try run.lookAtEverything() }
        }
        try run.lookAtEverything()
    }

    // MARK: Time

    /// Lets the subject do what is due and follows it, as long as it may do so.
    private mutating func passTime() throws(Difference) {
        let pause = stream.pause()
        now += pause
        if pause > 0 { say("# \(pause) ms later, at \(now)") }
        for upkeep in subject.advance(to: now) {
            say("# \(upkeep)")
            switch upkeep {
            case .released(let id):
                let due = oracle.dueHolds(at: now)
                guard due.contains(id) else { throw difference("\(id) is not due") }
                guard let first = due.first, oracle.orders[first]?.expires == oracle.orders[id]?.expires else {
                    throw difference("\(id) was released before one that expired earlier")
                }
                oracle.release(id, at: now)
            case .forgot(let last):
                guard oracle.mayForget(endedUpTo: last, at: now) else {
                    throw difference("something that ended up to seq \(last) must still be remembered")
                }
                oracle.forget(endedUpTo: last)
            }
        }
        let forgottenByMistake = oracle.dueHolds(at: now)
        guard forgottenByMistake.isEmpty else { throw difference("still held: \(forgottenByMistake)") }
    }

    // MARK: Comparing

    private mutating func lookAtEverything() throws(Difference) {
        try compare("MGET " + CommandStream.skus.joined(separator: " "))
        try compare("SKUS")
        try compare("HOLDS")
        for id in CommandStream.ids { try compare("LOOKUP \(id)") }
    }

    private mutating func compare(_ line: String) throws(Difference) {
        let expected = oracle.respond(line, at: now)
        say("C: \(line)")
        guard expected.last == "+END" else {
            let actual = subject.respond(line, at: now)
            for reply in actual { say("S: \(reply)") }
            guard agree(expected, actual) else { throw difference("expected \(expected)") }
            return
        }
        // A page may be short, and holds come in any order: all pages together count.
        let isOrdered = expected.contains { $0.hasPrefix("+STOCK ") }
        let actual = try allPages(line)
        let items = Array(expected.dropFirst().dropLast())
        guard isOrdered ? actual == items : actual.sorted() == items.sorted() else {
            throw difference("expected in all pages together \(items)")
        }
    }

    /// The items of a paged listing, asked for page by page.
    private mutating func allPages(_ line: String) throws(Difference) -> [String] {
        var items: [String] = []
        var after = ""
        // No listing of a stream needs more pages, even with one item or none on each.
        for _ in 0..<1_000 {
            let page = subject.respond(line + after, at: now)
            for reply in page { say("S: \(reply)") }
            guard let last = page.last, page.first == "*\(page.count - 1)" else {
                throw difference("expected a page")
            }
            items += page.dropFirst().dropLast()
            if last == "+END" { return items }
            guard last.hasPrefix("+NEXT ") else { throw difference("expected +NEXT or +END") }
            after = " after=" + last.dropFirst("+NEXT ".count)
            say("C: \(line)\(after)")
        }
        throw difference("the pages have no end")
    }

    private func agree(_ expected: [String], _ actual: [String]) -> Bool {
        expected.count == actual.count && zip(expected, actual).allSatisfy { expected, actual in
            switch expected {
            // What was expected instead is said in words of the server's choice.
            case "-SYNTAX", "-RANGE": actual == expected || actual.hasPrefix(expected + " ")
            default: actual == expected
            }
        }
    }

    // MARK: The dialogue

    private mutating func say(_ line: String) {
        dialogue.append(line)
        if dialogue.count > 4 * Self.shown { dialogue.removeFirst(3 * Self.shown) }
    }

    private func difference(_ complaint: String) -> Difference {
        Difference(seed: seed, step: step, complaint: complaint, dialogue: dialogue.suffix(Self.shown))
    }
}
