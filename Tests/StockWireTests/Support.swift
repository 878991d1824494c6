// What the tests of the wire share: requests in both framings, and parsed requests as text that can be compared with
// what a table says.

import StockModel
import StockWire

let testKey = HashKey(k0: 0x0706_0504_0302_0100, k1: 0x0F0E_0D0C_0B0A_0908)

/// `words` as an array of bulk strings.
func array(_ words: [[UInt8]]) -> [UInt8] {
    var bytes = Array("*\(words.count)\r\n".utf8)
    for word in words { bytes += Array("$\(word.count)\r\n".utf8) + word + Array("\r\n".utf8) }
    return bytes
}

/// The words of `line`, which are separated by single spaces, as an array.
func array(_ line: String) -> [UInt8] {
    array(line.split(separator: " ").map { Array($0.utf8) })
}

/// Everything that `bytes` hold, each item as text. The bytes stand in memory of exactly their size.
func parseAll(_ bytes: [UInt8]) -> [String] {
    var parser = RequestParser(hashKey: testKey)
    return parseAll(bytes, with: &parser)
}

func parseAll(_ bytes: [UInt8], with parser: inout RequestParser) -> [String] {
    var items: [String] = []
    bytes.withUnsafeBytes { bytes in
        var offset = 0
        var progress = ParseProgress()
        while offset < bytes.count {
            let parsed = parser.next(in: bytes, from: offset, progress: &progress)
            items.append(text(parsed))
            guard let consumed = consumed(parsed) else { return }
            precondition(consumed > 0 && offset + consumed <= bytes.count, "the parser moves on, within its bytes")
            offset += consumed
        }
    }
    return items
}

/// `line` as a request in line framing; the one item that it holds.
func parse(_ line: String) -> String {
    let items = parseAll(Array((line + "\n").utf8))
    return items.count == 1 ? items[0] : "\(items)"
}

/// The bytes that were taken; `nil` when there is no going on.
func consumed(_ parsed: Parsed) -> Int? {
    switch parsed {
    case .request(_, _, let consumed), .ignored(let consumed), .refused(_, let consumed): consumed
    case .incomplete, .fatal: nil
    }
}

func text(_ parsed: Parsed) -> String {
    switch parsed {
    case .request(let request, let verb, _): "\(verb.name) \(text(request))"
    case .ignored: "ignored"
    case .refused(let refusal, _): reply { $0.write(refusal) }
    case .incomplete: "incomplete"
    case .fatal(let refusal): "fatal " + reply { $0.write(refusal) }
    }
}

/// What `write` appends, without the line end at its end.
func reply(_ write: (inout ByteQueue) -> Void) -> String {
    var output = ByteQueue()
    write(&output)
    let text = String(decoding: output.bytes, as: UTF8.self)
    return text.hasSuffix("\r\n") ? String(text.dropLast()) : text + "<no line end>"
}

// MARK: Requests as text

func text(_ request: Request) -> String {
    switch request {
    case .command(let command): text(command)
    case .mget(let skus): text(skus)
    case .skus(let prefix, let after, let count): "prefix=\(text(prefix)) after=\(text(after)) count=\(count)"
    case .holds(let sku, let buyer, let after, let count):
        "sku=\(text(sku)) buyer=\(text(buyer)) after=\(text(after)) count=\(count)"
    case .ping(let word): text(word)
    case .stats(let section): text(section)
    case .auth(let login): text(login)
    case .durable, .snapshot, .verify, .clock, .quit, .shutdown, .select: "-"
    case .hello(let version, let login): "version=\(text(version)) login=\(login.map { text($0) } ?? "nil")"
    case .client(let request): "\(request)"
    case .commandList: "list"
    case .commandCount: "count"
    case .configGet(let patterns): text(patterns)
    }
}

func text(_ command: Command) -> String {
    switch command {
    case .create(let sku, let onhand, let settings): "\(sku.text) \(onhand) \(text(settings))"
    case .adjust(let id, let sku, let delta, let reason, let force):
        "\(id.text) \(sku.text) \(delta) reason=\(text(reason)) force=\(force)"
    case .count(let sku, let onhand, let condition, let force):
        switch condition {
        case .ifOnhand(let expected): "\(sku.text) \(onhand) if=\(expected) force=\(force)"
        case .once(let id): "\(sku.text) \(onhand) id=\(id.text) force=\(force)"
        }
    case .configure(let sku, let settings): "\(sku.text) \(text(settings))"
    case .transfer(let id, let from, let to, let quantity): "\(id.text) \(from.text) \(to.text) \(quantity)"
    case .drop(let sku), .get(let sku): sku.text
    case .deduct(let order): text(order)
    case .reserve(let order, let ttl): "ttl=\(ttl) \(text(order))"
    case .confirm(let id, let lines, let late): "\(id.text) [\(text(lines))] late=\(late)"
    case .cancel(let id, let born, let reason): "\(id.text) born=\(text(born)) reason=\(text(reason))"
    case .extend(let id, let ttl): "\(id.text) ttl=\(ttl)"
    case .giveBack(let key, let order, let lines): "\(key.text) \(order.text) [\(text(lines))]"
    case .lookup(let id): id.text
    }
}

private func text(_ order: NewOrder) -> String {
    "\(order.id.text) [\(text(order.lines))] buyer=\(text(order.buyer)) born=\(text(order.born))"
}

private func text(_ lines: OrderLines) -> String {
    lines.map { "\($0.sku.text) \($0.quantity)" }.joined(separator: " ")
}

private func text(_ settings: StockSettings) -> String {
    let parts = [
        settings.floor.map { "floor=\($0)" }, settings.limit.map { "limit=\($0)" },
        settings.opens.map { "opens=\($0)" }, settings.closes.map { "closes=\($0)" },
        settings.paused.map { "paused=\($0)" },
    ]
    return "{" + parts.compactMap { $0 }.joined(separator: " ") + "}"
}

private func text(_ login: Login) -> String {
    "\(text(login.user))/\(String(decoding: login.secret, as: UTF8.self))"
}

private func text(_ list: TokenList) -> String {
    (0..<list.count).map { list[$0].text }.joined(separator: ",")
}

private func text(_ token: Token?) -> String { token?.text ?? "nil" }
private func text(_ time: Timestamp?) -> String { time.map { "\($0.milliseconds)" } ?? "nil" }
private func text(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "nil" }
