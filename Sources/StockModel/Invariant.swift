// Our own bugs end here. A customer's "no" is a value and a failing world is a typed error; what is left is a
// broken promise of the program to itself, and going on would sell what is not there.

/// Stops the process, in release builds too, when `condition` is false: the program has a bug.
///
/// - Parameters:
///   - condition: what must hold whatever any client, file or clock does.
///   - message: the broken promise, as a sentence. It is printed with the place.
@inlinable
@inline(__always)
public func invariant(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { invariantBroken(message(), file: file, line: line) }
}

/// The slow half of `invariant`, kept out of line so that the check costs a compare and a branch.
@inline(never)
@usableFromInline
func invariantBroken(_ message: String, file: StaticString, line: UInt) -> Never {
    // fatalError prints its message in release builds, precondition does not.
    fatalError("invariant broken: \(message)", file: file, line: line)
}
