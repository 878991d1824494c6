// The requests of earlier conversations: one a line, the newest last, in a file that only its owner can read. A secret
// never comes into it.

import Glibc

/// Lines to be recalled, on disk if there is a file for them.
public struct LineHistory {
    public private(set) var lines: [String]
    private let path: String?

    static let mostLines = 1_000
    private static let mostBytes = 4 << 20

    /// Reads what earlier conversations left. A file that cannot be read is an empty one: history is a comfort.
    public init(path: String?) {
        self.path = path
        lines = path.map(Self.read) ?? []
    }

    /// `$XDG_STATE_HOME/stockade/history`, or `~/.stockade_history`.
    public static func standardPath() -> String? {
        if let state = getenv("XDG_STATE_HOME"), state.pointee == UInt8(ascii: "/") {
            let folder = String(cString: state) + "/stockade"
            mkdir(folder, 0o700)
            return folder + "/history"
        }
        return getenv("HOME").map { String(cString: $0) + "/.stockade_history" }
    }

    /// Remembers a line, unless it carries a secret or is the newest one already.
    public mutating func add(_ line: String) {
        guard let request = RequestText(line), !request.carriesSecret, request.line != lines.last,
            !request.line.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return }
        lines.append(request.line)
        if lines.count > Self.mostLines { lines.removeFirst(lines.count - Self.mostLines) }
        append(request.line)
    }

    /// Other conversations may append at the same time: each line is one write at the end.
    private func append(_ line: String) {
        guard let path else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        // An older file may have been made with another mode.
        fchmod(file, 0o600)
        let bytes = Array((line + "\n").utf8)
        _ = write(file, bytes, bytes.count)
    }

    private static func read(_ path: String) -> [String] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
        // Of a file that has grown long, the end.
        if status.st_size > off_t(mostBytes) { lseek(file, -off_t(mostBytes), SEEK_END) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < mostBytes {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return Array(String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init).suffix(mostLines))
    }
}
