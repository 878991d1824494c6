// The flags that the measurements of `stockade bench` have in common: those that start servers of their own and write a
// report.

import ArgumentParser

struct BenchReportFlags: ParsableArguments {
    @Flag(help: "Shorter: fewer rounds, or a tenth of everything.")
    var quick = false

    @Option(help: ArgumentHelp("Write the report to this directory too, as Markdown and as JSON.", valueName: "dir"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Where the servers' directories are made; a disk, not memory. (default: TMPDIR or /tmp)", valueName: "dir"))
    var scratch: String?

    var scratchDirectory: String { scratch ?? standardScratch }
}

/// Of those that measure the same cases again and again.
struct BenchRoundFlags: ParsableArguments {
    @Option(help: ArgumentHelp("Only cases whose name contains this (of 'tail': the situation of this name).", valueName: "text"))
    var only: String?

    @Option(help: ArgumentHelp("Rounds.", valueName: "n"))
    var rounds: Int?

    func validate() throws {
        if let rounds, !(1...100).contains(rounds) { throw ValidationError("--rounds takes 1 to 100") }
    }
}
