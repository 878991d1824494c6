// `stockade bench` where it starts servers itself or needs none, in sizes that take a second or two. What is measured is
// not looked at: only that it is.

import Foundation
import StockConnection
import Testing

extension EndToEnd {
    @Suite("stockade bench")
    struct BenchTests {
        @Test("micro measures each step of a request's way")
        func micro() throws {
            let directory = try TestDirectory()
            let result = try ChildProcess.run(
                ServerProcess.executable,
                ["bench", "micro", "--items", "300", "--repetitions", "1", "--json", "--scratch", directory.path])
            #expect(result.status == .exited(0), "\(result.error)")
            let steps = try #require(
                try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
            let names = steps.compactMap { $0["name"] as? String }
            #expect(
                names == [
                    "parse-line", "parse-array", "decide-deduct", "decide-retry", "decide-hold", "expire",
                    "encode-reply", "encode-event", "append", "replay", "fold",
                ])
            #expect(steps.allSatisfy { ($0["ns"] as? Double ?? 0) > 0 })
            let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
            #expect(left.isEmpty, "its log and its database are gone with it")
        }

        @Test("memory fills a server of its own and divides")
        func memory() throws {
            let directory = try TestDirectory()
            let result = try ChildProcess.run(
                ServerProcess.executable,
                [
                    "bench", "memory", "--quick", "--orders", "2000", "--output", directory.appending("report"),
                    "--scratch", directory.path,
                ], within: .seconds(120))
            #expect(result.status == .exited(0), "\(result.error)")
            #expect(result.output.contains("| remembered order of one line | 2,000 "))
            let json = try Data(contentsOf: URL(filePath: directory.appending("report/memory.json")))
            let report = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
            #expect((report["rows"] as? [Any])?.count == 4)
        }

        @Test("a server that it started does not outlive it, however it ends")
        func bound() throws {
            let directory = try TestDirectory()
            let bench = try ChildProcess(
                ServerProcess.executable, ["bench", "memory", "--quick", "--scratch", directory.path])
            var server: Int32?
            try awaitThat(for: EndToEnd.patience) {
                server = self.children(of: bench.pid).first
                return server != nil
            }
            let pid = try #require(server)
            bench.signal(SIGKILL)
            #expect(try bench.waitForExit(within: EndToEnd.patience) == .killed(signal: SIGKILL))
            try awaitThat(for: EndToEnd.patience) { !self.lives(pid) }
        }

        private func awaitThat(for time: Duration, _ isSo: () -> Bool) throws {
            let end = ContinuousClock.now + time
            while !isSo() {
                guard ContinuousClock.now < end else { throw Failure("not so within \(time)") }
                usleep(5_000)
            }
        }

        /// The words of `/proc/PID/stat` behind the program's name, which may have spaces: state, parent …
        private func status(of pid: Int32) -> [Substring] {
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { return [] }
            return text[text.index(after: end)...].split(separator: " ")
        }

        /// A zombie is dead; who reaps it is the system's affair.
        private func lives(_ pid: Int32) -> Bool { status(of: pid).first.map { $0 != "Z" && $0 != "X" } ?? false }

        private func children(of pid: Int32) -> [Int32] {
            let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            return all.compactMap { Int32($0) }.filter { status(of: $0).dropFirst().first == Substring(String(pid)) }
        }
    }
}
