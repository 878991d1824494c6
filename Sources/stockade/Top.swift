// `stockade top`: what a server is doing, refreshed. The screen is StockConsole's; here are the flags.

import ArgumentParser
import CLinux
import Glibc
import StockConsole

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch a running server.",
        discussion: """
            Rates of requests and changes, commands, refusals by code, the SKUs that sell most, holds that expire \
            within a minute, how far the log is behind, and the slowest turn of the loop. Rates are differences between two \
            looks; SKUs and holds are those of the first 10,000. 'q' ends it.

            In a pipe it writes a block of plain lines each interval:

              stockade top --count 1               one block, after one interval
              stockade top --interval 10 >>top.log

            EXIT STATUS
              0   ended by q, Ctrl-C or --count
              64  a flag, a variable or the password file cannot be used
              69  the server cannot be reached
              74  in a pipe: the connection was lost
              77  the server did not take the password, or does not let us look
            """)

    @OptionGroup(title: "Server") var server: ConsoleServerFlags

    @Option(help: ArgumentHelp("Time between two looks.", valueName: "seconds"))
    var interval = 2.0

    @Option(help: ArgumentHelp("End after so many looks. (default: never)", valueName: "n"))
    var count: Int?

    func validate() throws {
        guard interval >= 0.1, interval <= 3_600 else { throw ValidationError("--interval takes 0.1 to 3600 seconds") }
        if let count, count < 1 { throw ValidationError("--count takes 1 or more") }
    }

    func run() throws {
        clinux_ignore_sigpipe()
        let top = Top(
            target: try server.target(), palette: Palette(isColoured: Terminal.isThere && wantsColours()),
            interval: .seconds(interval), count: count)
        do {
            if Terminal.isThere { try top.show() } else { try top.print { writeAll(STDOUT_FILENO, $0) } }
        } catch {
            throw fail(error.description, ExitCode(error))
        }
    }
}
