// `top` runs: a sample, what it shows, a wait, and again. On a terminal it has the screen to itself and gives it back
// whatever happens; in a pipe it writes a block of lines each time.

import Glibc
import StockConnection

/// A live view of a server.
public struct Top {
    private let target: Target
    private let palette: Palette
    /// Between two looks.
    private let interval: Duration
    /// How many looks; nil: until it is ended.
    private let count: Int?

    public init(target: Target, palette: Palette, interval: Duration, count: Int?) {
        self.target = target
        self.palette = palette
        self.interval = interval
        self.count = count
    }

    // MARK: In a pipe

    /// Writes a block each interval; the first one after the first interval, as it shows rates.
    ///
    /// - Parameter write: `false` when nobody reads any more.
    public func print(_ write: (String) -> Bool) throws(ConsoleError) {
        let sampler = Sampler(try target.connect(), patience: target.patience)
        var before = try sampler.sample()
        var shown = 0
        while shown < count ?? .max {
            pause()
            let now = try sampler.sample()
            let view = TopView(before: before, now: now, palette: palette, address: "\(target.address)")
            guard write((shown == 0 ? "" : "\n") + view.lines.map { $0 + "\n" }.joined()) else { return }
            before = now
            shown += 1
        }
    }

    private func pause() {
        let end = ContinuousClock.now + interval
        // A stopped and continued process gets EINTR here.
        while ContinuousClock.now < end {
            usleep(UInt32(min(1_000_000, max(1, (end - ContinuousClock.now) / .microseconds(1)))))
        }
    }

    // MARK: On a terminal

    private static let livePatience = Duration.seconds(3)

    /// Takes the screen until `q`, Ctrl-C, a signal, or as many looks as were asked for. A server that goes away is
    /// waited for.
    public func show() throws(ConsoleError) {
        let terminal = Terminal()
        // Keys and signals wait while a sample is taken: a server that hangs must not hold the person too.
        let target = Target(
            address: target.address, password: target.password, patience: min(target.patience, Self.livePatience))
        var sampler: Sampler? = Sampler(try target.connect(), patience: target.patience)
        guard terminal.enterRawMode() else { throw .stream("this is no terminal") }
        // The other screen, without a cursor; what stood on the first one comes back.
        terminal.write("\u{1B}[?1049h\u{1B}[?25l")
        defer {
            terminal.write("\u{1B}[?25h\u{1B}[?1049l")
            terminal.leaveRawMode()
        }
        var before: Sample?
        var looks = 0
        while looks < count ?? .max {
            do throws(ConsoleError) {
                let now = try sample(of: target, with: &sampler)
                let view = TopView(before: before, now: now, palette: palette, address: "\(target.address)")
                draw(view.lines, on: terminal)
                before = now
                looks += 1
            } catch {
                sampler = nil
                before = nil
                draw([palette.refused(ReplyTable.printable(error.description)), "", "trying again"], on: terminal)
            }
            if wantsToLeave(terminal) { return }
        }
    }

    /// - Parameter sampler: nil when the connection was lost: a new one is made.
    private func sample(of target: Target, with sampler: inout Sampler?) throws(ConsoleError) -> Sample {
        if let sampler { return try sampler.sample() }
        let fresh = Sampler(try target.connect(), patience: target.patience)
        sampler = fresh
        return try fresh.sample()
    }

    private static let leavingKeys: [Key] = [.text("q"), .text("Q"), .control("c"), .control("d")]

    /// Waits for the next look; whether the person wants to leave.
    private func wantsToLeave(_ terminal: Terminal) -> Bool {
        let end = ContinuousClock.now + interval
        var decoder = KeyDecoder()
        while true {
            let left = Int32(clamping: Int(max(0, (end - ContinuousClock.now) / .milliseconds(1)).rounded(.up)))
            switch terminal.read(within: left) {
            case .end: return true
            case .bytes(let bytes):
                if decoder.decode(bytes).contains(where: Self.leavingKeys.contains) { return true }
            case .nothing: if ContinuousClock.now >= end { return false }
            }
        }
    }

    private func draw(_ lines: [String], on terminal: Terminal) {
        let size = terminal.size
        var text = "\u{1B}[H"
        for line in lines.prefix(size.rows - 1) { text += Self.cut(line, to: size.columns) + "\u{1B}[K\r\n" }
        terminal.write(text + "\u{1B}[J")
    }

    /// The first `columns` characters of a line; colours have no width.
    static func cut(_ line: String, to columns: Int) -> String {
        var result = ""
        var width = 0
        var isInColour = false
        for character in line {
            if character == "\u{1B}" { isInColour = true }
            if isInColour {
                result.append(character)
                if character == "m" { isInColour = false }
                continue
            }
            // Colours that end behind the cut still come through.
            guard width + character.columns <= columns else { continue }
            width += character.columns
            result.append(character)
        }
        return result
    }
}
