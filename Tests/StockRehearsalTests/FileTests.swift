// What a shop's files may look like, and what is said about lines that cannot be used.

import Testing

@testable import StockRehearsal

@Suite("Order files")
struct FileTests {
    private static func orders(_ lines: String) throws -> OrderFile {
        try OrderFile(Array("order,time,buyer,sku,quantity\n\(lines)".utf8))
    }

    @Test("A line is a row; an empty buyer stays empty, and a space in a SKU becomes _")
    func row() throws {
        let file = try Self.orders("o-1,2010-12-01T08:26:00Z,,BANK CHARGES,-2\n")
        #expect(file.badLines.isEmpty)
        #expect(file.rows == [OrderFile.Row(order: "o-1", time: 1_291_191_960_000, buyer: "", sku: "BANK_CHARGES", quantity: -2)])
        #expect(file.unitsSold == ["BANK_CHARGES": 0])
        #expect(file.unitsGivenBack == ["BANK_CHARGES": 2])
    }

    @Test("Columns may stand in any order beside others, with a byte-order mark, quotes and CR LF")
    func columns() throws {
        let text = "\u{FEFF}sku,price,quantity,order,buyer,time\r\n\"a\"\"b\",\"1,50\",3,o-1,ann,2010-12-01 08:26\r\n\r\n"
        let file = try OrderFile(Array(text.utf8))
        #expect(file.badLines.isEmpty)
        #expect(file.rows.map(\.sku) == ["a\"b"])
        #expect(file.rows.map(\.quantity) == [3])
        #expect(file.rows.map(\.time) == [1_291_191_960_000])
    }

    @Test("A file without one of the columns is refused, and the column is named")
    func missingColumn() {
        #expect(throws: RehearsalError.badFile("its first line must name the columns order,time,buyer,sku,quantity; 'buyer' is missing")) {
            try OrderFile(Array("order,time,sku,quantity\n".utf8))
        }
        #expect(throws: RehearsalError.self) { try OrderFile([]) }
    }

    @Test(
        "A bad line is named by its number and leaves the others alone",
        arguments: [
            ("o,2010-12-01T08:26:00Z,b,s,0", "'0' is no quantity"),
            ("o,2010-12-01T08:26:00Z,b,s,1.5", "'1.5' is no quantity"),
            ("o,2010-12-01T08:26:00Z,b,s,1000000000001", "is no quantity"),
            ("o,2010-12-01T08:26:00Z,b,s,-9223372036854775808", "is no quantity"),
            ("o,2010-02-29T08:26:00Z,b,s,1", "is no time"),
            ("o,yesterday,b,s,1", "is no time"),
            (",2010-12-01T08:26:00Z,b,s,1", "no order"),
            ("o,2010-12-01T08:26:00Z,b,,1", "no sku"),
            ("o,2010-12-01T08:26:00Z,b,s=1,1", "sku with a character"),
            ("o,2010-12-01T08:26:00Z,büyer,s,1", "buyer with a character"),
            ("\(String(repeating: "x", count: 81)),2010-12-01T08:26:00Z,b,s,1", "order of more than 80 bytes"),
            ("o,2010-12-01T08:26:00Z,b,s", "4 columns, where the first line has 5"),
            ("o,2010-12-01T08:26:00Z,b,s\",1", "a quote in a field that does not begin with one"),
            ("o,2010-12-01T08:26:00Z,b,\"s\"x,1", "something follows a closing quote"),
        ])
    func badLine(_ line: String, problem: String) throws {
        let good = "good,2010-12-01T08:26:00Z,b,s,1"
        let file = try Self.orders("\(good)\n\(line)\n\(good)\n")
        #expect(file.rows.map(\.order) == ["good", "good"])
        #expect(file.badLines.map(\.line) == [3])
        #expect(file.badLines.allSatisfy { $0.problem.contains(problem) }, "\(file.badLines)")
    }

    @Test("More of a SKU than a counter holds is a bad line, not an overflow")
    func tooMuch() throws {
        let line = "o,2010-12-01T08:26:00Z,b,s,1000000000000\n"
        let file = try Self.orders(String(repeating: line, count: 9_001))
        #expect(file.unitsSold == ["s": 9_000_000_000_000_000])
        #expect(file.badLines.map(\.line) == [9_002])
    }

    @Test(
        "Times are read in the ways that shops write them",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29 23:59:59", 951_868_799_000), ("1969-12-31T23:59Z", -60_000),
            ("2024-12-31T23:59:59.25Z", 1_735_689_599_250), ("2010-12-01T10:26:00+02:00", 1_291_191_960_000),
            ("2010-12-01T03:56:00-0430", 1_291_191_960_000), ("1291191960000", 1_291_191_960_000),
        ] as [(String, Int64)])
    func time(_ text: String, milliseconds: Int64) {
        #expect(UnixTime.milliseconds(of: text) == milliseconds)
    }

    @Test(
        "What is no time is none",
        arguments: ["", "-1", "2010-13-01T00:00", "2010-04-31T00:00", "2010-04-30T24:00", "2010-04-30T00:60",
            "2010-04-30T00:00:00.", "2010-04-30T00:00:00Zx", "2010-04-30T00:00+2", "2010-04-30T00:00+24:00", "2010-04-30"])
    func noTime(_ text: String) {
        #expect(UnixTime.milliseconds(of: text) == nil)
    }

    @Test("A stock file gives units by SKU; a SKU named twice and a negative stock are bad lines")
    func stock() throws {
        let file = try StockFile(Array("sku,quantity\na b,3\nc,0\nc,1\nd,-1\n".utf8))
        #expect(file.units == ["a_b": 3, "c": 0])
        #expect(file.badLines.map(\.line) == [4, 5])
    }
}
