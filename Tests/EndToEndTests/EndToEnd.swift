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

/// Numbers that look random and are the same for the same seed (SplitMix64, Steele, Lea and Flood 2014).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
