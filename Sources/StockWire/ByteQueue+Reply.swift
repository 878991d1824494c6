// Replies as lines, in the shapes that a RESP parser reads: `+text`, `-CODE text`, `:number`, `*N`. What the ledger
// answered is written in ByteQueue+Outcome.swift.

import StockModel

extension ByteQueue {
    /// `*N`: that many lines follow.
    public mutating func writeArrayHeader(_ count: Int) {
        line(room: 0) { $0.put("*"); $0.put(Int64(count)) }
    }

    /// `%N`: that many pairs of lines follow; only for `HELLO 3`.
    public mutating func writeMapHeader(_ count: Int) {
        line(room: 0) { $0.put("%"); $0.put(Int64(count)) }
    }

    /// `:N`
    public mutating func writeInteger(_ value: Int64) {
        line(room: 0) { $0.put(":"); $0.put(value) }
    }

    /// `+text`: the server's own words.
    public mutating func writeSimple(_ text: StaticString) {
        line(room: text.utf8CodeUnitCount) { $0.put("+"); $0.put(text) }
    }

    /// `+word`: of a client, so it must have passed the token rule.
    public mutating func writeSimple(_ word: Token) {
        line(room: word.count) { $0.put("+"); $0.put(word) }
    }

    /// `+key=value`, for STATS.
    public mutating func writeStatistic(_ key: StaticString, _ value: Int64) {
        line(room: key.utf8CodeUnitCount) { $0.put("+"); $0.put(key); $0.put("="); $0.put(value) }
    }

    /// `+key=text`, for STATS. Control characters become `?`.
    public mutating func writeStatistic(_ key: StaticString, text: String) {
        line(room: key.utf8CodeUnitCount + text.utf8.count) {
            $0.put("+")
            $0.put(key)
            $0.put("=")
            $0.put(cleaned: text)
        }
    }

    /// `+key=text`, of names that are made at run time. Control characters become `?`.
    public mutating func writeStatistic(_ key: String, text: String) {
        line(room: key.utf8.count + text.utf8.count) {
            $0.put("+")
            $0.put(cleaned: key)
            $0.put("=")
            $0.put(cleaned: text)
        }
    }

    /// The answer to `HELLO`, as stock clients of Redis expect it: a map for version 3, a flat array for version 2.
    ///
    /// - Parameters:
    ///   - version: of the protocol, 2 or 3.
    ///   - server: the server's own version, such as `1.0.0`.
    ///   - connection: the number of this connection, as `CLIENT ID` says it.
    public mutating func writeGreeting(version: Int, server: StaticString, connection: Int64) {
        let fields = 5
        if version == 3 { writeMapHeader(fields) } else { writeArrayHeader(2 * fields) }
        writeSimple("server")
        writeSimple("stockade")
        writeSimple("version")
        writeSimple(server)
        writeSimple("id")
        writeInteger(connection)
        writeSimple("mode")
        writeSimple("standalone")
        writeSimple("proto")
        writeInteger(Int64(version))
    }

    /// `+CLOCK ms=… seq=…`
    public mutating func writeClock(_ now: Timestamp, sequence: UInt64) {
        line(room: 0) { $0.put("+CLOCK ms="); $0.put(now.milliseconds); $0.put(" seq="); $0.put(sequence) }
    }

    /// `+DURABLE seq=…`
    public mutating func writeDurable(sequence: UInt64) {
        line(room: 0) { $0.put("+DURABLE seq="); $0.put(sequence) }
    }

    /// `+SNAPSHOT seq=… skus=… orders=… ms=…`
    public mutating func writeSnapshot(sequence: UInt64, skus: Int, orders: Int, milliseconds: Int64) {
        line(room: 0) {
            $0.put("+SNAPSHOT seq=")
            $0.put(sequence)
            $0.put(" skus=")
            $0.put(Int64(skus))
            $0.put(" orders=")
            $0.put(Int64(orders))
            $0.put(" ms=")
            $0.put(milliseconds)
        }
    }

    /// `+VERIFIED seq=… skus=… orders=… digest=…`; the digest as `STATS digest` shows it.
    public mutating func writeVerified(sequence: UInt64, skus: Int, orders: Int, digest: String) {
        line(room: digest.utf8.count) {
            $0.put("+VERIFIED seq=")
            $0.put(sequence)
            $0.put(" skus=")
            $0.put(Int64(skus))
            $0.put(" orders=")
            $0.put(Int64(orders))
            $0.put(" digest=")
            $0.put(cleaned: digest)
        }
    }

    /// `+NEXT token`, the last line of a page that is not the last.
    public mutating func writeNextPage(token: UInt64) {
        line(room: 0) { $0.put("+NEXT "); $0.put(token) }
    }

    /// `-CODE`, `-CODE text`
    public mutating func writeRefusal(_ code: RefusalCode, _ text: StaticString = "") {
        line(room: text.utf8CodeUnitCount) {
            $0.put("-")
            $0.put(code.word)
            if text.utf8CodeUnitCount > 0 {
                $0.put(" ")
                $0.put(text)
            }
        }
    }

    /// `-CODE text` of a text that is made at run time. Control characters become `?`.
    public mutating func writeRefusal(_ code: RefusalCode, text: String) {
        line(room: text.utf8.count) {
            $0.put("-")
            $0.put(code.word)
            $0.put(" ")
            $0.put(cleaned: text)
        }
    }

    /// What the parser refused.
    public mutating func write(_ refusal: ParseRefusal) {
        line(room: refusal.explanation.utf8CodeUnitCount + (refusal.word?.count ?? 0)) {
            $0.put("-")
            $0.put(refusal.code.word)
            if let word = refusal.word {
                $0.put(" ")
                $0.put(word)
            }
            if refusal.explanation.utf8CodeUnitCount > 0 {
                $0.put(" ")
                $0.put(refusal.explanation)
            }
        }
    }

    /// One reply line, ended by `\r\n`.
    ///
    /// - Parameter room: bytes of all texts and tokens of unknown length; keys and up to ten numbers are counted here.
    @inline(__always)
    mutating func line(room: Int, _ write: (inout LineWriter) -> Void) {
        let start = reserve(room &+ LineWriter.fixedRoom)
        var writer = LineWriter(next: start)
        write(&writer)
        writer.put("\r\n")
        advance(writer.next - start)
    }
}
