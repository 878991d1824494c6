// The reader of transcripts itself: what it takes, and that nothing unknown slips through as prose.

import Testing

@Suite("The transcript format")
struct TranscriptFormatTests {
    private func read(_ text: String) throws -> Transcript { try Transcript(name: "t.txt", text: "# Title\n" + text) }

    private func actions(_ text: String) throws -> [Transcript.Action] { try read(text).steps.map(\.action) }

    @Test("Requests in a row on one connection are one write; prose, blank lines and other connections divide them")
    func pipelining() throws {
        let actions = try actions("C: A 1\nC: B\nC2: X\nC: C\n\nC: D\n# why\nC: E")
        #expect(
            actions == [
                .send(1, ["A 1", "B"]), .send(2, ["X"]), .send(1, ["C"]), .send(1, ["D"]), .send(1, ["E"]),
            ])
    }

    @Test("Every directive is understood")
    func directives() throws {
        let actions = try actions(
            """
            C2: <close>
            C: <half-close>
            C:
            S: <closed>
            R3: a\\r\\n\\t\\0\\x7F\\\\b
            U: GET a
            S: *2
            S: +END
            S2: +OK
            K:
            T:
            """)
        #expect(
            actions == [
                .close(2), .halfClose(1), .send(1, [""]), .expectClosed(1),
                .sendRaw(3, [97, 13, 10, 9, 0, 127, 92, 98]),
                .awaitReply(1, "GET a", [try LinePattern("*2"), try LinePattern("+END")]),
                .expect(2, try LinePattern("+OK")), .kill, .terminate,
            ])
    }

    @Test("Settings stand before the dialogue")
    func settings() throws {
        let transcript = try read("! --max-clients 2 --fsync always\n!secret open sesame\nC: PING\nS: +PONG")
        #expect(transcript.title == "Title")
        #expect(transcript.flags == ["--max-clients", "2", "--fsync", "always"])
        #expect(transcript.secret == "open sesame")
        #expect(throws: Failure.self) { try read("C: PING\n! --max-clients 2") }
    }

    @Test(
        "What is unknown or broken is refused",
        arguments: [
            "X: what", "C1: one", "C10: ten", "K2:", "K: now", "C:PING", "S:", "PING", "#prose", "!flags", "!secret",
            "R: \\q", "R: \\x1", "U: GET a", "U:", "S: <unknown>", "C: GET <unknown>", "C: GET <", "S: <t10>", "",
        ])
    func refusals(line: String) {
        #expect(throws: Failure.self) { try read(line) }
    }

    @Test("Every transcript of the specification can be read", arguments: EndToEnd.Rendition.files)
    func specification(file: String) throws {
        _ = try EndToEnd.Rendition(file: file, delivery: Delivery.allCases[0]).transcript()
    }

    @Test("A failure to read names the file and the line")
    func position() {
        #expect { try read("C: PING\nS: +PONG\nS; +PONG") } throws: { "\($0)".hasPrefix("t.txt:4: ") }
        #expect { try Transcript(name: "t.txt", text: "no title\n") } throws: { "\($0)".hasPrefix("t.txt:1: ") }
    }

    @Test(
        "Patterns match the whole line and nothing else",
        arguments: [
            ("+OK", "+OK", true), ("+OK", "+OK ", false), ("+OK", "+O", false),
            ("+HELD a expires=<ms>", "+HELD a expires=12", true), ("+HELD a expires=<ms>", "+HELD a expires=", false),
            ("+HELD a expires=<ms>", "+HELD a expires=1x", false), ("x=<ms>", "x=-1", false),
            ("-SYNTAX <any>", "-SYNTAX a b", true), ("-SYNTAX <any>", "-SYNTAX", false), ("-SYNTAX<any>", "-SYNTAX", true),
            ("<any> b <any>c", "a b b c", true), ("<any>seq=1", "seq=1 seq=1", true), ("<any>seq=1", "seq=1 seq=12", false),
            ("<t1> <t1>", "7 7", true), ("<t1> <t1>", "7 8", false), ("<t1> <t2>", "7 8", true),
            ("-NOSKU <x*3>", "-NOSKU xxx", true),
        ])
    func patterns(pattern: String, line: String, matches: Bool) throws {
        var numbers: [String: String] = [:]
        #expect(try LinePattern(pattern).matches(line, numbers: &numbers) == matches)
    }

    @Test("A named number is kept from one line to the next, and only by a line that matches")
    func namedNumbers() throws {
        var numbers: [String: String] = [:]
        #expect(try !LinePattern("a=<t1> b").matches("a=5 c", numbers: &numbers))
        #expect(numbers.isEmpty)
        #expect(try LinePattern("a=<t1>").matches("a=5", numbers: &numbers))
        #expect(try !LinePattern("a=<t1>").matches("a=6", numbers: &numbers))
        #expect(try Placeholder.expand("GET <t1>", now: 0, numbers: numbers) == "GET 5")
        #expect(throws: Failure.self) { try Placeholder.expand("GET <t2>", now: 0, numbers: numbers) }
    }

    @Test(
        "Placeholders of requests become times and runs",
        arguments: [
            ("<now>", "100000000"), ("<now+1h>", "103600000"), ("<now-1m>", "99940000"), ("<now+2>", "100002000"),
            ("a<x*3>b<=*2>", "axxxb=="), ("born=<now-5ms>", "born=99999995"),
        ])
    func placeholders(line: String, expanded: String) throws {
        #expect(try Placeholder.expand(line, now: 100_000_000, numbers: [:]) == expanded)
    }
}
