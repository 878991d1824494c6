// Which server a console talks to, and how it logs in there. Each connection is made the same way: at the start, and
// again when the server was restarted.

import StockConnection

/// A server, the secret it asks for, and how long it is waited for.
public struct Target: Sendable {
    public let address: Address
    /// The one line of the password file; nil when none was named.
    public let password: String?
    /// How long a connection and a reply may take.
    public let patience: Duration

    public init(address: Address, password: String?, patience: Duration) {
        self.address = address
        self.password = password
        self.patience = patience
    }

    /// Connects, and logs in if there is a password.
    ///
    /// - Throws: `.connection` when there is no server or it stops halfway, `.loginRefused` for a wrong password.
    public func connect() throws(ConsoleError) -> Connection {
        let connection: Connection
        let answer: Reply?
        do throws(ConnectionError) {
            connection = try Connection(to: address, timeout: patience)
            answer = if let password { try connection.authenticate(password, by: .after(patience)) } else { nil }
        } catch {
            throw .unreachable(address, error)
        }
        if let answer, answer.isRefusal { throw .loginRefused(address, answer.head.text) }
        return connection
    }
}
