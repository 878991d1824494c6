// Tests that drive the real executable from outside: over sockets, with signals, with a disk that fails. They
// stand in one serialised suite, because each starts a server and some put it under load; side by side on a
// small machine they would only slow each other down.

import Foundation
import Testing

/// The suite that all tests of the running server belong to.
@Suite("The running server", .serialized)
enum EndToEnd {
    /// STOCKADE_THOROUGH=1 in the environment asks for many more rounds of the randomised tests.
    static let isThorough = ProcessInfo.processInfo.environment["STOCKADE_THOROUGH"] == "1"

    /// Long enough for a busy machine; no test passes or fails by being faster than this.
    static let patience = Duration.seconds(30)
}

/// What a test says when the server did something else than it must.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
