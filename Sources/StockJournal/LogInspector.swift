// Reading a log without touching it: for `stockade log check DIR` and `stockade log dump DIR`, also while a server runs.

/// A reader that writes nothing, creates nothing and takes no lock.
public enum LogInspector {
    /// Reads and checks every frame, hands each frame of events to `visit` in order, and says what a start would find.
    ///
    /// While a server runs (`StoreDirectory.isServed`), a frame that is just being written at the very end is no damage.
    /// Damage is a verdict, not an error; thrown are only `unsuitable` and `system`, and what `visit` throws.
    ///
    /// - Parameter first: segments that lie wholly before this sequence are not read.
    public static func check(
        _ directory: StoreDirectory, from first: UInt64 = 1, progress: (LogProgress) -> Void = { _ in },
        visit: (LogFrame) throws -> Void = { _ in }
    ) throws -> (verdict: LogVerdict, report: RecoveryReport) {
        // A log whose front was dropped begins later; "from 1" then means "from what is there".
        let reach = first > 1 ? first : try LogReader.firstSequence(in: directory)
        let end = try LogReader(directory, from: reach, isLive: directory.isServed)
            .runAhead(progress: progress, visit: visit)
        return (end.verdict(isLive: directory.isServed), end.report)
    }

    /// Hands the frames with an event ≥ `first` that stand in sealed segments to `visit`, in order. A frame that begins
    /// before `first` is handed over whole.
    ///
    /// Throws `damaged` if the segments are not what was written or do not reach back to `first`, and what `visit` throws.
    ///
    /// - Parameter segment: the number of the last segment to read, which must be sealed.
    public static func readSealed(
        _ directory: StoreDirectory, from first: UInt64, through segment: UInt64, visit: (LogFrame) throws -> Void
    ) throws {
        let end = try LogReader(directory, from: first, through: segment, isLive: false)
            .runAhead(progress: { _ in }, visit: visit)
        switch end.verdict(isLive: false) {
        case .intact: return
        case .damaged(let damage): throw JournalError.damaged(damage)
        case .torn(let at, let sequence, let detail):
            let name = StoreDirectory.segmentName(at.segment)
            throw JournalError.damaged(LogDamage(
                kind: .history, file: "\(directory.log.path)/\(name)", offset: at.offset, sequence: sequence,
                durableSequence: end.durableSequence, reason: detail))
        }
    }
}
