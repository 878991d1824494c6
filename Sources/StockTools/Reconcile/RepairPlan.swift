// What a repair would do, written down before anything is done. The file is the requests themselves, so that a person
// can read it; its name for itself is a hash of its content, and the id of each adjustment is made of that name and the
// SKU. Whoever applies a plan twice sends the same ids twice, and the server does each once.

import Glibc
import StockInput
import StockModel

/// The repair of one comparison.
public struct RepairPlan: Equatable, Sendable {
    public enum Step: Equatable, Sendable {
        /// Units to add to a drifting SKU, or to take away.
        case adjust(sku: String, delta: Int64)
        /// A SKU that only the shop's record has.
        case create(sku: String, onhand: Int64)

        public var sku: String {
            switch self {
            case .adjust(let sku, _), .create(let sku, _): sku
            }
        }
    }

    /// The store that it is for.
    public var store: String
    public var counting: CountKind
    /// The event of the comparison.
    public var sequence: UInt64
    /// When it was made, in Unix milliseconds: the ids are remembered by the server for a while only.
    public var made: Int64
    public var steps: [Step]

    private static let title = "stockade reconcile plan 1"

    public init(store: String, counting: CountKind, sequence: UInt64, made: Int64, steps: [Step]) {
        (self.store, self.counting, self.sequence, self.made, self.steps) = (store, counting, sequence, made, steps)
    }

    /// The plan for what `comparison` found. SKUs that are only here stand in none.
    ///
    /// Throws `usage` for a counter that no adjustment can change.
    public init(for comparison: Comparison, in store: StoreFiles, at time: Int64) throws {
        let kind = comparison.kind
        guard kind != .sold else {
            throw ToolError(.usage, "units sold cannot be adjusted: they are what orders did. Repair by onhand or available")
        }
        var steps: [Step] = []
        try comparison.forEachDifference { difference in
            switch difference.kind {
            case .drift:
                let value = kind.value(
                    onhand: difference.onhand, held: difference.held, sold: 0, floor: difference.floor)
                let delta = (difference.there ?? value) &- value
                if delta != 0 { steps.append(.adjust(sku: difference.sku, delta: delta)) }
            case .onlyThere:
                if let units = difference.there, units >= 0 { steps.append(.create(sku: difference.sku, onhand: units)) }
            case .onlyHere: break
            }
        }
        self.init(
            store: String(store.identity.store, radix: 16), counting: kind,
            sequence: comparison.summary.sequence, made: time, steps: steps)
    }

    // MARK: Names

    /// What the plan is called: equal for equal repairs of one sequence.
    public var id: String { Self.hash("\(store) \(counting.rawValue) \(sequence)\n\(stepText)") }

    /// FNV-1a (Fowler, Noll, Vo), 64 bits as hexadecimal digits: it tells texts apart, it guards nothing.
    private static func hash(_ text: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The request of a step; `delta` or units, a SKU and an id that is the same whenever it is asked for.
    public func request(of step: Step) -> String {
        request(of: step, id: id)
    }

    func request(of step: Step, id: String) -> String {
        switch step {
        case .adjust(let sku, let delta):
            "ADJUST \(Self.adjustmentID(plan: id, sku: sku)) \(sku) \(delta) reason=reconcile"
        case .create(let sku, let onhand): "CREATE \(sku) \(onhand)"
        }
    }

    /// A token has 128 bytes: a SKU that does not fit beside the plan's name is named by its end, and by its hash, which
    /// holds it apart from others with that end.
    static func adjustmentID(plan: String, sku: String) -> String {
        let whole = "reconcile:\(plan):\(sku)"
        guard whole.utf8.count > Limits.tokenLength else { return whole }
        return "reconcile:\(plan):#\(hash(sku)):\(sku.suffix(70))"
    }

    private var stepText: String {
        steps.map { step in
            switch step {
            case .adjust(let sku, let delta): "adjust \(sku) \(delta)\n"
            case .create(let sku, let onhand): "create \(sku) \(onhand)\n"
            }
        }.joined()
    }

    // MARK: The file

    /// The plan as a file.
    public var text: String {
        let id = id
        var lines = ["\(Self.title)", "store=\(store) count=\(counting.rawValue) seq=\(sequence) made=\(made)"]
        lines += steps.map { request(of: $0, id: id) }
        let body = lines.joined(separator: "\n") + "\n"
        return body + "end steps=\(steps.count) sum=\(Self.hash(body))\n"
    }

    /// Reads the text of a plan; every word of it is checked, and it must be the very text that was written.
    public init(text: String, file: String) throws(ToolError) {
        let bad = ToolError(.badInput, "\(file) is not a whole plan of 'stockade reconcile'")
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popLast()?.isEmpty == true, lines.popLast() != nil, lines.popFirst().map(String.init) == Self.title,
            let head = lines.popFirst()
        else { throw bad }
        let values = Dictionary(
            head.split(separator: " ").compactMap { word -> (Substring, Substring)? in
                guard let mark = word.firstIndex(of: "=") else { return nil }
                return (word[..<mark], word[word.index(after: mark)...])
            }, uniquingKeysWith: { first, _ in first })
        guard let store = values["store"], let counting = values["count"].flatMap({ CountKind(rawValue: String($0)) }),
            let sequence = values["seq"].flatMap({ UInt64($0) }), let made = values["made"].flatMap({ Int64($0) })
        else { throw bad }
        var steps: [Step] = []
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "ADJUST" where words.count == 5:
                guard FieldValue.isToken(Array(words[2].utf8)[...]), let delta = Int64(words[3]) else { throw bad }
                steps.append(.adjust(sku: words[2], delta: delta))
            case "CREATE" where words.count == 3:
                guard FieldValue.isToken(Array(words[1].utf8)[...]), let onhand = Int64(words[2]) else { throw bad }
                steps.append(.create(sku: words[1], onhand: onhand))
            default: throw bad
            }
        }
        self.init(store: String(store), counting: counting, sequence: sequence, made: made, steps: steps)
        guard self.text == text else { throw bad }
    }

    /// Reads a plan's file.
    public init(path: String) throws(ToolError) {
        let source = try ByteSource(path: path)
        var text: [UInt8] = []
        var piece: [UInt8] = []
        repeat {
            try source.read(into: &piece)
            text += piece
        } while !piece.isEmpty
        try self.init(text: String(decoding: text, as: UTF8.self), file: path)
    }

    /// Writes the plan to a new file, and on to the disk. One that is there already may be this plan, and no other.
    public func save(_ path: String) throws(ToolError) {
        func failure(_ what: String) -> ToolError {
            ToolError(.cannotWrite, "cannot \(what) \(path): \(String(cString: strerror(errno)))")
        }
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0, errno == EEXIST {
            guard let other = try? RepairPlan(path: path), other.id == id else {
                throw ToolError(.cannotWrite, "\(path) is there already and is another plan; name another file with --plan")
            }
            return
        }
        guard file >= 0 else { throw failure("make") }
        defer { close(file) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw failure("write") }
            rest = rest.dropFirst(written)
        }
        guard fsync(file) == 0 else { throw failure("sync") }
    }
}
