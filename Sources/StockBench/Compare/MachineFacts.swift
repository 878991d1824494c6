// What a number without its machine would be worth: nothing. The machine, the kernel and the versions that a
// report names.

import CLinux
import Glibc

/// Where and with what a comparison was made.
public struct MachineFacts: Equatable, Sendable {
    public var processor: String
    public var processors: Int
    /// Bytes.
    public var memory: Int
    public var kernel: String
    public var stockade: String
    public var redis: String
    /// How many tasks ran or waited for a processor in the minute before; nil when the kernel does not tell.
    public var loadBefore: Double?
    /// UTC, `2026-11-21 08:30`.
    public var date: String

    public init(stockadeVersion: String, programs: ServerPrograms) {
        processor =
            readText("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":").last }
            .map { String($0.drop { $0 == " " }) } ?? "unknown"
        processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        memory = Int(clamping: clinux_memory_total())
        kernel = readText("/proc/sys/kernel/ostype").filter { $0 != "\n" } + " "
            + readText("/proc/sys/kernel/osrelease").filter { $0 != "\n" }
        stockade = stockadeVersion
        redis = programs.redis.map { Self.firstLine(of: $0, "--version") } ?? "none"
        loadBefore = readText("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) }
        date = Self.now()
    }

    init(
        processor: String, processors: Int, memory: Int, kernel: String, stockade: String, redis: String, date: String
    ) {
        self.processor = processor
        self.processors = processors
        self.memory = memory
        self.kernel = kernel
        self.stockade = stockade
        self.redis = redis
        self.date = date
    }

    /// Others used the machine, so the numbers are worth little; nil when they did not.
    var disturbance: String? {
        guard let loadBefore, loadBefore > 0.5 else { return nil }
        return "the machine was not quiet before the first round: load average \(fixed(loadBefore, 1))"
    }

    /// One line for a report.
    var machine: String {
        "\(processor), \(processors) processors, \(fixed(Double(memory) / Double(1 << 30), 0)) GiB, \(kernel)"
    }

    private static func firstLine(of program: String, _ argument: String) -> String {
        guard let pipe = popen("'\(program)' \(argument)", "r") else { return "unknown" }
        defer { pclose(pipe) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), pipe) != nil else { return "unknown" }
        let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // "Redis server v=7.0.15 sha=…": the version is all that anyone needs.
        return text.split(separator: " ").first { $0.hasPrefix("v=") }.map { String($0.dropFirst(2)) } ?? text
    }

    private static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) \(two(parts.tm_hour)):\(two(parts.tm_min))"
    }
}
