// How a tool says that it cannot go on: one kind for each thing that a person or a script would do about it.

/// Why a tool stopped. The description is for the person who called it: what is where, and what to do.
public struct ToolError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What a caller can do something about, with the numbers of sysexits.h.
    public enum Kind: Int32, Sendable {
        /// The command line does not make sense.
        case usage = 64
        /// A file or a database that was given cannot be understood.
        case badInput = 65
        /// There is nothing to read at a path.
        case noInput = 66
        /// No server answers.
        case unreachable = 69
        /// A file cannot be made.
        case cannotWrite = 73
        /// Reading or writing failed.
        case failed = 74
        /// Not now: something is locked, busy or full.
        case tryLater = 75
        /// The server wants a password, or another one.
        case denied = 77
        /// The log or the database is damaged.
        case damaged = 78
    }

    public var kind: Kind
    public var description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
