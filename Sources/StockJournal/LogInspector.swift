// Reading a log without touching it: for `stockade log check DIR` and `stockade log dump DIR`, also while a server runs.

/// A reader that writes nothing, creates nothing and takes no lock.
public enum LogInspector {
    /// Reads and checks every frame, hands each to `visit` (events only, in order), and says what a start would find.
    ///
    /// While a server runs, a frame that is just being written at the very end is no damage. Damage is a verdict, not an
    /// error; thrown are only `unsuitable` and `system`, and what `visit` throws.
    public static func check(
        _ directory: StoreDirectory, progress: (LogProgress) -> Void = { _ in },
        visit: (LogFrame) throws -> Void = { _ in }
    ) throws -> (verdict: LogVerdict, report: RecoveryReport) {
        fatalError()
    }
}
