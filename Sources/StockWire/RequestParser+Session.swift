// What clients say about themselves: AUTH, and the greetings of stock Redis clients. Each client library has its own
// set (redis-cli: COMMAND; redis-benchmark: CONFIG GET; redis-py, go-redis, jedis: HELLO, CLIENT SETINFO, SELECT).

import StockModel

extension RequestParser {
    func sessionWord(_ index: Int, is expected: StaticString) -> Bool {
        guard index < wordCount, words[index].count == expected.utf8CodeUnitCount else { return false }
        for position in 0..<words[index].count {
            let byte = words[index].base.load(fromByteOffset: position, as: UInt8.self)
            let capital = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte & 0xDF : byte
            if capital != expected.utf8Start[position] { return false }
        }
        return true
    }

    mutating func sessionRequest(_ verb: Verb) throws(Complaint) -> Request {
        switch verb {
        case .auth:
            guard wordCount == 2 || wordCount == 3 else { throw .usage }
            return .auth(
                Login(user: wordCount == 3 ? try token(1, .user) : nil, secret: try secret(wordCount - 1)))
        case .hello: return try hello()
        case .client: return .client(try client())
        case .command:
            if wordCount == 1 { return .commandList }
            if sessionWord(1, is: "COUNT") { return .commandCount }
            guard sessionWord(1, is: "DOCS") || sessionWord(1, is: "INFO") || sessionWord(1, is: "LIST") else {
                throw .usage
            }
            return .commandList
        case .select:
            try exactly(2)
            _ = try number(1, .database)
            return .select
        default:
            guard sessionWord(1, is: "GET") else { throw .usage }
            return .configGet(patterns: try tokens(from: 2, .word))
        }
    }

    /// `HELLO [version [AUTH user secret] [SETNAME name]]`
    private mutating func hello() throws(Complaint) -> Request {
        guard wordCount > 1 else { return .hello(version: nil, login: nil) }
        let version = try number(1, .version)
        var login: Login?
        var position = 2
        while position < wordCount {
            if sessionWord(position, is: "AUTH"), position + 2 < wordCount {
                login = Login(user: try token(position + 1, .user), secret: try secret(position + 2))
                position += 3
            } else if sessionWord(position, is: "SETNAME"), position + 1 < wordCount {
                position += 2
            } else {
                throw .usage
            }
        }
        return .hello(version: Int(version), login: login)
    }

    private func client() throws(Complaint) -> ClientRequest {
        if sessionWord(1, is: "SETINFO"), wordCount == 4 { return .noted }
        if sessionWord(1, is: "SETNAME"), wordCount == 3 { return .noted }
        if sessionWord(1, is: "NO-EVICT") || sessionWord(1, is: "NO-TOUCH"), wordCount == 3 { return .noted }
        if sessionWord(1, is: "ID"), wordCount == 2 { return .id }
        if sessionWord(1, is: "GETNAME"), wordCount == 2 { return .name }
        throw .usage
    }

    /// A password: any bytes in an array; in a line, any that do not end a word or a line or a C string.
    private func secret(_ index: Int) throws(Complaint) -> UnsafeRawBufferPointer {
        let word = words[index]
        guard word.count <= Limits.secretLength else { throw .form(.secret) }
        if !isArray {
            for byte in word.bytes where byte == 0 || byte == UInt8(ascii: "\r") { throw .form(.secret) }
        }
        return word.bytes
    }
}

extension Limits {
    /// Bytes of the secret that AUTH carries.
    static let secretLength = 1_024
}
