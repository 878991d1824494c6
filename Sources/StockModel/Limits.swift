// Every limit of the protocol and of the ledger, each with its name. `STATS limits` shows them.

/// What a request, a counter or a table may hold. Sizes are bytes, times are milliseconds, unless the name says otherwise.
public enum Limits {
    // MARK: The wire

    /// SKUs, order ids, buyers, and every other word that is remembered: 1…128 bytes of `!`…`~` without `=`.
    public static let tokenLength = 128
    /// A request line without its line end, or the argument bytes of an array.
    public static let requestLength = 262_144
    /// Pairs of SKU and quantity in one request.
    public static let pairs = 1_024
    /// Words of one request: what fits a line.
    public static let words = requestLength / 2 + 1
    /// Entries of one page of `SKUS` or `HOLDS`, and SKUs of one `MGET`.
    public static let pageEntries = 1_000
    public static let pageEntriesDefault = 100
    /// A page ends early rather than pass this size.
    public static let pageBytes = 262_144

    // MARK: Quantities

    /// Units of one line, and of the sum of a SKU's pairs in one order: 10^12.
    public static let quantity: Int64 = 1_000_000_000_000
    /// The largest `limit=` of a SKU: 10^12.
    public static let buyerLimit: Int64 = 1_000_000_000_000
    /// No counter ever passes ±9·10^15. It is below 2^53, so that a client in any language can hold it.
    public static let counter: Int64 = 9_000_000_000_000_000

    // MARK: Time

    public static let shortestHold: Int64 = 1
    /// 30 days. It fits 32 bits, which the order record relies on.
    public static let longestHold: Int64 = 30 * 24 * 3_600_000
    /// `opens=`, `closes=`, `born=`: Unix milliseconds.
    public static let timestamp: Int64 = 9_000_000_000_000_000
}
