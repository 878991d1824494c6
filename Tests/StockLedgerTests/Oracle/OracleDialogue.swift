// A dialogue with a fresh oracle, as text: how the hand-written tests of the
// oracle say what must come back.

import Testing

/// Plays `text` to a fresh oracle whose clock stands at 1,000,000 ms:
/// `C: LINE` is a request and the `S: LINE`s after it its exact reply;
/// `+20` lets 20 ms pass, with all that is due; `forget 7` forgets what ended
/// up to sequence 7; anything after `#` is prose. The laws are checked at each step.
@discardableResult
func converse(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> Oracle {
    var oracle = Oracle(retention: 1_000)
    var now: Int64 = 1_000_000
    var request = ""
    var pending: [String] = []

    func allWasSaid() {
        #expect(pending.isEmpty, "left unsaid after \(request)", sourceLocation: sourceLocation)
    }
    for line in text.split(separator: "\n").map(String.init) {
        if line.hasPrefix("S: ") {
            let said = pending.isEmpty ? "(nothing)" : pending.removeFirst()
            #expect(said == line.dropFirst(3), "to \(request)", sourceLocation: sourceLocation)
            continue
        }
        allWasSaid()
        if line.hasPrefix("C: ") {
            request = String(line.dropFirst(3))
            pending = oracle.respond(request, at: now)
        } else if line.hasPrefix("+"), let pause = Int64(line.dropFirst()) {
            now += pause
            oracle.advance(to: now)
        } else if line.hasPrefix("forget "), let last = Int64(line.dropFirst("forget ".count)) {
            oracle.forget(endedUpTo: last)
        } else if !line.hasPrefix("#") {
            Issue.record("a dialogue has no such line: \(line)", sourceLocation: sourceLocation)
        }
        oracle.assertLaws(request, sourceLocation: sourceLocation)
    }
    allWasSaid()
    return oracle
}
