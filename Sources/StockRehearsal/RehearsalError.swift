// What can stop a rehearsal. A refusal of the server's does not: that is what a rehearsal is there to count.

import StockConnection
import StockInput

/// Why a rehearsal gave no result.
public enum RehearsalError: Error, Equatable, Sendable {
    /// The options do not make a rehearsal; the text says which and why.
    case usage(String)
    /// The file is not one of orders or of stock.
    case badFile(String)
    /// There is no file to read.
    case noFile(String)
    /// The server could not be reached, stayed away, or does not speak its protocol.
    case connection(ConnectionError)
    /// The server cannot play: it does not let us in, or takes no changes.
    case server(String)
}

extension RehearsalError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .usage(let text), .badFile(let text), .noFile(let text), .server(let text): text
        case .connection(let error): error.description
        }
    }
}

extension RehearsalError {
    /// A file that cannot be read.
    public init(_ error: ToolError) {
        self = error.kind == .badInput ? .badFile(error.description) : .noFile(error.description)
    }
}

/// Runs `body` with its connection errors as those of a rehearsal.
func connecting<Result>(_ body: () throws(ConnectionError) -> Result) throws(RehearsalError) -> Result {
    do throws(ConnectionError) { return try body() } catch { throw .connection(error) }
}
