// The worked example of Protocol/log-format.md is what the code writes, byte for byte.

import StockModel
import Testing

@testable import StockJournal

@Suite("The page on the log's format")
struct FormatPageTests {
    @Test("shows the bytes that the writer writes")
    func workedExample() throws {
        let sandbox = try Sandbox()
        // An unused segment makes the store what the page says it is.
        let identity = StoreIdentity(
            store: 0x0F0E_0D0C_0B0A_0908_0706_0504_0302_0100,
            hashKey: HashKey(k0: 0x1716_1514_1312_1110, k1: 0x1F1E_1D1C_1B1A_1918))
        _ = try StoreDirectory.open(sandbox.store)
        try Files.write(sandbox.segment(1), SegmentHeader(identity: identity, number: 1).encoded())
        var writer = try openWriter(sandbox, options())
        try writer.append(Array("two events".utf8), events: 2, time: 1_763_690_400_000)
        try writer.close()

        let bytes = try Files.read(sandbox.segment(1))
        let end = (bytes.lastIndex { $0 != 0 } ?? 0) + 1
        let dump = Self.hex(bytes[..<end])
        let page = String(decoding: try Files.read(Self.page), as: UTF8.self)
        #expect(page.contains(dump), "the page must contain:\n\(dump)")
    }

    private static var page: String {
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Protocol/log-format.md"
    }

    /// Sixteen bytes a line; lines of zeros are left out, with one `…` in their place.
    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let line = bytes[start..<min(start + 16, bytes.count)]
            if line.allSatisfy({ $0 == 0 }) {
                if lines.last != "…" { lines.append("…") }
            } else {
                lines.append(digits(start, 4) + "  " + line.map { digits(Int($0), 2) }.joined(separator: " "))
            }
        }
        return lines.joined(separator: "\n")
    }
}
