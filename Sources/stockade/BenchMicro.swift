// `stockade bench micro`: what does each step of a request's way cost by itself?

import ArgumentParser
import Glibc
import StockBench
import StockMicro

struct BenchMicro: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "micro",
        abstract: "Measure each step of a request's way by itself: parse, decide, encode, log, replay, fold.",
        discussion: """
            Everything is done in this process, on one thread, without a server: nanoseconds an item, the median of several \
            repetitions. To judge a change, run it before and after, with nothing else on the machine; where that is too \
            noisy, count instructions, which are the same each time:

              objcopy --strip-debug $(command -v stockade) /tmp/stockade
              valgrind --tool=callgrind /tmp/stockade bench micro --only decide-deduct --repetitions 1 --items 20000
              valgrind --tool=callgrind /tmp/stockade bench micro --only decide-deduct --repetitions 1 --items 40000

            The difference of the two totals, divided by 40,000, is the instructions of an item (each step runs once more \
            to warm up).
            """)

    @Option(help: ArgumentHelp("Only steps whose name contains this.", valueName: "text"))
    var only: String?

    @Option(help: ArgumentHelp("Requests of one repetition.", valueName: "n"))
    var items = 200_000

    @Option(help: ArgumentHelp("Repetitions that count.", valueName: "n"))
    var repetitions = 7

    @Option(help: ArgumentHelp("Where log and database are written. (default: TMPDIR or /tmp)", valueName: "dir"))
    var scratch: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        if !(1...10_000_000).contains(items) { throw ValidationError("--items takes 1 to 10000000") }
        if !(1...1_000).contains(repetitions) { throw ValidationError("--repetitions takes 1 to 1000") }
    }

    func run() throws {
        do throws(BenchError) {
            let directory = try TemporaryDirectory(in: scratch ?? standardScratch)
            try measure(in: directory)
        } catch {
            throw fail("\(error)", ExitCode(error))
        }
    }

    private func measure(in directory: borrowing TemporaryDirectory) throws(BenchError) {
        let steps = MicroBenchmark.all(items: items, scratch: directory.path).filter { step in
            only.map { step.name.contains($0) } ?? true
        }
        guard !steps.isEmpty else { throw .usage("no step has that in its name") }
        var results: [MicroResult] = []
        for step in steps {
            do {
                let result = try step.run(repetitions: repetitions)
                results.append(result)
                if !json { writeAll(STDOUT_FILENO, line(result)) }
            } catch {
                throw .server("\(step.name): \(error)")
            }
        }
        if json { writeAll(STDOUT_FILENO, text(of: results)) }
    }

    private func line(_ result: MicroResult) -> String {
        let name = result.name + String(repeating: " ", count: max(1, 16 - result.name.count))
        let time = fixed(result.median, 1)
        return name + String(repeating: " ", count: max(1, 9 - time.count)) + time + " ns  ("
            + "\(fixed(result.lowest, 1)) … \(fixed(result.highest, 1)))  \(result.what)\n"
    }

    private func text(of results: [MicroResult]) -> String {
        let lines = results.map { result in
            "  {\"name\": \"\(result.name)\", \"ns\": \(fixed(result.median, 2)), \"lowest\": \(fixed(result.lowest, 2)), "
                + "\"highest\": \(fixed(result.highest, 2)), \"items\": \(items), \"repetitions\": \(repetitions)}"
        }
        return "[\n" + lines.joined(separator: ",\n") + "\n]\n"
    }
}
