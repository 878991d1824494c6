// The pairs of an order: `sku qty`, up to 1,024 of them. A SKU that is named twice becomes one line with the sum, at
// the place of its first mention.

import StockModel

extension RequestParser {
    /// All words from `index` on: pairs, and then options of the kinds in `allowed`.
    ///
    /// Complexity: O(pairs), whatever the SKUs.
    @inline(__always)
    mutating func pairs(from index: Int, needed: Bool, options allowed: UInt32) throws(Complaint) -> OrderLines {
        try atLeast(needed ? index + 2 : index)
        var position = index
        var named = 0
        while position < wordCount, !words[position].isOption {
            let sku = try token(position, .sku)
            guard position &+ 1 < wordCount, !words[position &+ 1].isOption else { throw .usage }
            let quantity = try number(position &+ 1, .quantity)
            // Pairs beyond the limit are still looked at: if one is not of the form, that is what is told.
            if named < Limits.pairs { lines[named] = OrderLine(sku: sku, quantity: quantity) }
            named &+= 1
            position &+= 2
        }
        if needed, named == 0 { throw .usage }
        if position < wordCount { try options(from: position, allowed: allowed) }
        if named > Limits.pairs {
            note(.tooManyPairs)
            named = Limits.pairs
        }
        let distinct = named < 2 ? named : mergeRepeated(named)
        let result = OrderLines(start: lines, count: distinct)
        lines += distinct
        return result
    }

    /// Sums up the repeated SKUs of the first `named` lines, in place; returns how many lines are left.
    private mutating func mergeRepeated(_ named: Int) -> Int {
        pairTable.prepare(for: named)
        var distinct = 0
        for position in 0..<named {
            let line = lines[position]
            let earlier =
                named <= PairTable.smallest
                ? firstLine(of: line.sku, among: distinct)
                : pairTable.find(line.sku, in: lines, orInsert: distinct)
            guard let earlier else {
                lines[distinct] = line
                distinct &+= 1
                continue
            }
            let sum = lines[earlier].quantity &+ line.quantity
            if sum > Limits.quantity { note(.sumOfPairs) }
            lines[earlier].quantity = min(sum, Limits.quantity)
        }
        return distinct
    }

    @inline(__always)
    private func firstLine(of sku: Token, among count: Int) -> Int? {
        for position in 0..<count where lines[position].sku == sku { return position }
        return nil
    }
}

/// Finds a SKU among the lines before it. Few lines are compared one by one; for many, this open-addressing table
/// keeps their places. Its hash is keyed, so that SKUs cannot be chosen to collide.
struct PairTable: ~Copyable {
    /// Up to this many pairs, comparing with each is faster than hashing.
    static let smallest = 16
    private static let slots = 2 * Limits.pairs

    private let key: HashKey
    /// A line's place and one; 0: free.
    private let places: UnsafeMutablePointer<UInt16>
    private var mask = 0

    init(key: HashKey) {
        self.key = key
        places = .allocate(capacity: Self.slots)
        places.initialize(repeating: 0, count: Self.slots)
    }

    deinit {
        places.deallocate()
    }

    /// Empties the table for `count` pairs; at most half of it will be in use.
    mutating func prepare(for count: Int) {
        guard count > Self.smallest else { return }
        var size = 4 * Self.smallest
        while size < 2 * count { size *= 2 }
        places.update(repeating: 0, count: size)
        mask = size - 1
    }

    /// The place of `sku` among `lines`; when it is new, `nil`, and from now on it is found at `place`.
    func find(_ sku: Token, in lines: UnsafeMutablePointer<OrderLine>, orInsert place: Int) -> Int? {
        var slot = Int(truncatingIfNeeded: key.hash(sku)) & mask
        while places[slot] != 0 {
            let earlier = Int(places[slot]) &- 1
            if lines[earlier].sku == sku { return earlier }
            slot = (slot &+ 1) & mask
        }
        places[slot] = UInt16(truncatingIfNeeded: place &+ 1)
        return nil
    }
}
