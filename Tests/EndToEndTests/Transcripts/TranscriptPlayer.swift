// Plays a transcript against a real server: sends what its clients say, and compares every reply line.

import Foundation
import StockConnection

/// How the requests of a transcript are put on the wire.
struct Delivery: CaseIterable, CustomStringConvertible {
    let framing: RequestFraming
    /// One byte per write, so that the server meets every place at which a request can be cut.
    let isBytewise: Bool

    static let allCases = [
        Delivery(framing: .line, isBytewise: false), Delivery(framing: .line, isBytewise: true),
        Delivery(framing: .array, isBytewise: false), Delivery(framing: .array, isBytewise: true),
    ]

    var description: String {
        (framing == .line ? "as lines" : "as arrays") + (isBytewise ? ", a byte at a time" : "")
    }
}

/// One dialogue in progress.
struct TranscriptPlayer {
    /// The longest time that a `U:` line waits for what it awaits.
    private static let longestWait = Duration.seconds(10)

    private let transcript: Transcript
    private let delivery: Delivery
    private let directory: String
    private let flags: [String]
    private var server: ServerProcess
    private var connections: [Int: Connection] = [:]
    private var numbers: [String: String] = [:]
    /// What was said so far, for the message of a failure.
    private var dialogue: [String] = []

    /// Plays `transcript` from its first line to its last on a server of its own.
    ///
    /// - Throws: `Failure` with file, line, what was expected, what came and what was said before.
    static func play(_ transcript: Transcript, _ delivery: Delivery) throws {
        let directory = try TestDirectory()
        var flags = transcript.flags
        if let secret = transcript.secret {
            flags += ["--password-file", try directory.write(secret + "\n", to: "password")]
        }
        let data = directory.appending("data")
        var player = TranscriptPlayer(
            transcript: transcript, delivery: delivery, directory: data, flags: flags,
            server: try ServerProcess(directory: data, flags: flags))
        var line = 0
        do {
            for step in transcript.steps {
                line = step.line
                try player.play(step.action)
            }
            try player.expectNothingMore()
        } catch {
            try? player.server.kill()
            throw Failure(
                """
                \(transcript.name):\(line): \(error)
                --- the dialogue so far (\(delivery)):
                \(player.dialogue.suffix(40).joined(separator: "\n"))
                --- the server had said:
                \(player.server.stderr)
                """)
        }
    }

    private mutating func play(_ action: Transcript.Action) throws {
        switch action {
        case .send(let number, let lines): try send(lines, on: number)
        case .sendRaw(let number, let bytes):
            note("R", number, String(reflecting: String(decoding: bytes, as: UTF8.self)))
            try send(bytes: bytes, on: number)
        case .expect(let number, let pattern):
            let line = try receive(on: number, expecting: pattern.text)
            guard pattern.matches(line, numbers: &numbers) else { throw mismatch(pattern.text, line) }
        case .expectClosed(let number):
            do {
                let line = try connection(number).receiveLine(by: .after(EndToEnd.patience))
                throw mismatch("the connection closed", line)
            } catch ConnectionError.closed {
                note("S", number, "<closed>")
                connections[number] = nil
            }
        case .close(let number):
            note("C", number, "<close>")
            connections[number] = nil
        case .halfClose(let number):
            note("C", number, "<half-close>")
            try connection(number).shutDownWriting()
        case .awaitReply(let number, let request, let patterns):
            try awaitReply(to: request, on: number, patterns)
        case .kill:
            dialogue.append("K:")
            try server.kill()
            try restart()
        case .terminate:
            dialogue.append("T:")
            let status = try server.terminate()
            guard status == .exited(0) else { throw Failure("after SIGTERM: \(status), not exit status 0") }
            try restart()
        }
    }

    private mutating func send(_ lines: [String], on number: Int) throws {
        var bytes: [UInt8] = []
        for line in lines {
            let request = try Placeholder.expand(line, now: Self.now(), numbers: numbers)
            note("C", number, request)
            delivery.framing.append(request, to: &bytes)
        }
        try send(bytes: bytes, on: number)
    }

    private mutating func send(bytes: [UInt8], on number: Int) throws {
        let connection = try connection(number)
        do {
            let deadline = Deadline.after(EndToEnd.patience)
            guard delivery.isBytewise else { return try connection.send(bytes: bytes[...], by: deadline) }
            for index in bytes.indices { try connection.send(bytes: bytes[index...index], by: deadline) }
        } catch ConnectionError.closed {
            // The server may close before it has taken all, as after `-TOOLONG`. What it answered, and whether it
            // may close at all, is for the `S:` lines to say.
        }
    }

    private mutating func receive(on number: Int, expecting text: String) throws -> String {
        do {
            let line = try connection(number).receiveLine(by: .after(EndToEnd.patience))
            note("S", number, line)
            return line
        } catch let error as ConnectionError {
            throw Failure("expected: \(text)\n  but \(error)")
        }
    }

    private mutating func awaitReply(to request: String, on number: Int, _ patterns: [LinePattern]) throws {
        let limit = Deadline.after(Self.longestWait)
        while true {
            try send([request], on: number)
            let lines = try connection(number).receiveReply(by: .after(EndToEnd.patience)).lines
            for line in lines { note("S", number, line.text) }
            var found = numbers
            if lines.count == patterns.count,
                zip(lines, patterns).allSatisfy({ $1.matches($0.text, numbers: &found) })
            {
                numbers = found
                return
            }
            guard !limit.hasPassed else {
                throw mismatch(
                    patterns.map(\.text).joined(separator: "\n            "),
                    lines.map(\.text).joined(separator: "\n            "))
            }
            // The event is the server's own (an expiry); a client can only ask, at a civil pace.
            usleep(5_000)
        }
    }

    /// Closes the writing side of what is still open: the server must have no more to say than the file does.
    private mutating func expectNothingMore() throws {
        for (number, connection) in connections.sorted(by: { $0.key < $1.key }) {
            connection.shutDownWriting()
            let rest = try connection.receiveUntilClosed(by: .after(EndToEnd.patience))
            guard rest.isEmpty else {
                throw Failure("after the last line, connection \(number) got what the file does not have:\n\(rest.joined(separator: "\n"))")
            }
        }
    }

    private mutating func restart() throws {
        connections = [:]
        server = try ServerProcess(directory: directory, flags: flags)
    }

    private mutating func connection(_ number: Int) throws -> Connection {
        if let connection = connections[number] { return connection }
        let connection = try server.connect()
        connections[number] = connection
        return connection
    }

    private func mismatch(_ expected: String, _ got: String) -> Failure {
        Failure("\n  expected: \(expected)\n  got:      \(got)")
    }

    private mutating func note(_ letter: String, _ number: Int, _ text: String) {
        let shown = text.utf8.count > 300 ? "\(text.prefix(300))… (\(text.utf8.count) bytes)" : text
        dialogue.append("\(letter)\(number == 1 ? "" : "\(number)"): \(shown)")
    }

    /// Unix milliseconds.
    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}
