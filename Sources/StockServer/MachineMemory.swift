// How much memory this process may have: that of the machine, or less when it runs in a container. Linux tells it in
// files; they are read through a closure, so that the tests can be any machine.

import Glibc

public enum MachineMemory {
    /// Bytes that this process may have: RAM, or the tightest limit of its cgroups (v1 or v2) if that is less.
    /// `nil` when the machine does not say.
    public static func available(read: (String) -> String? = readSmallFile) -> Int64? {
        var limits: [Int64] = []
        if let total = ram(read("/proc/meminfo") ?? "") { limits.append(total) }
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            // hierarchy:controllers:path; v2 has the hierarchy 0 and names no controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[0] == "0", parts[1].isEmpty {
                limits += cgroupLimits(below: "/sys/fs/cgroup", path: parts[2], file: "memory.max", read)
            } else if parts[1].split(separator: ",").contains("memory") {
                limits += cgroupLimits(
                    below: "/sys/fs/cgroup/memory", path: parts[2], file: "memory.limit_in_bytes", read)
            }
        }
        return limits.min()
    }

    private static func ram(_ meminfo: String) -> Int64? {
        for line in meminfo.split(separator: "\n") where line.hasPrefix("MemTotal:") {
            let words = line.split(separator: " ")
            guard words.count >= 2, let kibibytes = Int64(words[1]), kibibytes > 0 else { return nil }
            let (bytes, overflow) = kibibytes.multipliedReportingOverflow(by: 1024)
            return overflow ? nil : bytes
        }
        return nil
    }

    /// The limits of a group and of all above it: each of them holds. In a container the path may be that of the
    /// host, whose files are not to be seen there; then the root's limit is the container's.
    private static func cgroupLimits(
        below root: String, path: Substring, file: String, _ read: (String) -> String?
    ) -> [Int64] {
        var names = path.split(separator: "/").map(String.init)
        var limits: [Int64] = []
        while true {
            let text = read(([root] + names + [file]).joined(separator: "/")) ?? ""
            // "max" is no limit, and is no number either.
            if let limit = Int64(text.filter { !$0.isWhitespace }), limit > 0 { limits.append(limit) }
            if names.isEmpty { return limits }
            names.removeLast()
        }
    }

    /// The text of a file of at most 64 KiB, `nil` when it cannot be read.
    public static func readSmallFile(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var filled = 0
        while filled < bytes.count {
            let got = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress.map { $0 + filled }, $0.count - filled) }
            if got < 0 {
                if errno == EINTR { continue }
                return nil
            }
            if got == 0 { break }
            filled += got
        }
        return String(decoding: bytes.prefix(filled), as: UTF8.self)
    }
}
