// The history file: what comes into it, what does not, and who may read it.

import Foundation
import Testing

@testable import StockConsole

@Suite("History")
struct HistoryTests {
    private func withFile(_ body: (_ path: String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "stockade-history-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("It outlives a conversation, without secrets, repetitions and control characters")
    func lines() throws {
        try withFile { (path: String) throws in
            var history = LineHistory(path: path)
            for line in [
                "GET a", "GET a", "AUTH hunter2", "  ", "hello 3 AUTH ann hunter2", "# note", "PING", "a\u{1B}b",
            ] {
                history.add(line)
            }
            #expect(history.lines == ["GET a", "PING"])
            #expect(LineHistory(path: path).lines == ["GET a", "PING"])
            let file = try String(contentsOfFile: path, encoding: .utf8)
            #expect(file == "GET a\nPING\n")
        }
    }

    @Test("Only its owner can read it, also when it was made otherwise")
    func mode() throws {
        try withFile { (path: String) throws in
            let isMade = FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o644])
            #expect(isMade)
            var history = LineHistory(path: path)
            history.add("PING")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test("It keeps the newest lines, and is done without where there is no file")
    func bounds() {
        var history = LineHistory(path: nil)
        for number in 0..<(LineHistory.mostLines + 10) { history.add("GET \(number)") }
        #expect(history.lines.count == LineHistory.mostLines)
        #expect(history.lines.first == "GET 10")
        #expect(LineHistory(path: "/nowhere/at/all").lines.isEmpty)
    }
}
