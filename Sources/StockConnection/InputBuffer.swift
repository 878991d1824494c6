// The bytes that have come in and not yet been taken as lines. Every reply line ends in `\r\n`; a bare `\n`,
// or a line beyond the limit, means that the other side is no server of this protocol.

import Glibc

/// Bytes in, lines out.
struct InputBuffer {
    private static let firstSize = 1 << 16

    /// Zeroed once and then reused: bytes that wait lie in `start..<end`.
    private var storage = [UInt8](repeating: 0, count: firstSize)
    private var start = 0
    private var end = 0
    /// No line end lies between `start` and here, so that a long line is not searched again from its beginning.
    private var searched = 0

    /// Reads once from `socket`.
    mutating func fill(from socket: borrowing Socket) throws(ConnectionError) -> Socket.ReadResult {
        makeRoom()
        var outcome: Result<Socket.ReadResult, ConnectionError> = .success(.nothingYet)
        storage.withUnsafeMutableBytes { buffer in
            do throws(ConnectionError) {
                outcome = .success(try socket.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...])))
            } catch {
                outcome = .failure(error)
            }
        }
        let result = try outcome.get()
        if case .bytes(let count) = result { end += count }
        return result
    }

    /// Takes the next whole line, without its `\r\n`; nil when its end has not come yet.
    mutating func nextLine(limit: Int) throws(ConnectionError) -> String? {
        guard let newline = firstNewline() else {
            searched = end
            guard end - start <= limit else { throw .protocolError("a line of more than \(limit) bytes") }
            return nil
        }
        guard newline > start, storage[newline - 1] == UInt8(ascii: "\r") else {
            throw .protocolError("a line that does not end in CR LF")
        }
        let line = String(decoding: storage[start..<(newline - 1)], as: UTF8.self)
        start = newline + 1
        searched = start
        return line
    }

    private func firstNewline() -> Int? {
        storage.withUnsafeBytes { buffer in
            guard searched < end, let base = buffer.baseAddress,
                let found = memchr(base + searched, Int32(UInt8(ascii: "\n")), end - searched)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// Moves what waits to the front, and doubles the storage when that leaves less than half of it free.
    private mutating func makeRoom() {
        if start > 0 {
            storage.withUnsafeMutableBytes { buffer in
                guard let base = buffer.baseAddress else { return }
                memmove(base, base + start, end - start)
            }
            (start, end, searched) = (0, end - start, searched - start)
        }
        if end > storage.count / 2 { storage.append(contentsOf: repeatElement(0, count: storage.count)) }
    }
}
