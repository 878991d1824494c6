// The tutorial shows what TutorialTests runs: each snippet between its marks stands in the tutorial word for word.

import Foundation
import Testing

@Suite("The tutorial's snippets")
struct SnippetTests {
    @Test("What the tutorial shows is what is tested, and nothing else")
    func snippets() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let source = try String(contentsOf: tests.appending(path: "TutorialTests.swift"), encoding: .utf8)
        let tutorial = try String(
            contentsOf: tests.appending(path: "../../Sources/StockadeClient/StockadeClient.docc/Selling.md").standardized,
            encoding: .utf8)
        let tested = Self.tested(source)
        let shown = Self.shown(tutorial)
        #expect(shown.count >= 5)
        for snippet in shown { #expect(tested.contains(snippet), "not tested: \(snippet)") }
        for snippet in tested { #expect(shown.contains(snippet), "not shown: \(snippet)") }
    }

    /// What stands between `// snippet.name` and `// snippet.end`, moved to the left edge.
    private static func tested(_ source: String) -> [String] {
        var snippets: [String] = []
        var lines: [String]?
        for line in source.components(separatedBy: "\n") {
            let mark = line.trimmingCharacters(in: .whitespaces)
            if mark == "// snippet.end" {
                snippets.append(flush(lines ?? []))
                lines = nil
            } else if mark.hasPrefix("// snippet.") {
                lines = []
            } else {
                lines?.append(line)
            }
        }
        return snippets
    }

    /// The blocks of Swift code in a page of Markdown.
    private static func shown(_ page: String) -> [String] {
        var snippets: [String] = []
        var lines: [String]?
        for line in page.components(separatedBy: "\n") {
            if line == "```swift" {
                lines = []
            } else if line == "```", let block = lines {
                snippets.append(flush(block))
                lines = nil
            } else {
                lines?.append(line)
            }
        }
        return snippets
    }

    private static func flush(_ lines: [String]) -> String {
        let indents = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }
        let indent = indents.min() ?? 0
        return lines.map { String($0.dropFirst(indent)) }.joined(separator: "\n")
    }
}
