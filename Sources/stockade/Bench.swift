// `stockade bench`: how fast is a server, and how long do its clients wait? Plain `bench` measures one server that
// runs; the others start their servers themselves: `compare` Stockade and Redis, `tail` and `memory` Stockade alone.

import ArgumentParser

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a server under load.",
        discussion: """
            Without a subcommand, 'run' is meant:

              stockade bench                                50 clients sell, each waiting for its reply
              stockade bench deduct --pipeline 32           32 requests in flight on each connection
              stockade bench deduct --rate 50000            50,000 orders a second, whatever the server does
              stockade bench ping                           what loop and sockets cost without any stock
              stockade bench deduct --redis --port 6379     the same sale as Lua on a Redis
              stockade bench run --help                     all workloads and options
              stockade bench compare                        Stockade and Redis side by side, with a report
              stockade bench tail                           how long clients wait, and when they wait longest
              stockade bench memory                         what SKUs, orders, buyers and connections cost
              stockade bench micro                          each step of a request's way by itself, without a server
            """,
        subcommands: [BenchRun.self, BenchCompare.self, BenchTail.self, BenchMemory.self, BenchMicro.self],
        defaultSubcommand: BenchRun.self)
}
