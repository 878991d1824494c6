// The worked example of Protocol/log-format.md, held against the code.

import Glibc
import StockModel
import Testing

@Suite("The documented bytes of an event")
struct DocumentedBytesTests {
    @Test("The example in Protocol/log-format.md is what the code writes")
    func example() throws {
        let words = Words()
        var buffer = EventBuffer()
        buffer.append(
            .created(ordinal: 1, sku: words.token("phone"), onhand: 3, settings: SettingsAfter(limit: 2)))
        var line = EventLine(ordinal: 1, quantity: 2, after: CountersAfter(onhand: 3, held: 2, sold: 0))
        withUnsafePointer(to: &line) { line in
            buffer.append(
                .reserved(
                    id: words.token("o-1"), lines: EventLines(start: line, count: 1), buyer: words.token("ann"),
                    born: nil, ttl: 900_000, expires: Timestamp(milliseconds: 1_763_691_300_000)))
        }
        let digits = Array("0123456789abcdef")
        let hex = buffer.bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: " ")
        let page = try text(of: "Protocol/log-format.md")
        let documented = page.split(separator: "\n").filter { $0.hasPrefix("    event ") }
            .map { $0.dropFirst("    event ".count).split(separator: "|")[0].split(separator: " ").joined(separator: " ") }
            .joined(separator: " ")
        #expect(documented == hex)
    }

    /// A file of the package, found from this one.
    private func text(of path: String) throws -> String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try #require(fopen("/" + root + "/" + path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
