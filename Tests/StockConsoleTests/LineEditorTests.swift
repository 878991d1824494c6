// The line editor as tables: what is typed, and the line, the cursor and the screen that come of it.

import Testing

@testable import StockConsole

/// Keys as a terminal sends them, with `^A` for Ctrl-A and names in `<>`.
private func typed(_ text: String) -> [UInt8] {
    let names = [
        "<left>": "\u{1B}[D", "<right>": "\u{1B}[C", "<up>": "\u{1B}[A", "<down>": "\u{1B}[B", "<home>": "\u{1B}[H",
        "<end>": "\u{1B}OF", "<delete>": "\u{1B}[3~", "<word-left>": "\u{1B}[1;5D", "<word-right>": "\u{1B}f",
        "<kill-word>": "\u{1B}d", "<back>": "\u{7F}", "<tab>": "\t", "<enter>": "\r", "<f5>": "\u{1B}[15~",
    ]
    var bytes: [UInt8] = []
    var rest = text[...]
    while let first = rest.first {
        if let name = names.keys.first(where: { rest.hasPrefix($0) }) {
            bytes += Array((names[name] ?? "").utf8)
            rest = rest.dropFirst(name.count)
        } else if first == "^", let letter = rest.dropFirst().first?.asciiValue {
            bytes.append(letter & 0x1F)
            rest = rest.dropFirst(2)
        } else {
            bytes += Array(String(first).utf8)
            rest = rest.dropFirst()
        }
    }
    return bytes
}

@Suite("The line editor")
struct LineEditorTests {
    private static func editor() -> LineEditor {
        LineEditor(history: ["GET a", "GET b"], completer: { LineAdvice.completion(of: $0) })
    }

    /// The editor after the keys, and the effect of the last.
    private func play(_ keys: String) -> (editor: LineEditor, effect: LineEditor.Effect?) {
        var editor = Self.editor()
        var decoder = KeyDecoder()
        var effect: LineEditor.Effect?
        for key in decoder.decode(typed(keys)) { effect = editor.handle(key) }
        return (editor, effect)
    }

    @Test(
        "Keys make the line; | is the cursor",
        arguments: [
            ("", "|"), ("GET a", "GET a|"), ("ac<left>b", "ab|c"), ("ab<left><left><left>", "|ab"),
            ("ab^Ac", "c|ab"), ("ab<home>c<end>d", "cabd|"), ("abc<back>", "ab|"), ("abc<left><left><delete>", "a|c"),
            ("ab^A<back>", "|ab"), ("GET phone^W", "GET |"), ("GET phone  ^W", "GET |"), ("GET phone^U", "|"),
            ("GET phone^A^K", "|"), ("GET phone^W^A^Y ", "phone |GET "), ("one two<word-left>x", "one x|two"),
            ("one two^A<word-right>x", "onex| two"), ("one two^A<kill-word>", "| two"), ("ab^T", "ba|"),
            ("abc^A^F^T", "ba|c"), ("a<f5>b", "ab|"), ("aß京e<left><back>", "aß|e"), ("ab^D", "ab|"), ("ab^A^D", "|b"),
            ("<up>", "GET b|"), ("<up><up><up>", "GET a|"), ("new<up><down>", "new|"), ("new^P^P^N", "GET b|"),
            ("res<tab>", "RESERVE |"), ("con<tab>", "CONFI|"), ("get phone^A<tab>", "|get phone"),
            ("DEDUCT o-1 a 1 bu<tab>", "DEDUCT o-1 a 1 buyer=|"), ("help res<tab>", "help RESERVE |"),
            ("CANCEL o-1 born=5 b<tab>", "CANCEL o-1 born=5 b|"), ("NOSUCH b<tab>", "NOSUCH b|"), ("ex<tab>", "ex|"), ("exi<tab>", "EXIT |"),
        ])
    func lines(keys: String, expected: String) {
        let editor = play(keys).editor
        var shown = Array(editor.text)
        shown.insert("|", at: editor.cursor)
        #expect(String(shown) == expected)
    }

    @Test(
        "Some keys ask the owner for something",
        arguments: [
            ("GET a<enter>", .submit("GET a")), ("<enter>", .submit("")), ("GET^C", .interrupt), ("^D", .endOfInput),
            ("ab^D", .bell), ("^L", .clearScreen), ("<down>", .bell), ("zz<tab>", .bell), ("con<tab>", .show),
            ("confi<tab>", .bell), ("con<tab><tab><tab>", .list(["CONFIG", "CONFIGURE", "CONFIRM"])),
            ("^G", .bell),
        ] as [(String, LineEditor.Effect)])
    func effects(keys: String, expected: LineEditor.Effect) {
        #expect(play(keys).effect == expected)
    }

    @Test("A line longer than the row moves sideways, and the hint ends where the row does")
    func frames() {
        let (editor, _) = play("GET phone-42")
        #expect(
            editor.frame(prompt: "> ", hint: " sku", columns: 80)
                == EditorFrame(prompt: "> ", text: "GET phone-42", hint: " sku", cursorColumn: 14))
        #expect(
            editor.frame(prompt: "> ", hint: " sku", columns: 17)
                == EditorFrame(prompt: "> ", text: "GET phone-42", hint: " s", cursorColumn: 14))
        #expect(
            editor.frame(prompt: "> ", hint: " sku", columns: 10)
                == EditorFrame(prompt: "> ", text: "hone-42", hint: "", cursorColumn: 9))
        let (inside, _) = play("GET phone-42^A<right>")
        #expect(
            inside.frame(prompt: "> ", hint: " sku", columns: 10)
                == EditorFrame(prompt: "> ", text: "GET pho", hint: "", cursorColumn: 3))
        // No room at all is survived.
        #expect(editor.frame(prompt: "> ", columns: 1).text == "2")
        #expect(play("京京").editor.frame(prompt: "> ", columns: 80).cursorColumn == 6)
    }

    @Test("A secret is typed in stars, and submitted as it is")
    func secrets() {
        let (editor, effect) = play("auth ann hunter2<enter>")
        #expect(editor.frame(prompt: "> ", columns: 80).text == "auth *** *******")
        #expect(effect == .submit("auth ann hunter2"))
        #expect(play("GET auth").editor.frame(prompt: "> ", columns: 80).text == "GET auth")
    }

    @Test("A frame is drawn over the row, and the cursor is put in its place")
    func drawing() {
        let frame = EditorFrame(prompt: "> ", text: "GET", hint: " sku", cursorColumn: 5)
        #expect(frame.drawn(with: Palette(isColoured: false)) == "\r> GET\u{1B}[K\r\u{1B}[5C")
        #expect(
            frame.drawn(with: Palette(isColoured: true))
                == "\r\u{1B}[1m> \u{1B}[0mGET\u{1B}[90m sku\u{1B}[0m\u{1B}[K\r\u{1B}[5C")
    }
}

@Suite("Keys")
struct KeyDecoderTests {
    @Test("Keys are the same however their bytes are cut")
    func pieces() {
        let bytes = typed("aß京😀<left><word-left><end><delete><f5>^A<kill-word>\r")
        var whole = KeyDecoder()
        let keys = whole.decode(bytes)
        #expect(
            keys == [
                .text("a"), .text("ß"), .text("京"), .text("😀"), .left, .wordLeft, .end, .delete, .control("a"),
                .killWordRight, .enter,
            ])
        var piecemeal = KeyDecoder()
        #expect(bytes.flatMap { piecemeal.decode([$0]) } == keys)
        #expect(!piecemeal.isWaiting)
    }

    @Test("A lone Escape is a key once nothing follows it")
    func escape() {
        var decoder = KeyDecoder()
        #expect(decoder.decode([0x1B]).isEmpty)
        #expect(decoder.isWaiting)
        #expect(decoder.timeOut() == [.escape])
        #expect(decoder.decode(typed("a")) == [.text("a")])
    }

    @Test("Bytes that are no key are passed over, whatever they are")
    func noise() {
        var decoder = KeyDecoder()
        #expect(decoder.decode([0xFF, 0xC3, 0x28, 0x80, 0xE4, 0xBA] + Array("x".utf8)) == [.text("("), .text("x")])
        #expect(decoder.decode([0x00, 0x1C] + Array("\u{1B}[200~y".utf8)) == [.text("y")])
        // An endless sequence is given up.
        _ = decoder.decode([0x1B, 0x5B] + Array(repeating: 0x30, count: 100))
        #expect(decoder.decode(typed("z")).last == .text("z"))
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                var fresh = KeyDecoder()
                _ = fresh.decode([first, second])
                _ = fresh.timeOut()
            }
        }
    }
}

@Suite("Hints")
struct HintTests {
    @Test(
        "What may follow is shown, and what stands there already is not",
        arguments: [
            ("GET", ""), ("get ", "sku"), ("GET phone", ""), ("RESERVE", ""),
            ("RESERVE ", "id ttl sku qty [sku qty]... [buyer=b] [born=ms]"),
            ("RESERVE o-1", " ttl sku qty [sku qty]... [buyer=b] [born=ms]"),
            ("RESERVE o-1 15m phone", " qty [sku qty]... [buyer=b] [born=ms]"),
            ("RESERVE o-1 15m phone 2 ", "[sku qty]... [buyer=b] [born=ms]"),
            ("RESERVE o-1 15m phone 2 shoe ", "qty [sku qty]... [buyer=b] [born=ms]"),
            ("RESERVE o-1 15m phone 2 buyer=ann ", "[sku qty]... [born=ms]"),
            ("COUNT phone 3 ", "if=onhand|id=id [force=1]"), ("COUNT phone 3 id=c-1", " [force=1]"),
            ("TRANSFER t-1 ", "from to qty"), ("MGET a b ", "sku..."), ("NOSUCH ", ""), ("", ""),
            ("HELLO ", "[2|3 [AUTH user secret] [SETNAME name]]"),
        ])
    func hints(line: String, hint: String) {
        #expect(LineAdvice.hint(for: line) == hint)
    }
}
