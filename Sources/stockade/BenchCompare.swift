// `stockade bench compare`: placeholder
import ArgumentParser
struct BenchCompare: ParsableCommand { static let configuration = CommandConfiguration(commandName: "compare") }
