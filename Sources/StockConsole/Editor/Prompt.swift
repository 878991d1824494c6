// Reads one line from a person: keys from the terminal to the editor, frames from the editor to the terminal.

/// What came of asking for a line.
public enum PromptResult: Equatable, Sendable {
    case line(String)
    /// Ctrl-C.
    case interrupted
    /// Ctrl-D on an empty line, or the terminal is gone.
    case end
}

/// A prompt on a terminal. Keys that were typed ahead wait for the next line.
public final class Prompt {
    private let terminal: Terminal
    private let palette: Palette
    private var decoder = KeyDecoder()
    private var pending: [Key] = []

    /// How long the rest of an escape sequence may take, in milliseconds.
    private static let sequencePatience: Int32 = 50

    public init(terminal: Terminal, palette: Palette) {
        self.terminal = terminal
        self.palette = palette
    }

    /// Raw mode ends with the line, so that commands run, and can be interrupted, as everywhere.
    public func ask(_ prompt: String, history: [String]) -> PromptResult {
        guard terminal.enterRawMode() else { return .end }
        defer { terminal.leaveRawMode() }
        var editor = LineEditor(history: history, completer: { LineAdvice.completion(of: $0) })
        show(editor, prompt)
        while true {
            guard let key = nextKey(whileIdle: { self.show(editor, prompt) }) else {
                terminal.write("\n")
                return .end
            }
            switch editor.handle(key) {
            case .show: if pending.isEmpty { show(editor, prompt) }
            case .bell: terminal.write("\u{7}")
            case .clearScreen:
                terminal.write("\u{1B}[H\u{1B}[2J")
                show(editor, prompt)
            case .list(let candidates):
                show(editor, prompt, hinting: false)
                terminal.write("\n" + columns(candidates))
                show(editor, prompt)
            case .submit(let line):
                // The hint goes, the line stays to be read.
                show(editor, prompt, hinting: false)
                terminal.write("\n")
                return .line(line)
            case .interrupt:
                show(editor, prompt, hinting: false)
                terminal.write("^C\n")
                return .interrupted
            case .endOfInput:
                terminal.write("\n")
                return .end
            }
        }
    }

    private func nextKey(whileIdle redraw: () -> Void) -> Key? {
        while pending.isEmpty {
            switch terminal.read(within: decoder.isWaiting ? Self.sequencePatience : -1) {
            case .bytes(let bytes): pending = decoder.decode(bytes)
            case .nothing where decoder.isWaiting: pending = decoder.timeOut()
            case .nothing: redraw()
            case .end: return nil
            }
        }
        return pending.removeFirst()
    }

    private func show(_ editor: LineEditor, _ prompt: String, hinting: Bool = true) {
        let hint = hinting ? LineAdvice.hint(for: editor.text) : ""
        terminal.write(editor.frame(prompt: prompt, hint: hint, columns: terminal.size.columns).drawn(with: palette))
    }

    private func columns(_ words: [String]) -> String {
        let width = (words.map(\.count).max() ?? 0) + 2
        let perLine = max(1, terminal.size.columns / width)
        return stride(from: 0, to: words.count, by: perLine).map { start in
            words[start..<min(start + perLine, words.count)].map { $0.padded(to: width) }.joined() + "\n"
        }.joined()
    }
}
