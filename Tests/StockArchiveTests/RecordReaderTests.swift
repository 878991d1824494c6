// All records read in the order of their numbers, whatever gaps their numbers have: the reader goes by ranges, and no row
// may fall between two of them.

import StockModel
import Testing

@testable import StockArchive

@Suite("Reading all records", .timeLimit(.minutes(5)))
struct RecordReaderTests {
    /// A database with a row of `record` for each number and as many lines as its last digit.
    private static func database(_ scratch: Scratch, numbers: [Int64]) throws -> Database {
        let database = try Database(scratch.database, .create)
        try database.execute(Schema.tables)
        try database.execute("BEGIN")
        let record = try database.prepare("INSERT INTO record VALUES (?, ?, 2, 1, ?, 5, 6, 0, ?, NULL, NULL)")
        let line = try database.prepare("INSERT INTO record_line VALUES (?, ?, 3, 3, 0)")
        for number in numbers {
            record.bind(number, at: 1)
            record.bind(text: "order-\(number)", at: 2)
            record.bind(number + 1, at: 3)
            if number % 2 == 0 { record.bind(text: "buyer-\(number)", at: 4) } else { record.bind(nil as Int64?, at: 4) }
            try record.run()
            for index in 0..<(number % 10) {
                line.bind(number * 1_024 + index, at: 1)
                line.bind(index + 1, at: 2)
                try line.run()
            }
        }
        try database.execute("COMMIT")
        return database
    }

    @Test(
        "Each is given once, with its lines, across gaps and ends of ranges",
        arguments: [
            [],
            [1],
            Array(1...5_000),
            [1, 1_024, 1_025, 1_026, 2_048, 2_049, 8_192, 16_384, 16_385, 1_000_000_007, 9_000_000_000_003],
            Array(stride(from: 3, to: 3_000_000, by: 997)) + Array(3_000_001...3_020_000),
        ] as [[Int64]])
    func complete(numbers: [Int64]) throws {
        let scratch = Scratch()
        let database = try Self.database(scratch, numbers: numbers)
        var reader = try RecordReader(database)
        var found: [Int64] = []
        while let stored = try reader.next() {
            let number = Int64(stored.number)
            found.append(number)
            #expect(stored.row.id.text == "order-\(number)")
            #expect(stored.row.buyer?.text == (number % 2 == 0 ? "buyer-\(number)" : nil))
            #expect(stored.row.lines.map(\.ordinal) == (0..<(number % 10)).map { UInt32($0 + 1) })
        }
        #expect(found == numbers)
        #expect(try reader.next() == nil)
    }

    @Test(
        "A row that no fold writes is damage, wherever it stands",
        arguments: [
            "INSERT INTO record_line VALUES (0, 1, 1, 1, 0)",
            "INSERT INTO record_line VALUES (-5, 1, 1, 1, 0)",
            "INSERT INTO record_line VALUES (4000 * 1024, 1, 1, 1, 0)",
            "INSERT INTO record_line VALUES (9000000000 * 1024, 1, 1, 1, 0)",
            "INSERT INTO record_line VALUES (17 * 1024 + 9, 1, 1, 1, 0)",
            "DELETE FROM record_line WHERE place = 17 * 1024 + 2",
            "DELETE FROM record WHERE number = 29",
            "UPDATE record_line SET sku = -1 WHERE place = 17 * 1024 + 2",
            "UPDATE record SET id = NULL WHERE number = 3000",
            "UPDATE record SET id = x'41' WHERE number = 3000",
            "UPDATE record SET state = 77 WHERE number = 3000",
            "UPDATE record SET sequence = 2 WHERE number = 3000",
            "INSERT INTO record VALUES (0, 'zero', 2, 1, 1, 5, 6, 0, NULL, NULL, NULL)",
            "INSERT INTO record VALUES (-7, 'minus', 2, 1, 1, 5, 6, 0, NULL, NULL, NULL)",
            "INSERT INTO record VALUES (9223372036854775807, 'far', 2, 1, 9223372036854775807, 5, 6, 0, NULL, NULL, NULL)",
        ])
    func damaged(change: String) throws {
        let scratch = Scratch()
        let database = try Self.database(scratch, numbers: Array(1...3_500))
        try database.execute("PRAGMA ignore_check_constraints = 1")
        // A name that is missing cannot be written as such: the column says NOT NULL.
        if change.contains("id = NULL") {
            try database.execute("UPDATE record SET id = '' WHERE number = 3000")
        } else {
            try database.execute(change)
        }
        var reader = try RecordReader(database)
        var error: ArchiveError?
        do throws(ArchiveError) {
            while try reader.next() != nil {}
        } catch let thrown {
            error = thrown
        }
        guard case .damaged(let path, let problem) = error else {
            Issue.record("\(change): \(String(describing: error))")
            return
        }
        #expect(path == scratch.database && !problem.isEmpty)
    }

    @Test("Two readers of one connection do not meet")
    func two() throws {
        let scratch = Scratch()
        let database = try Self.database(scratch, numbers: Array(1...3_000))
        var one = try RecordReader(database)
        var other = try RecordReader(database)
        for number in 1...3_000 {
            #expect(try one.next()?.number == UInt64(number))
            if number % 2 == 0 { #expect(try other.next()?.number == UInt64(number / 2)) }
        }
        #expect(try one.next() == nil)
    }

    @Test("What it calls of ours is nobody else's to call")
    func direct() throws {
        let scratch = Scratch()
        let database = try Self.database(scratch, numbers: [1])
        _ = try RecordReader(database)
        for arguments in ["", "1, 2, 3, 4, 5, 6", "NULL, 2, 3, 4, 5, 6", "x'00', 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"] {
            #expect(throws: ArchiveError.self) { _ = try database.integer("SELECT take_record(\(arguments))") }
            #expect(throws: ArchiveError.self) { _ = try database.integer("SELECT take_line(\(arguments))") }
        }
    }
}
