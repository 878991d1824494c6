// The line that is being typed, as a pure state machine: keys in, effects out. It knows no terminal; what is to be seen
// is `frame(prompt:columns:)`, and who reads keys and writes frames is `Prompt`. Keys are those of readline's defaults.

/// A line, a cursor, and the history above it.
public struct LineEditor {
    /// What the owner has to do after a key.
    public enum Effect: Equatable, Sendable {
        /// Show the line.
        case show
        /// The line is done.
        case submit(String)
        /// Ctrl-C: the line is given up.
        case interrupt
        /// Ctrl-D on an empty line.
        case endOfInput
        case clearScreen
        /// What Tab could mean; shown below the line, which stays.
        case list([String])
        /// Nothing could be done.
        case bell
    }

    private(set) var line: [Character] = []
    /// 0…`line.count`.
    private(set) var cursor = 0

    private let completer: @Sendable (String) -> Completion
    /// Oldest first.
    private let history: [String]
    /// An index of `history`; its count for the new line.
    private var position: Int
    /// The new line, while an older one is shown.
    private var draft: [Character] = []
    /// What was cut last, for Ctrl-Y.
    private var clipping: [Character] = []
    private var lastKeyWasTab = false

    /// A line longer than a request can be is not worth typing.
    private static let longest = 65_536

    /// - Parameter completer: what the line up to the cursor can go on with.
    public init(history: [String] = [], completer: @escaping @Sendable (String) -> Completion = { _ in Completion() }) {
        self.history = history
        self.completer = completer
        position = history.count
    }

    public var text: String { String(line) }

    // MARK: Keys

    public mutating func handle(_ key: Key) -> Effect {
        let repeatsTab = lastKeyWasTab
        lastKeyWasTab = key == .tab
        switch key {
        case .text(let character): return insert([character])
        case .enter: return .submit(text)
        case .tab: return complete(again: repeatsTab)
        case .backspace, .control("h"): return cut(from: cursor - 1, to: cursor, keep: false)
        case .delete: return cut(from: cursor, to: cursor + 1, keep: false)
        case .left, .control("b"): return move(to: cursor - 1)
        case .right, .control("f"): return move(to: cursor + 1)
        case .home, .control("a"): return move(to: 0)
        case .end, .control("e"): return move(to: line.count)
        case .wordLeft: return move(to: wordStart)
        case .wordRight: return move(to: wordEnd)
        case .up, .control("p"): return recall(position - 1)
        case .down, .control("n"): return recall(position + 1)
        case .control("k"): return cut(from: cursor, to: line.count, keep: true)
        case .control("u"): return cut(from: 0, to: cursor, keep: true)
        case .control("w"): return cut(from: wordStart, to: cursor, keep: true)
        case .killWordRight: return cut(from: cursor, to: wordEnd, keep: true)
        case .control("y"): return insert(clipping)
        case .control("t"): return transpose()
        case .control("c"): return .interrupt
        case .control("d"): return line.isEmpty ? .endOfInput : cut(from: cursor, to: cursor + 1, keep: false)
        case .control("l"): return .clearScreen
        case .control, .escape: return .bell
        }
    }

    private mutating func insert(_ characters: [Character]) -> Effect {
        guard !characters.isEmpty, line.count + characters.count <= Self.longest else { return .bell }
        line.insert(contentsOf: characters, at: cursor)
        cursor += characters.count
        return .show
    }

    private mutating func move(to target: Int) -> Effect {
        guard (0...line.count).contains(target) else { return .bell }
        cursor = target
        return .show
    }

    /// - Parameter keep: Ctrl-Y puts it back.
    private mutating func cut(from start: Int, to end: Int, keep: Bool) -> Effect {
        guard start >= 0, end <= line.count, start < end else { return .bell }
        if keep { clipping = Array(line[start..<end]) }
        line.removeSubrange(start..<end)
        if cursor > start { cursor = max(start, cursor - (end - start)) }
        return .show
    }

    private mutating func transpose() -> Effect {
        guard cursor > 0, line.count > 1 else { return .bell }
        let right = min(cursor, line.count - 1)
        line.swapAt(right - 1, right)
        cursor = right + 1
        return .show
    }

    private mutating func recall(_ target: Int) -> Effect {
        guard (0...history.count).contains(target) else { return .bell }
        if position == history.count { draft = line }
        position = target
        line = target == history.count ? draft : Array(history[target])
        cursor = line.count
        return .show
    }

    // MARK: Words

    /// The start of the word that ends at or spans the cursor.
    private var wordStart: Int {
        var index = cursor
        while index > 0, line[index - 1] == " " { index -= 1 }
        while index > 0, line[index - 1] != " " { index -= 1 }
        return index
    }

    private var wordEnd: Int {
        var index = cursor
        while index < line.count, line[index] == " " { index += 1 }
        while index < line.count, line[index] != " " { index += 1 }
        return index
    }

    private mutating func complete(again: Bool) -> Effect {
        let completion = completer(String(line[..<cursor]))
        guard let first = completion.candidates.first else { return .bell }
        let common = completion.candidates.dropFirst().reduce(first) { $0.commonPrefix(with: $1) }
        let start = max(0, cursor - completion.typed)
        let isOnly = completion.candidates.count == 1
        let addition = Array(common) + (isOnly && !first.hasSuffix("=") ? [" "] : [])
        if isOnly || common.count > completion.typed {
            line.replaceSubrange(start..<cursor, with: addition)
            cursor = start + addition.count
            return .show
        }
        return again ? .list(completion.candidates) : .bell
    }
}

/// What can stand at the end of a line that is being typed.
public struct Completion: Equatable, Sendable {
    /// Whole words that begin as the last word does.
    public var candidates: [String]
    /// How many characters of that word are there.
    public var typed: Int

    public init(candidates: [String] = [], typed: Int = 0) {
        self.candidates = candidates
        self.typed = typed
    }
}

extension String {
    fileprivate func commonPrefix(with other: String) -> String {
        String(zip(self, other).prefix { $0 == $1 }.map(\.0))
    }
}
