// One prepared statement. Text is bound from memory where it stands and read where SQLite has it: no String is made on
// the way of a row.

import CSQLite
import StockModel

/// A prepared statement, finalised when it goes away. Parameters count from 1, columns from 0, as SQLite has it.
public struct Statement: ~Copyable {
    private let database: Database
    private let handle: OpaquePointer
    /// Parameters that are NULL already, as most optional columns of a row and of the one before it: to bind NULL again
    /// would cost as much as to bind a number.
    private let isNullBound: UnsafeMutablePointer<Bool>
    private let parameterCount: Int32

    init(_ sql: String, in database: Database) throws(ArchiveError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK else { throw database.failure(code) }
        guard let prepared else {
            throw .sqlite(code: SQLITE_MISUSE, message: "an empty statement", path: database.path)
        }
        self.database = database
        handle = prepared
        parameterCount = sqlite3_bind_parameter_count(prepared)
        isNullBound = .allocate(capacity: Int(parameterCount) + 1)
        isNullBound.initialize(repeating: true, count: Int(parameterCount) + 1)
    }

    deinit {
        isNullBound.deallocate()
        sqlite3_finalize(handle)
    }

    // MARK: Parameters

    public func bind(_ value: Int64, at parameter: Int32) {
        bound(sqlite3_bind_int64(handle, parameter, value), at: parameter)
    }

    /// Sequences stay far below 2^63: one a nanosecond would take 292 years.
    public func bind(_ value: UInt64, at parameter: Int32) {
        bind(Int64(truncatingIfNeeded: value), at: parameter)
    }

    public func bind(_ value: Int64?, at parameter: Int32) {
        if let value { bind(value, at: parameter) } else { bindNull(at: parameter) }
    }

    /// The bytes must stay where they are until the statement is reset.
    public func bind(_ text: Token?, at parameter: Int32) {
        guard let text else {
            bindNull(at: parameter)
            return
        }
        let bytes = text.base.assumingMemoryBound(to: CChar.self)
        bound(
            sqlite3_bind_text(handle, parameter, bytes, Int32(truncatingIfNeeded: text.count), nil), at: parameter)
    }

    /// Runs with a copy of the bytes bound, for the few values that are not tokens.
    public func bind(text: String, at parameter: Int32) {
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        bound(sqlite3_bind_text(handle, parameter, text, -1, copied), at: parameter)
    }

    public func bind(blob: [UInt8], at parameter: Int32) {
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        bound(sqlite3_bind_blob(handle, parameter, blob, Int32(blob.count), copied), at: parameter)
    }

    /// A pointer for a function of ours, which asks for it by the same name: no SQL can make one. It stays bound.
    func bind(pointer: UnsafeMutableRawPointer, named name: StaticString, at parameter: Int32) {
        bound(name.withUTF8Buffer { name in
            name.withMemoryRebound(to: CChar.self) { sqlite3_bind_pointer(handle, parameter, pointer, $0.baseAddress, nil) }
        }, at: parameter)
    }

    /// The number of a named parameter such as `:sku`, `nil` if there is none of that name.
    public func parameter(_ name: String) -> Int32? {
        let number = sqlite3_bind_parameter_index(handle, name)
        return number == 0 ? nil : number
    }

    private func bindNull(at parameter: Int32) {
        if parameter > 0, parameter <= parameterCount, isNullBound[Int(parameter)] { return }
        bound(sqlite3_bind_null(handle, parameter), at: parameter)
        isNullBound[Int(parameter)] = true
    }

    @inline(__always)
    private func bound(_ code: Int32, at parameter: Int32) {
        // A code that is right also says that there is such a parameter.
        invariant(code == SQLITE_OK, "a parameter is bound that the statement has, while it is not running")
        isNullBound[Int(parameter)] = false
    }

    // MARK: Running

    /// Goes on to the next row; false at the end, where the statement has been reset.
    public func step() throws(ArchiveError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE {
            sqlite3_reset(handle)
            return false
        }
        let failure = database.failure(code)
        sqlite3_reset(handle)
        throw failure
    }

    /// Runs to the end, for a statement that has no rows.
    public func run() throws(ArchiveError) {
        while try step() {}
        database.pause?()
    }

    /// Leaves the rows that have not been read.
    public func reset() {
        sqlite3_reset(handle)
    }

    // MARK: Columns of the row

    public var columnCount: Int32 { sqlite3_column_count(handle) }

    /// 0 for NULL.
    public func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    public func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    /// Text of 1…128 bytes as every token is, valid until the next step; `nil` for NULL.
    public func token(_ column: Int32) throws(ArchiveError) -> Token? {
        // The value is looked up once; that it is unprotected does not matter, for a connection has one thread at a time.
        try Statement.token(of: sqlite3_column_value(handle, column), path: database.path)
    }

    /// What `bind(pointer:named:at:)` has bound.
    @inline(__always)
    static func pointer(in value: OpaquePointer?, named name: StaticString) -> UnsafeMutableRawPointer? {
        name.withUTF8Buffer { name in
            name.withMemoryRebound(to: CChar.self) { sqlite3_value_pointer(value, $0.baseAddress) }
        }
    }

    @inline(__always)
    static func token(of value: OpaquePointer?, path: String) throws(ArchiveError) -> Token? {
        let type = sqlite3_value_type(value)
        if type == SQLITE_NULL { return nil }
        guard type == SQLITE_TEXT, let text = sqlite3_value_text(value) else {
            throw .damaged(path: path, problem: "a column holds no text where a name belongs")
        }
        let count = Int(sqlite3_value_bytes(value))
        guard count >= 1, count <= Limits.tokenLength else {
            throw .damaged(path: path, problem: "a name of \(count) bytes")
        }
        return Token(base: UnsafeRawPointer(text), count: count)
    }

    /// What the rows are not, as an error.
    func damaged(_ problem: String) -> ArchiveError { database.damaged(problem) }

    /// Any value as text, for people and tests.
    public func text(_ column: Int32) -> String {
        guard let text = sqlite3_column_text(handle, column) else { return "" }
        return String(cString: text)
    }

    public func blob(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
