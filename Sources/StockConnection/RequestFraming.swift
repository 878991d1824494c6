// How a request becomes bytes. The server takes two framings and answers both alike: a plain line, which a
// person can type, and the RESP array that every Redis client sends.

/// The two ways to put a request on the wire (Protocol: "Connections and framing").
public enum RequestFraming: Sendable, CaseIterable {
    /// The line and `\n`.
    case line
    /// `*N` and N bulk strings: the line's words, which spaces separate.
    case array

    /// Appends `request`, a line without its end, to `bytes`.
    public func append(_ request: some StringProtocol, to bytes: inout [UInt8]) {
        switch self {
        case .line:
            bytes.append(contentsOf: request.utf8)
            bytes.append(UInt8(ascii: "\n"))
        case .array:
            let words = request.split(separator: " ")
            bytes.append(contentsOf: "*\(words.count)\r\n".utf8)
            for word in words {
                bytes.append(contentsOf: "$\(word.utf8.count)\r\n".utf8)
                bytes.append(contentsOf: word.utf8)
                bytes.append(contentsOf: "\r\n".utf8)
            }
        }
    }

    /// The bytes of `requests`, one after the other.
    public func bytes(of requests: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for request in requests { append(request, to: &bytes) }
        return bytes
    }
}
