// The one executable. Each subcommand has a file of its own; this one is their table of contents.

import ArgumentParser
import StockServer

@main
struct Stockade: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stockade",
        abstract: "A stock server. It never sells what is not there.",
        discussion: """
            EXAMPLES
              stockade serve                            serve ./stockade-data on port 7865
              printf 'CREATE phone 3\\n' | nc 127.0.0.1 7865     phones for sale
              stockade cli GET phone                    how many are left?
              stockade log check stockade-data          is the log as it was written?
              stockade log dump stockade-data           what happened?
            """,
        version: "\(Server.version)",
        subcommands: [
            Serve.self, Cli.self, TopCommand.self, Load.self, Export.self, Reconcile.self, History.self, Verify.self,
            Rebuild.self, Backup.self, Rehearse.self, Bench.self, Log.self,
        ])
}
