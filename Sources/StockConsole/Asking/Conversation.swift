// A conversation with a server on a terminal: ask for a line, send it, show the reply, until Ctrl-D. The server may go
// and come back meanwhile.

import Glibc
import StockConnection
import StockWire

/// One person, one server.
public final class Conversation {
    private let target: Target
    private let palette: Palette
    private let style: ReplyStyle
    private let terminal = Terminal()
    private var history: LineHistory
    /// nil while the server is away.
    private var connection: Connection?
    /// The last AUTH that the server took, to log in again after a reconnect. It is kept nowhere else.
    private var login: RequestText?

    public init(target: Target, palette: Palette, style: ReplyStyle, historyPath: String?) {
        self.target = target
        self.palette = palette
        self.style = style
        history = LineHistory(path: historyPath)
    }

    /// - Throws: when the server cannot be reached at the beginning; later that is a message.
    public func run() throws(ConsoleError) {
        connection = try target.connect()
        say(palette.faint("Tab completes, HELP lists the requests, Ctrl-D ends."))
        let prompt = Prompt(terminal: terminal, palette: palette)
        while true {
            let away = connection == nil ? " (away)" : ""
            switch prompt.ask("\(target.address)\(away)> ", history: history.lines) {
            case .end: return
            case .interrupted: continue
            case .line(let line):
                history.add(line)
                guard let request = RequestText(line) else { continue }
                if isForUs(request) { continue }
                if request.line.uppercased() == "EXIT" { return }
                if ask(request), request.endsConnection { return }
            }
        }
    }

    /// `HELP` and `HELP VERB` are answered here.
    private func isForUs(_ request: RequestText) -> Bool {
        guard request.words.first?.uppercased() == "HELP" else { return false }
        let asked = request.words.dropFirst().first.flatMap { Verb(spelled: $0) }
        say(Self.help(about: asked).map { "\(palette.strong($0.verb)) \($0.arguments)" }.joined(separator: "\n"))
        return true
    }

    static func help(about verb: Verb?) -> [(verb: String, arguments: String)] {
        (verb.map { [$0] } ?? Verb.allCases).map { verb in
            ("\(verb.name)", VerbGuide(verb).arguments.joined(separator: " "))
        }
    }

    /// Sends a request and shows the reply; whether there was one.
    private func ask(_ request: RequestText) -> Bool {
        guard let connection = liveConnection() else { return false }
        do throws(ConnectionError) {
            let reply = try connection.request(request.line, by: .after(target.patience))
            terminal.write(style.text(of: reply))
            if request.verb == .auth, !reply.isRefusal { login = request }
            return true
        } catch {
            self.connection = nil
            complain("\(ConsoleError.lost(error, unanswered: 1))")
            return false
        }
    }

    /// The connection, made anew if the server has closed it since the last reply.
    private func liveConnection() -> Connection? {
        if let connection {
            // Nothing is in flight, so whatever can be read now is the end.
            do { try connection.takeIn() } catch { self.connection = nil }
            if !connection.isClosed, self.connection != nil { return connection }
            self.connection = nil
        }
        do throws(ConsoleError) {
            let fresh = try target.connect()
            if let login {
                do throws(ConnectionError) {
                    let reply = try fresh.request(login.line, by: .after(target.patience))
                    if reply.isRefusal {
                        complain("the server does not take the AUTH of before any more: \(reply.head.text)")
                    }
                } catch {
                    throw .unreachable(target.address, error)
                }
            }
            connection = fresh
            say(palette.wary("the server had closed the connection; connected again"))
            return fresh
        } catch {
            complain(error.description)
            return nil
        }
    }

    private func say(_ text: String) { terminal.write(text + "\n") }

    private func complain(_ text: String) { say(palette.refused(text)) }
}
