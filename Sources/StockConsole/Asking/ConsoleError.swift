// What keeps a console from its answers. A refusal such as `-SOLDOUT` is not among it: that is an answer.

import StockConnection

/// Why there is no answer.
public enum ConsoleError: Error, Equatable, Sendable {
    /// No connection came about, so nothing was asked.
    case unreachable(Address, ConnectionError)
    /// The server did not take the password; the reply says why.
    case loginRefused(Address, String)
    /// The connection ended, stalled or talked nonsense while `unanswered` requests had no reply. Whether these were
    /// carried out is not known; sending them again with the same ids is safe and tells.
    case lost(ConnectionError, unanswered: Int)
    /// The connection ended or stalled while nothing was asked that changes anything.
    case stopped(ConnectionError)
    /// Standard input cannot be read, or standard output not written; the system's words.
    case stream(String)
}

extension ConsoleError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable(_, .refused(let address)): "nobody listens on \(address); is 'stockade serve' running?"
        case .unreachable(_, .badAddress(let text)): "'\(text)' has no address"
        case .unreachable(let address, let error): "cannot reach \(address): \(error)"
        case .loginRefused(let address, let reply): "\(address) did not let us in: \(reply)"
        case .stopped(let error), .lost(let error, 0): "\(error)"
        case .lost(let error, 1): "\(error); whether the request was carried out is not known: send it again to see"
        case .lost(let error, let count):
            "\(error); whether the last \(count) requests were carried out is not known: send them again to see"
        case .stream(let problem): problem
        }
    }
}
