// CSV as RFC 4180 has it and as the world writes it.

import StockInput
import Testing

@testable import StockTools

@Suite("CSV")
struct CSVTests {
    /// A row per record: its line and its fields, or its line and what is wrong with it.
    private static func read(_ bytes: some Sequence<UInt8>) throws -> [String] {
        let scratch = try Scratch()
        var reader = CSVReader(try ByteSource(path: scratch.write(bytes, to: "file.csv")))
        var rows: [String] = []
        while true {
            switch try reader.next() {
            case .record(let line):
                rows.append("\(line): " + (0..<reader.fieldCount).map { reader.text($0) }.joined(separator: "|"))
            case .malformed(let line, let problem): rows.append("\(line)! \(problem)")
            case .end: return rows
            }
        }
    }

    @Test(
        "Fields, quotes and line ends are read as RFC 4180 has them",
        arguments: [
            ("a,b\nc,d\n", ["1: a|b", "2: c|d"]),
            ("a,b\r\nc,d\r\n", ["1: a|b", "2: c|d"]),
            ("a,b\rc,d", ["1: a|b", "2: c|d"]),
            ("a,b", ["1: a|b"]),
            ("", []),
            ("\n\n\r\n", []),
            ("a\n\nb\n", ["1: a", "3: b"]),
            ("a,,c\n,\n", ["1: a||c", "2: |"]),
            ("a,\n", ["1: a|"]),
            ("a,", ["1: a|"]),
            (#""a,b","c""d",""\#n"#, [#"1: a,b|c"d|"#]),
            ("\"two\nlines\",x\ny\n", ["1: two\nlines|x", "3: y"]),
            ("\"a\"\r\n\"b\"", ["1: a", "2: b"]),
            ("\u{FEFF}a,b\n", ["1: a|b"]),
            ("a \u{E9},b\n", ["1: a \u{E9}|b"]),
        ])
    func wellFormed(text: String, rows: [String]) throws {
        #expect(try Self.read(text.utf8) == rows)
    }

    @Test("A broken record is named by its line, and the next line is read")
    func malformed() throws {
        #expect(
            try Self.read("ok,1\nb\"ad,2\n\"bad\"x,3\nok,4\n".utf8) == [
                "1: ok|1", "2! a quote in a field that does not begin with one",
                "3! something follows a closing quote; a quote in quotes is written twice", "4: ok|4",
            ])
        #expect(try Self.read("ok\n\"never closed\nx".utf8) == ["1: ok", "2! a quote that is never closed"])
    }

    @Test("A quote that is never closed does not swallow the rest of a long file")
    func longQuote() throws {
        let rest = (0..<20_000).map { "sku-\($0),1\n" }.joined()
        let rows = try Self.read("\"open,1\n\(rest)last,2\n".utf8)
        #expect(rows.first == "1! a quote that is not closed within \(CSVReader.longestRecord) bytes")
        #expect(rows.last?.hasSuffix("last|2") == true)
        #expect(rows.count > 10_000)
    }

    @Test("Records that lie across the reading's pieces are whole")
    func pieces() throws {
        // 270 KiB of records of 27 bytes: the pieces of 256 KiB end in the middle of one.
        let rows = try Self.read((0..<10_000).map { "\"sku-\(100_000 + $0)\",\"\($0 % 10)\",abcdef\r\n" }.joined().utf8)
        #expect(rows.count == 10_000)
        for (index, row) in rows.enumerated() {
            #expect(row == "\(index + 1): sku-\(100_000 + index)|\(index % 10)|abcdef")
        }
    }

    @Test("UTF-16 is refused with what to do")
    func utf16() {
        #expect(throws: ToolError.self) { try Self.read([0xFF, 0xFE, 0x61, 0x00]) }
    }
}

@Suite("Values in fields")
struct FieldValueTests {
    @Test(
        "Whole numbers are read, anything else is none",
        arguments: [
            ("0", 0), ("007", 7), ("-3", -3), ("+3", 3), (" 12 ", 12), ("9223372036854775807", Int64.max),
            ("9223372036854775808", nil), ("", nil), ("-", nil), ("1.0", nil), ("1e3", nil), ("0x1", nil), ("1 2", nil),
            ("--1", nil), ("٣", nil),
        ] as [(String, Int64?)])
    func integers(text: String, value: Int64?) {
        #expect(FieldValue.integer(Array(text.utf8)[...]) == value)
    }

    @Test(
        "A time is Unix milliseconds or UTC, anything else is none",
        arguments: [
            ("1763690400000", 1_763_690_400_000), ("1970-01-01", 0), ("2025-11-21", 1_763_683_200_000),
            ("2025-11-21T02:00", 1_763_690_400_000), ("2025-11-21T02:00:00Z", 1_763_690_400_000),
            ("2025-11-21 02:00:00.123", 1_763_690_400_123), ("2024-02-29", 1_709_164_800_000), ("2025-02-29", nil),
            ("2000-02-29", 951_782_400_000), ("1900-02-29", nil), ("1969-12-31T23:59:59.999", -1),
            ("2025-13-01", nil), ("2025-00-01", nil), ("2025-11-21T24:00", nil), ("2025-11-21T2:00", nil),
            ("21.11.2025", nil), ("tomorrow", nil), ("", nil), ("2025-11-21T02:00:00+01:00", nil),
        ] as [(String, Int64?)])
    func times(text: String, value: Int64?) {
        #expect(FieldValue.moment(Array(text.utf8)[...]) == value)
    }
}

@Suite("Rows of a stock file")
struct StockRowTests {
    /// The requests of a file's rows, or what is wrong with them.
    private static func read(_ text: String) throws -> [String] {
        let scratch = try Scratch()
        var reader = CSVReader(try ByteSource(path: scratch.write(text, to: "stock.csv")))
        var columns: StockColumns?
        var rows: [String] = []
        while true {
            guard case .record(let line) = try reader.next() else { return rows }
            if columns == nil {
                columns = try StockColumns(first: (0..<reader.fieldCount).map { reader.text($0) }, file: "stock.csv")
                if columns?.hasHeader == true { continue }
            }
            do throws(BadRow) {
                if let columns { rows.append(String(decoding: try columns.request(reader), as: UTF8.self)) }
            } catch {
                rows.append("\(line)! \(error.problem)")
            }
        }
    }

    @Test("With or without a header, in any order, with what export writes beside it")
    func columns() throws {
        #expect(try Self.read("phone,3\nlamp,4,-1,2,2025-11-21,0\n") == [
            "CREATE phone 3", "CREATE lamp 4 floor=-1 limit=2 opens=1763683200000",
        ])
        #expect(try Self.read("limit,SKU,onhand\n2,phone,3\n,lamp,4\n") == ["CREATE phone 3 limit=2", "CREATE lamp 4"])
        #expect(try Self.read("sku,onhand,available,held,sold\nphone,3,1,2,9\n") == ["CREATE phone 3"])
        // "sku" is a fine name for a SKU.
        #expect(try Self.read("sku,3\n") == ["CREATE sku 3"])
    }

    @Test(
        "A row that says nothing to load is told what is wrong",
        arguments: [
            ("two words,1", "cannot be a SKU"), ("a=b,1", "cannot be a SKU"), (",1", "no SKU"),
            (String(repeating: "x", count: 129) + ",1", "cannot be a SKU"), ("phone,", "not a whole number"),
            ("phone", "not a whole number"), ("phone,-1", "not from 0"), ("phone,9000000000000001", "not from 0"),
            ("phone,1.5", "not a whole number"), ("phone,1,x", "floor is 'x'"), ("phone,1,0,-1", "limit is '-1'"),
            ("phone,1,0,0,soon", "opens is 'soon'"), ("phone,1,0,0,0,0,7", "7 fields"),
        ])
    func badRows(row: String, problem: String) throws {
        let rows = try Self.read("good,1\n\(row)\n")
        #expect(rows.count == 2)
        #expect(rows.last?.hasPrefix("2! ") == true)
        #expect(rows.last?.contains(problem) == true, "\(rows)")
    }

    @Test("A column that nobody knows is refused, so that a misspelt one is not passed over")
    func unknownColumn() {
        #expect(throws: ToolError(.badInput, "stock.csv: unknown column 'flor'; known are sku, onhand, floor, limit, opens, closes")) {
            try Self.read("sku,onhand,flor\na,1,2\n")
        }
        #expect(throws: ToolError.self) { try Self.read("sku;onhand\na;1\n") }
    }
}
