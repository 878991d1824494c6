// What a server under measurement says of itself: the lines of `STATS`, as numbers by key, and the turns of its slow log.

import StockConnection

/// Numbers of `STATS` by key.
struct ServerFigures {
    private var numbers: [String: Int] = [:]
    /// Lines of the slow log, each the words behind its number.
    private(set) var slowTurns: [String] = []

    init(lines: [String]) {
        for line in lines {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let key = String(line[line.startIndex..<equals].drop { $0 == "+" })
            let value = line[line.index(after: equals)...]
            if let number = Int(value) { numbers[key] = number }
            if key.hasPrefix("slow_"), Int(key.dropFirst(5)) != nil { slowTurns.append(String(value)) }
        }
    }

    /// Asks for sections.
    init(of address: Address, _ sections: String...) throws(BenchError) {
        var lines: [String] = []
        for section in sections {
            lines += try connecting { () throws(ConnectionError) in
                let reply = try Connection(to: address).request("STATS \(section)", by: .after(.seconds(60)))
                return reply.items.map(\.text)
            }
        }
        self.init(lines: lines)
    }

    /// 0 for a key that the server does not tell.
    subscript(key: String) -> Int { numbers[key] ?? 0 }

    /// The line of the slow log with the most work of its own.
    var hardestTurn: String? {
        slowTurns.max { Self.number("cpu_us", in: $0) < Self.number("cpu_us", in: $1) }
    }

    static func number(_ key: String, in line: String) -> Int {
        for word in line.split(separator: " ") where word.hasPrefix("\(key)=") {
            return Int(word.dropFirst(key.utf8.count + 1)) ?? 0
        }
        return 0
    }
}
