// The server's own log on stderr, one line per message, for people and for grep:
//
//     2026-11-21T07:33:48.123Z info  recovered 12345 events in 84 ms  dir=stockade-data seq=12345
//
// Colours only on a terminal, and not when NO_COLOR is set (no-color.org).

import CLinux
import Glibc
import Logging
import StockServer

struct ConsoleLog: LogHandler {
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let isColoured: Bool

    init(level: Logger.Level) {
        logLevel = level
        isColoured = isatty(STDERR_FILENO) == 1 && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let time = UTCTime(clinux_realtime_ns() / 1_000_000)
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let pairs = all.sorted { $0.key < $1.key }.map { " \($0.key)=\(quoted(printable("\($0.value)")))" }.joined()
        let line = "\(time) \(label(of: event.level)) \(printable("\(event.message)"))\(pairs.isEmpty ? "" : " ")\(pairs)\n"
        // Nobody to tell if stderr is gone; serving goes on.
        writeAll(STDERR_FILENO, line)
    }

    private func label(of level: Logger.Level) -> String {
        let (name, colour) =
            switch level {
            case .trace: ("trace", "2")
            case .debug: ("debug", "2")
            case .info: ("info ", "32")
            case .notice: ("note ", "36")
            case .warning: ("warn ", "33")
            case .error: ("error", "31")
            case .critical: ("fatal", "1;31")
            }
        return isColoured ? "\u{1B}[\(colour)m\(name)\u{1B}[0m" : name
    }

    /// Without line ends and other control characters: a message is one line, whatever is in it.
    private func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }

    private func quoted(_ value: String) -> String {
        value.isEmpty || value.contains(" ") ? "\"\(value)\"" : value
    }
}
