// A request before it is bytes: its words, with places where an order's number and the SKUs' numbers go, and the
// reply that it should get. Numbers are written with a fixed count of digits, so that all requests of one shape
// have the same length, and to make one is to copy it and to write over the digits.

import StockConnection

/// The words of a request. `{order}` in a word stands for an order's id, `{number}` for the 16 digits of its number alone,
/// `{sku}` for the order's SKU, and `{next}` for the SKU that follows the one before it in the request.
struct RequestShape {
    let words: [String]
    let expectation: ExpectedReply

    init(_ words: [String], expects expectation: ExpectedReply) {
        self.words = words
        self.expectation = expectation
    }
}

/// Where the 8 hexadecimal digits of a SKU go.
struct SKUPlace: Equatable {
    let offset: Int
    /// It is the SKU after the one before it, and not the order's own.
    let isNext: Bool
}

/// The bytes of a shape, and where its numbers go.
struct RequestTemplate {
    private(set) var bytes: [UInt8] = []
    /// Offsets of an order's 16 hexadecimal digits.
    private(set) var orderPlaces: [Int] = []
    /// Where SKUs go, in the order of the request.
    private(set) var skuPlaces: [SKUPlace] = []
    let expectation: ExpectedReply

    init(_ shape: RequestShape, framing: RequestFraming, run: RunID) {
        expectation = shape.expectation
        if framing == .array { append("*\(shape.words.count)\r\n") }
        for (index, word) in shape.words.enumerated() {
            let pieces = Self.pieces(of: word, run: run)
            switch framing {
            case .line:
                if index > 0 { append(" ") }
                append(pieces)
            case .array:
                append("$\(pieces.reduce(0) { $0 + $1.length })\r\n")
                append(pieces)
                append("\r\n")
            }
        }
        if framing == .line { append("\n") }
    }

    private enum Piece {
        case text(String), order, sku, next

        var isNext: Bool { if case .next = self { true } else { false } }

        var length: Int {
            switch self {
            case .text(let text): text.utf8.count
            case .order: 16
            case .sku, .next: 8
            }
        }
    }

    private static func pieces(of word: String, run: RunID) -> [Piece] {
        var pieces: [Piece] = []
        var rest = word[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            pieces.append(.text(String(rest[..<open])))
            switch rest[rest.index(after: open)..<close] {
            case "number": pieces.append(.order)
            case "order": pieces += [.text("\(run)-"), .order]
            case "sku": pieces += [.text("\(run)-s"), .sku]
            case "next": pieces += [.text("\(run)-s"), .next]
            case let other: pieces.append(.text("{\(other)}"))
            }
            rest = rest[rest.index(after: close)...]
        }
        return pieces + [.text(String(rest))]
    }

    private mutating func append(_ text: String) { bytes += Array(text.utf8) }

    private mutating func append(_ pieces: [Piece]) {
        for piece in pieces {
            switch piece {
            case .text(let text): append(text)
            case .order:
                orderPlaces.append(bytes.count)
                append(String(repeating: "0", count: piece.length))
            case .sku, .next:
                skuPlaces.append(SKUPlace(offset: bytes.count, isNext: piece.isNext))
                append(String(repeating: "0", count: piece.length))
            }
        }
    }
}
