// The outside world failing, in one type. A customer's "no" is not here: it is a value, `Refusal`.

/// Why a call has no answer.
///
/// Only one of these leaves a question open: ``outcomeUnknown(id:why:)``. With every other, nothing was changed.
public enum StockadeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The request may have been carried out, and it could not be found out in time.
    ///
    /// Ask again later with the same id (it is safe to repeat the call), or let
    /// ``StockadeClient/settle(order:)`` decide once and for all.
    case outcomeUnknown(id: String, why: String)
    /// The deadline passed and nothing was changed: the request was never sent, was answered "busy" all along, or
    /// only asked for something.
    case deadlineExceeded(String)
    /// The task was cancelled and nothing was changed.
    case cancelled
    /// The server has not been reachable for some time, so the call did not wait for it.
    case unavailable(String)
    /// The server is full, or cannot write its log. Nothing was changed; an operator is needed.
    case serverTrouble(String)
    /// Too many calls wait already (``StockadeClient/Configuration/maximumWaiting``).
    case overloaded
    /// The password is wrong or missing, or this client may not do this.
    case denied(String)
    /// This call can never succeed: a token with a blank, a number outside its limits, or a request that the
    /// server does not understand.
    case invalid(String)
    /// Nobody runs ``StockadeClient/run()``.
    case notRunning
    /// The client was shut down.
    case closed
    /// The server's reply is not of the protocol.
    case unexpectedReply(String)

    public var description: String {
        switch self {
        case .outcomeUnknown(let id, let why): "it is not known what became of \"\(id)\": \(why)"
        case .deadlineExceeded(let why): "the deadline passed, nothing was changed: \(why)"
        case .cancelled: "the task was cancelled, nothing was changed"
        case .unavailable(let why): "the server is not reachable: \(why)"
        case .serverTrouble(let why): "the server cannot do it: \(why)"
        case .overloaded: "too many calls wait already"
        case .denied(let why): "denied: \(why)"
        case .invalid(let why): "invalid: \(why)"
        case .notRunning:
            "the client is not running: call run() in a task of its own (or in a ServiceGroup), or use withClient"
        case .closed: "the client was shut down"
        case .unexpectedReply(let reply): "unexpected reply: \(reply)"
        }
    }
}
