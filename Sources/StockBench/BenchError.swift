// What can stop a measurement. A refusal by the server does not: refusals are counted, shown, and make the
// result one that nobody should quote.

import StockConnection

/// Why a run gave no result.
public enum BenchError: Error, Equatable, Sendable {
    /// The options do not make a run; the text says which and why.
    case usage(String)
    /// The server could not be reached, went away or does not speak its protocol.
    case connection(ConnectionError)
    /// Something that a comparison needs is not on this machine.
    case missing(String)
    /// The server did not do what the preparation needs; the text tells what it said.
    case server(String)
    /// SIGINT or SIGTERM came.
    case interrupted
    /// A system call failed.
    case system(call: String, errno: Int32)
}

extension BenchError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .usage(let text), .missing(let text), .server(let text): text
        case .connection(let error): error.description
        case .interrupted: "interrupted"
        case .system(let call, let number): "\(call): errno \(number)"
        }
    }
}

/// Runs `body` with its connection errors as bench errors.
func connecting<Result>(_ body: () throws(ConnectionError) -> Result) throws(BenchError) -> Result {
    do throws(ConnectionError) { return try body() } catch { throw .connection(error) }
}
