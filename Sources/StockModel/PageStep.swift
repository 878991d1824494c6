// The pages of SKUS and HOLDS are read from the ledger step by step and written to the wire step by step. This is what
// the two agree on.

/// One step through a page.
public enum PageStep<Item> {
    case item(Item)
    /// This page's budget is used up; it continues from the cursor's token.
    case more
    case end
}
