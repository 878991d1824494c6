// What a terminal shows of a line that is being typed: the prompt, as much of the line as fits around the cursor, and
// in grey what could come next. One row always: a longer line moves sideways.

/// One row of a terminal and where its cursor stands.
public struct EditorFrame: Equatable, Sendable {
    public var prompt: String
    /// The part of the line that is shown.
    public var text: String
    /// What could come next; cut off where the row ends.
    public var hint: String
    /// Columns left of the cursor.
    public var cursorColumn: Int

    /// The bytes that draw it over whatever the row showed.
    public func drawn(with palette: Palette) -> String {
        "\r" + palette.strong(prompt) + text + (palette.isColoured ? palette.faint(hint) : "") + "\u{1B}[K\r"
            + (cursorColumn > 0 ? "\u{1B}[\(cursorColumn)C" : "")
    }
}

extension LineEditor {
    /// The line on a terminal of that width.
    ///
    /// - Parameter hint: for the line as it is; shown when the cursor is at its end.
    public func frame(prompt: String, hint: String = "", columns: Int) -> EditorFrame {
        let line = visibleLine
        let promptWidth = prompt.reduce(0) { $0 + $1.columns }
        // The last column stays free: a cursor behind it would wrap.
        let room = max(1, columns - promptWidth - 1)
        var start = cursor
        var width = 0
        // From the cursor to the left, as much as fits.
        while start > 0, width + line[start - 1].columns <= room {
            start -= 1
            width += line[start].columns
        }
        let cursorColumn = promptWidth + width
        var end = cursor
        while end < line.count, width + line[end].columns <= room {
            width += line[end].columns
            end += 1
        }
        var shown = ""
        if cursor == line.count {
            for character in hint {
                guard width + character.columns <= room else { break }
                width += character.columns
                shown.append(character)
            }
        }
        return EditorFrame(prompt: prompt, text: String(line[start..<end]), hint: shown, cursorColumn: cursorColumn)
    }
}

extension LineEditor {
    /// The line, or stars where a secret is typed: whoever looks over a shoulder sees the verb.
    private var visibleLine: [Character] {
        guard RequestText(text)?.carriesSecret == true else { return line }
        let start = line.firstIndex { $0 != " " } ?? 0
        let verbEnd = line[start...].firstIndex(of: " ") ?? line.count
        return line[..<verbEnd] + line[verbEnd...].map { $0 == " " ? " " : "*" }
    }
}

extension Character {
    /// Columns that a terminal gives it: 2 for what East Asian scripts and pictures take, else 1. A rough rule (Unicode
    /// Annex 11, blocks only), as tokens are ASCII; it keeps the cursor right when somebody types a comment.
    var columns: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return scalar.properties.generalCategory == .nonspacingMark ? 0 : 1
        }
    }
}
