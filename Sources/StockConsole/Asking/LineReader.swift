// How a script comes in: bytes of a descriptor, cut into lines, and a queue of what was asked.

import Glibc

/// Lines of a descriptor that may be a pipe, a file or a terminal.
struct LineReader {
    let descriptor: Int32
    /// The number of the line that `nextLine` gave last, from 1.
    private(set) var lineNumber = 0
    private var bytes: [UInt8] = []
    private var start = 0
    private var searched = 0
    private var hasEnded = false
    /// Longer than any request that a server takes; the server says so.
    private static let longestLine = 1 << 20

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Everything has been given out.
    var isAtEnd: Bool { hasEnded && start == bytes.count }

    /// The next line that has come, without its end; a last line needs none.
    mutating func nextLine() throws(ConsoleError) -> String? {
        let newline = bytes[searched...].firstIndex(of: UInt8(ascii: "\n"))
        searched = newline ?? bytes.count
        guard newline != nil || hasEnded && start < bytes.count else {
            guard bytes.count - start <= Self.longestLine else {
                throw .stream("line \(lineNumber + 1) is longer than any request")
            }
            return nil
        }
        let end = newline ?? bytes.count
        let line = String(decoding: bytes[start..<end], as: UTF8.self)
        start = min(end + 1, bytes.count)
        searched = start
        lineNumber += 1
        return line
    }

    /// Reads once; waits when there is nothing yet.
    mutating func fill() throws(ConsoleError) {
        bytes.removeFirst(start)
        searched -= start
        start = 0
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0 {
            if errno == EINTR || errno == EAGAIN { return }
            throw .stream("cannot read the requests: \(String(cString: strerror(errno)))")
        }
        if count == 0 { hasEnded = true }
        bytes.append(contentsOf: chunk[..<count])
    }
}

/// First in, first out, at constant cost.
struct ArrayQueue<Element> {
    private var elements: [Element] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        defer { head += 1 }
        if head > 4_096, head > elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        return elements[head]
    }
}
