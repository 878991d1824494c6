// Bytes of a terminal become keys. A key may be one byte (Ctrl-A), the bytes of a UTF-8 character or an escape
// sequence of xterm's; any of them may come in pieces. What nobody knows is passed over, never typed into the line.

/// What was pressed.
public enum Key: Equatable, Sendable {
    case text(Character)
    case control(Character)
    case enter, tab, escape, backspace, delete
    case left, right, up, down, home, end, wordLeft, wordRight, killWordRight
}

/// Decodes the bytes that a terminal sends.
public struct KeyDecoder {
    private var bytes: [UInt8] = []

    public init() {}

    /// Takes bytes in; the keys that are whole by now.
    public mutating func decode(_ more: some Sequence<UInt8>) -> [Key] {
        bytes.append(contentsOf: more)
        var keys: [Key] = []
        var rest = bytes[...]
        while let first = rest.first {
            switch Self.step(first, rest) {
            case .key(let key, let count):
                if let key { keys.append(key) }
                rest = rest.dropFirst(count)
                continue
            case .incomplete: break
            }
            break
        }
        bytes = Array(rest)
        return keys
    }

    /// Nothing more came for a while: what looked like the beginning of a sequence was the Escape key.
    public mutating func timeOut() -> [Key] {
        defer { bytes.removeAll() }
        return bytes == [0x1B] ? [.escape] : []
    }

    /// Bytes wait for the rest of their sequence.
    public var isWaiting: Bool { !bytes.isEmpty }

    private enum Step { case key(Key?, Int), incomplete }

    /// No sequence that we know is longer; one that does not end is not one.
    private static let longestSequence = 32

    private static func step(_ first: UInt8, _ bytes: ArraySlice<UInt8>) -> Step {
        switch first {
        case 0x0D, 0x0A: .key(.enter, 1)
        case 0x09: .key(.tab, 1)
        case 0x08, 0x7F: .key(.backspace, 1)
        case 0x1B: escapeSequence(bytes)
        // Ctrl-A is 1.
        case 0x01...0x1A: .key(.control(Character(Unicode.Scalar(first + 0x60))), 1)
        case 0x00...0x1F: .key(nil, 1)
        case 0x20...0x7E: .key(.text(Character(Unicode.Scalar(first))), 1)
        default: character(first, bytes)
        }
    }

    private static func character(_ first: UInt8, _ bytes: ArraySlice<UInt8>) -> Step {
        let length =
            switch first {
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            default: 1
            }
        let tail = bytes.dropFirst().prefix(length - 1)
        // A byte that begins another character ends this one, which then is none.
        guard tail.allSatisfy({ $0 & 0xC0 == 0x80 }), length > 1 else { return .key(nil, 1) }
        guard tail.count == length - 1 else { return .incomplete }
        let text = String(decoding: bytes.prefix(length), as: UTF8.self)
        guard let only = text.first, text.count == 1, only != "\u{FFFD}" else { return .key(nil, length) }
        return .key(.text(only), length)
    }

    /// `ESC [ parameters letter`, `ESC [ number ~`, `ESC O letter`, or `ESC` and a key for Alt.
    private static func escapeSequence(_ bytes: ArraySlice<UInt8>) -> Step {
        guard let second = bytes.dropFirst().first else { return .incomplete }
        guard second == UInt8(ascii: "[") || second == UInt8(ascii: "O") else {
            let key: Key? =
                switch second {
                case UInt8(ascii: "b"): .wordLeft
                case UInt8(ascii: "f"): .wordRight
                case UInt8(ascii: "d"): .killWordRight
                case 0x7F, 0x08: .control("w")
                default: nil
                }
            // ESC ESC: the second may begin a sequence.
            return .key(second == 0x1B ? .escape : key, second == 0x1B ? 1 : 2)
        }
        guard let end = bytes.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            return bytes.count < longestSequence ? .incomplete : .key(nil, bytes.count)
        }
        let parameters = String(decoding: bytes[(bytes.startIndex + 2)..<end], as: UTF8.self)
        let count = end - bytes.startIndex + 1
        // `1;5D`: the arrow with Ctrl held; 3 is Alt.
        let isWord = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
        let key: Key? =
            switch bytes[end] {
            case UInt8(ascii: "A"): .up
            case UInt8(ascii: "B"): .down
            case UInt8(ascii: "C"): isWord ? .wordRight : .right
            case UInt8(ascii: "D"): isWord ? .wordLeft : .left
            case UInt8(ascii: "H"): .home
            case UInt8(ascii: "F"): .end
            case UInt8(ascii: "~"):
                switch parameters {
                case "1", "7": .home
                case "3": .delete
                case "4", "8": .end
                default: nil
                }
            default: nil
            }
        return .key(key, count)
    }
}
