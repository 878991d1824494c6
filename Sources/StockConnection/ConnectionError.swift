// What can go wrong between a tool and a server. A refusal such as `-SOLDOUT` is not among it: that is an
// answer, and stands in the `Reply`.

/// The outside world misbehaved: nobody listens, the peer went away, or it does not speak our protocol.
public enum ConnectionError: Error, Equatable, Sendable {
    /// The text is not `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`, or its host has no address.
    case badAddress(String)
    /// Nobody listens there.
    case refused(Address)
    /// The deadline passed before the peer did what was awaited.
    case timedOut(waitingFor: String)
    /// The peer closed or reset the connection; what it sent before that has been read.
    case closed
    /// The peer's bytes are not a reply of this protocol.
    case protocolError(String)
    /// Any other error of the system: the call and its `errno`.
    case system(call: String, errno: Int32)
}

extension ConnectionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badAddress(let text): "'\(text)' is not the address of a server (HOST:PORT, [IPV6]:PORT or unix:PATH)"
        case .refused(let address): "nobody listens on \(address)"
        case .timedOut(let event): "timed out waiting for \(event)"
        case .closed: "the connection was closed by the server"
        case .protocolError(let problem): "not a reply of this protocol: \(problem)"
        case .system(let call, let number): "\(call): \(systemMessage(number))"
        }
    }
}
