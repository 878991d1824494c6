// The bytes that have come in and not yet been taken as lines. Every reply line ends in `\r\n`; a bare `\n`,
// or a line beyond the limit, means that the other side is no server of this protocol.

/// Bytes in, lines out.
struct InputBuffer {
    private static let readSize = 1 << 16

    private var bytes: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    /// No line end lies between `start` and here, so that a long line is not searched again from its beginning.
    private var searched = 0

    /// Reads once from `socket`.
    mutating func fill(from socket: borrowing Socket) throws(ConnectionError) -> Socket.ReadResult {
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            (start, searched) = (0, 0)
        } else if start > Self.readSize {
            bytes.removeFirst(start)
            (start, searched) = (0, searched - start)
        }
        let end = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: Self.readSize))
        var result = Socket.ReadResult.nothingYet
        var failure: ConnectionError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(ConnectionError) {
                result = try socket.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
            } catch {
                failure = error
            }
        }
        let count = if case .bytes(let count) = result { count } else { 0 }
        bytes.removeLast(Self.readSize - count)
        if let failure { throw failure }
        return result
    }

    /// Takes the next whole line, without its `\r\n`; nil when its end has not come yet.
    mutating func nextLine(limit: Int) throws(ConnectionError) -> String? {
        guard let newline = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            guard searched - start <= limit else { throw .protocolError("a line of more than \(limit) bytes") }
            return nil
        }
        guard newline > start, bytes[newline - 1] == UInt8(ascii: "\r") else {
            throw .protocolError("a line that does not end in CR LF")
        }
        let line = String(decoding: bytes[start..<(newline - 1)], as: UTF8.self)
        start = newline + 1
        searched = start
        return line
    }
}
