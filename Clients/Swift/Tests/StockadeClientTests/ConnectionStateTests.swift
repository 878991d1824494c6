// Dialogues with the state of a connection: bytes in, actions out, no socket and no clock.

import Testing

@testable import StockadeClient

/// A connection whose requests are numbers, and which writes down what it is told to do.
private struct Dialogue {
    var state: ConnectionState<Int>
    var log: [String] = []
    var now: Nanoseconds = 0

    init(password: String? = nil, stallLimit: Nanoseconds = 1_000) throws {
        state = ConnectionState(login: try password.map { try Request.login($0) }, stallLimit: stallLimit)
    }

    mutating func submit(_ number: Int, _ request: Request, deadline: Nanoseconds = .max) {
        state.submit(request, ticket: Ticket(number: UInt64(number)), tag: number, deadline: deadline)
    }

    mutating func connect() { act { $0.connected(at: $2, into: &$1) } }
    mutating func receive(_ text: String) { receive(Array(text.utf8)) }
    mutating func receive(_ bytes: [UInt8]) {
        act { state, actions, _ in bytes.withUnsafeBytes { state.received($0, into: &actions) } }
    }
    mutating func cancel(_ number: Int) { act { $0.cancel(Ticket(number: UInt64(number)), into: &$1); _ = $2 } }
    mutating func tick() { act { $0.tick(at: $2, into: &$1) } }
    mutating func lose() { act { $0.disconnected("lost", into: &$1); _ = $2 } }

    mutating func written(limit: Int = 100) -> String {
        var output: [UInt8] = []
        state.takeOutput(at: now, limit: limit, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// What happened since the last time.
    mutating func events() -> [String] {
        defer { log = [] }
        return log
    }

    private mutating func act(
        _ step: (inout ConnectionState<Int>, inout [ConnectionState<Int>.Action], Nanoseconds) -> Void
    ) {
        var actions: [ConnectionState<Int>.Action] = []
        step(&state, &actions, now)
        for action in actions {
            switch action {
            case .finish(let number, let attempt): log.append("\(number): \(describe(attempt))")
            case .ready: log.append("ready")
            case .denied(let text): log.append("denied \(text)")
            case .close(let why): log.append("close \(why)")
            }
        }
    }

    private func describe(_ attempt: Attempt) -> String {
        switch attempt {
        case .reply(.line(let line)): line.text
        case .reply(.array(let lines)): "[" + lines.map(\.text).joined(separator: ", ") + "]"
        case .lost(let isSent, _): isSent ? "lost" : "lost unsent"
        case .timedOut(let isSent): isSent ? "timed out" : "timed out unsent"
        case .cancelled(let isSent): isSent ? "cancelled" : "cancelled unsent"
        default: "\(attempt)"
        }
    }
}

@Suite("The state of a connection")
struct ConnectionStateTests {
    private let get = { (sku: String) in try Requests.get(sku) }

    @Test("Requests go out in one piece and replies come back to those who asked")
    func pipelining() throws {
        var dialogue = try Dialogue()
        dialogue.connect()
        #expect(dialogue.events() == ["ready"])
        dialogue.submit(1, try Requests.confirm("o-1", [], late: false))
        dialogue.submit(2, try Requests.cancel("o-2", born: nil, reason: nil))
        dialogue.submit(3, try Requests.ping())
        #expect(dialogue.written() == "CONFIRM o-1\nCANCEL o-2\nPING\n")
        #expect(dialogue.written() == "")
        dialogue.receive("+SOLD o-1 seq=3\r\n-SOLD o-2\r\n+PONG\r\n")
        #expect(dialogue.events() == ["1: +SOLD o-1 seq=3", "2: -SOLD o-2", "3: +PONG"])
    }

    @Test("Replies mean the same wherever they are split")
    func splitting() throws {
        let bytes = Array("+SOLD o-1 seq=3\r\n*2\r\n+STOCK a onhand=1\r\n-NOSKU b\r\n*0\r\n-BUSY\r\n+PONG\r\n".utf8)
        let expected = [
            "1: +SOLD o-1 seq=3", "2: [+STOCK a onhand=1, -NOSKU b]", "3: []", "4: -BUSY", "5: +PONG",
        ]
        func fresh() throws -> Dialogue {
            var dialogue = try Dialogue()
            dialogue.connect()
            dialogue.submit(1, try Requests.confirm("o-1", [], late: false))
            dialogue.submit(2, try Requests.get(["a", "b"]))
            dialogue.submit(3, try Requests.stats(nil))
            dialogue.submit(4, try Requests.get("a"))
            dialogue.submit(5, try Requests.ping())
            _ = dialogue.written()
            _ = dialogue.events()
            return dialogue
        }
        for cut in 0...bytes.count {
            var dialogue = try fresh()
            dialogue.receive(Array(bytes[..<cut]))
            dialogue.receive(Array(bytes[cut...]))
            #expect(dialogue.events() == expected, "cut at \(cut)")
        }
        var dialogue = try fresh()
        for byte in bytes { dialogue.receive([byte]) }
        #expect(dialogue.events() == expected)
    }

    @Test("A reply that belongs to another request closes the connection before anyone is given it")
    func mismatch() throws {
        var dialogue = try Dialogue()
        dialogue.connect()
        dialogue.submit(1, try Requests.confirm("o-1", [], late: false))
        dialogue.submit(2, try Requests.confirm("o-2", [], late: false))
        _ = dialogue.written()
        _ = dialogue.events()
        dialogue.receive("+SOLD o-2 seq=3\r\n+SOLD o-2 seq=3\r\n")
        #expect(dialogue.events() == ["close \"+SOLD o-2 seq=3\" is no reply to \"CONFIRM o-1\""])
        dialogue.lose()
        #expect(dialogue.events() == ["1: lost", "2: lost"])
    }

    @Test(
        "What is not the protocol closes the connection",
        arguments: [
            "$5\r\nhello\r\n", "\r\n", "*-1\r\n", "*x\r\n", "*1\r\n*0\r\n", "*99999999\r\n", "HTTP/1.1 400 Bad Request\r\n",
            "*1\r\n+STOCK a\r\n",
        ])
    func broken(_ bytes: String) throws {
        var dialogue = try Dialogue()
        dialogue.connect()
        dialogue.submit(1, try get("a"))
        _ = dialogue.written()
        _ = dialogue.events()
        dialogue.receive(bytes)
        let events = dialogue.events()
        #expect(events.count == 1 && events[0].hasPrefix("close "), "\(events)")
        dialogue.receive("+STOCK a onhand=1\r\n")
        #expect(dialogue.events() == [])
        dialogue.lose()
        #expect(dialogue.events() == ["1: lost"])
    }

    @Test("A line without an end does not fill the memory")
    func endless() throws {
        var dialogue = try Dialogue()
        dialogue.connect()
        dialogue.submit(1, try get("a"))
        _ = dialogue.written()
        _ = dialogue.events()
        dialogue.receive("+STOCK a " + String(repeating: "x", count: ReplyScanner.longestLine))
        #expect(dialogue.events() == ["close a reply line has more than \(ReplyScanner.longestLine) bytes"])
    }

    @Test("A reply that nobody asked for closes the connection")
    func unexpected() throws {
        var dialogue = try Dialogue()
        dialogue.connect()
        _ = dialogue.events()
        dialogue.receive("-BUSY too many clients\r\n")
        #expect(dialogue.events() == ["close a reply that nobody asked for: -BUSY too many clients"])
    }

    @Test("A cancelled request's reply is passed over, and the next one's is not mistaken for it")
    func cancellation() throws {
        var dialogue = try Dialogue()
        dialogue.connect()
        dialogue.submit(1, try get("a"))
        dialogue.submit(2, try get("b"))
        _ = dialogue.written()
        dialogue.submit(3, try get("c"))
        _ = dialogue.events()
        dialogue.cancel(1)
        dialogue.cancel(3)
        dialogue.cancel(3)
        #expect(dialogue.events() == ["1: cancelled", "3: cancelled unsent"])
        #expect(dialogue.written() == "", "a cancelled request is never written")
        dialogue.receive("-NOSKU a\r\n-NOSKU b\r\n")
        #expect(dialogue.events() == ["2: -NOSKU b"])
        #expect(dialogue.state.waitingCount == 0)
    }

    @Test("A lost connection fails what was written and keeps what was not")
    func reconnection() throws {
        var dialogue = try Dialogue()
        dialogue.connect()
        dialogue.submit(1, try get("a"))
        dialogue.submit(2, try get("b"))
        #expect(dialogue.written(limit: 1) == "GET a\n")
        dialogue.receive("+STOCK a on")
        _ = dialogue.events()
        dialogue.lose()
        #expect(dialogue.events() == ["1: lost"])
        #expect(dialogue.written() == "")
        dialogue.connect()
        #expect(dialogue.written() == "GET b\n")
        dialogue.receive("-NOSKU b\r\n")
        #expect(dialogue.events() == ["ready", "2: -NOSKU b"], "half a reply of the old connection is forgotten")
    }

    @Test("Nothing is said before the log-in is answered")
    func login() throws {
        var dialogue = try Dialogue(password: "open-sesame")
        dialogue.submit(1, try get("a"))
        dialogue.connect()
        #expect(dialogue.events() == [])
        #expect(dialogue.written() == "AUTH open-sesame\n")
        #expect(dialogue.written() == "")
        dialogue.receive("+OK\r\n")
        #expect(dialogue.events() == ["ready"])
        #expect(dialogue.written() == "GET a\n")
    }

    @Test("A wrong password is told apart from a server in trouble")
    func denial() throws {
        var dialogue = try Dialogue(password: "wrong")
        dialogue.connect()
        _ = dialogue.written()
        dialogue.receive("-DENIED wrong secret\r\n")
        #expect(dialogue.events() == ["denied -DENIED wrong secret", "close login: -DENIED wrong secret"])
        dialogue.lose()
        dialogue.connect()
        _ = dialogue.written()
        dialogue.receive("-BUSY\r\n")
        #expect(dialogue.events() == ["close login: -BUSY"])
    }

    @Test("A deadline ends the wait and not the connection")
    func deadlines() throws {
        var dialogue = try Dialogue()
        dialogue.connect()
        dialogue.submit(1, try get("a"), deadline: 10)
        dialogue.submit(2, try get("b"), deadline: 20)
        _ = dialogue.written(limit: 1)
        _ = dialogue.events()
        dialogue.now = 10
        dialogue.tick()
        #expect(dialogue.events() == ["1: timed out"])
        dialogue.now = 20
        dialogue.tick()
        #expect(dialogue.events() == ["2: timed out unsent"])
        dialogue.receive("-NOSKU a\r\n")
        #expect(dialogue.events() == [])
        #expect(dialogue.state.phase == .ready)
        #expect(dialogue.state.waitingCount == 0)
    }

    @Test("A connection that says nothing is given up, also during the log-in")
    func stall() throws {
        var dialogue = try Dialogue(stallLimit: 2_000_000)
        dialogue.connect()
        dialogue.submit(1, try get("a"))
        _ = dialogue.written()
        _ = dialogue.events()
        dialogue.now = 2_000_000
        dialogue.tick()
        #expect(dialogue.events() == [])
        dialogue.now += 1
        dialogue.tick()
        #expect(dialogue.events() == ["close no reply for 2 ms"])

        var silent = try Dialogue(password: "x", stallLimit: 2_000_000)
        silent.connect()
        _ = silent.written()
        silent.now = 2_000_001
        silent.tick()
        #expect(silent.events() == ["close no reply for 2 ms"])
    }
}
