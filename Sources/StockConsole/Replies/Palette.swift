// Colours, by meaning. Without colours every one of them is the text itself.

/// Dresses text for a terminal (ECMA-48, "select graphic rendition").
public struct Palette: Equatable, Sendable {
    public let isColoured: Bool

    public init(isColoured: Bool) { self.isColoured = isColoured }

    func done(_ text: String) -> String { dressed(text, "32") }
    func refused(_ text: String) -> String { dressed(text, "31") }
    func wary(_ text: String) -> String { dressed(text, "33") }
    func faint(_ text: String) -> String { dressed(text, "90") }
    func strong(_ text: String) -> String { dressed(text, "1") }

    private func dressed(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
