// What came back: replies as expected, and all others by their first word with one line each to show. A run with
// any of the others is no measurement of the work it names.

/// Replies that were not what their requests should get.
public struct UnexpectedReply: Equatable, Sendable {
    /// The first word: `-INSUFFICIENT`.
    public let word: String
    public var count: Int
    /// The first line of that kind.
    public let example: String
}

/// The counts of a run. Those of the warm-up are not among them, except `unexpected`: wrong is wrong.
struct Tally {
    /// Requests sent from here on are measured. Nanoseconds of the monotonic clock, as all times here.
    var measureFrom: Int64 = 0
    /// Requests sent, or due, from here on are not measured any more.
    var measureUntil = Int64.max

    /// All replies, also of the warm-up.
    private(set) var replies = 0
    /// Measured replies.
    private(set) var measured = 0
    /// Measured replies that were as expected.
    private(set) var expected = 0
    private(set) var lastMeasured: Int64 = 0
    private(set) var latencies = Latencies()
    private(set) var unexpected: [UnexpectedReply] = []

    /// Kinds beyond these share one entry.
    static let mostKinds = 16

    /// Counts a reply to a request that was sent, or due, at `since`.
    @inline(__always)
    mutating func count(since: Int64, now: Int64, asExpected: Bool) {
        replies &+= 1
        guard since >= measureFrom, since < measureUntil else { return }
        measured &+= 1
        if asExpected { expected &+= 1 }
        lastMeasured = now
        latencies.record(now &- since)
    }

    /// Remembers a reply that was not as expected.
    @inline(never)
    mutating func remember(_ line: UnsafeRawBufferPointer) {
        let text = String(decoding: line.prefix(200), as: UTF8.self)
            .filter { !$0.isNewline && $0.asciiValue.map { $0 >= 32 } ?? false }
        var word = String(text.prefix { $0 != " " })
        if word.first == ":" { word = "a number" }
        if let index = unexpected.firstIndex(where: { $0.word == word }) {
            unexpected[index].count += 1
        } else if unexpected.count < Self.mostKinds {
            unexpected.append(UnexpectedReply(word: word, count: 1, example: text))
        } else {
            unexpected[Self.mostKinds - 1].count += 1
        }
    }
}
