// Everything that can go wrong with a store on disk, as typed errors that tell an operator what is where and what to
// do. The server turns them into exit codes: `damaged` and `notAStore` are 78, the others 74 or 75 as it sees fit.

/// Why a store could not be opened or read.
public enum JournalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process serves from this directory.
    case locked(path: String, processID: String)
    /// The log is not what was written.
    case damaged(LogDamage)
    /// A path is not what it must be: a symbolic link, not a directory, not a regular file.
    case unsuitable(path: String, why: String)
    /// A system call failed.
    case system(call: String, path: String, errno: Int32)

    public var description: String {
        switch self {
        case .locked(let path, let processID):
            "\(path) is in use by another server\(processID.isEmpty ? "" : " (process \(processID))")"
        case .damaged(let damage): damage.description
        case .unsuitable(let path, let why): "\(path): \(why)"
        case .system(let call, let path, let errno): "\(path): \(call): \(describe(errno: errno)) (errno \(errno))"
        }
    }
}

/// Damage of the log: where it is, what is lost, what to do.
public struct LogDamage: Error, Equatable, Sendable, CustomStringConvertible {
    /// How bad it is.
    public enum Kind: Equatable, Sendable {
        /// What was acknowledged and durable is damaged. No flag makes the server start on it.
        case history
        /// The damage is after everything that is known to be durable: `acceptTailLoss` with `sequence` gives it up.
        case tail
    }

    public var kind: Kind
    /// The path of the segment.
    public var file: String
    /// The byte in it where the first bad frame (or the header: 0) begins.
    public var offset: UInt64
    /// The sequence of the first event that cannot be read.
    public var sequence: UInt64
    /// The newest sequence known to be durable, from the marks of all frames that can still be read.
    public var durableSequence: UInt64
    /// What is wrong, in words.
    public var reason: String

    public var description: String {
        let place = "\(file), offset \(offset), from event \(sequence) on: \(reason)."
        switch kind {
        case .history:
            return "The log is damaged in its history: \(place) Nothing was changed. Events up to \(durableSequence) "
                + "were on the disk, so leaving these out would lose what was promised. Restore the directory from a "
                + "backup, or check the disk and repair the file."
        case .tail:
            return "The log is damaged at its end: \(place) Nothing was changed. All bytes are there but they are "
                + "not what was written. Events up to \(durableSequence) are known to have been on the disk. "
                + "Restore from a backup, or start with --accept-tail-loss=\(sequence) to give up event \(sequence) "
                + "and all after it (the bytes are kept in a .torn file)."
        }
    }
}
