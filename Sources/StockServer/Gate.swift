// Step 5 of a request's way: no reply leaves before what it tells of is as safe as the mode promises. Every reply is
// told the newest sequence of the ledger at the moment it was decided, reads and refusals too: what a GET shows may
// be the work of an event that is not yet written. When the log has come that far, the reply may go.

import StockJournal

/// How safe an event is. A later level includes the ones before.
enum SafetyLevel: UInt8, Comparable {
    /// With the kernel: it survives the death of the process.
    case written
    /// On the disk: it survives a power cut.
    case durable

    static func < (a: SafetyLevel, b: SafetyLevel) -> Bool { a.rawValue < b.rawValue }
}

/// How far the log has come.
struct Gate: Equatable {
    /// The newest sequence that the kernel has.
    var written: UInt64 = 0
    /// The newest sequence that the disk has.
    var durable: UInt64 = 0

    /// Whether a reply that waits for `sequence` to be safe on `level` may leave.
    @inline(__always)
    func isOpen(for sequence: UInt64, _ level: SafetyLevel) -> Bool {
        sequence <= (level == .written ? written : durable)
    }
}

extension SyncMode {
    /// What every reply of a server in this mode waits for.
    var replyLevel: SafetyLevel {
        switch self {
        case .always: .durable
        case .everysec, .never: .written
        }
    }
}
