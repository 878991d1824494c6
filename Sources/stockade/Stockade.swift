// The one executable. Each subcommand has a file of its own; this one is their table of contents.

import ArgumentParser
import StockServer

@main
struct Stockade: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stockade",
        abstract: "A stock server: it never sells what is not there, and never hides what is.",
        discussion: """
            EXAMPLES
              stockade serve                               serve from ./stockade-data on port 7865
              printf 'CREATE phone 3\\n' | nc 127.0.0.1 7865   talk to it
              stockade log check stockade-data             is the log as it was written?
              stockade log dump stockade-data --count 10   what happened first?
            """,
        version: stockadeVersion,
        subcommands: [Serve.self, Log.self])
}
