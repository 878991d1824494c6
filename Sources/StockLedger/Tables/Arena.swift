// Records of many sizes, packed tightly: orders, keys and buyer counts live here, not in objects of their own.
// A reference is 32 bits, half a pointer, and freed records are used again by the next of their size, so that
// forgetting ten million orders and selling ten million more needs no more memory.

import StockModel

/// A pool of raw records in blocks that never move.
///
/// Complexity: allocating and freeing are O(1); a block of 65,536 granules is taken from the system when needed. With
/// granules of 8 bytes a pool can grow to 32 GiB.
struct Arena: ~Copyable {
    /// Names a record; 0 names none.
    typealias Reference = UInt32

    /// A granule is `1 << granuleShift` bytes; records begin at granules.
    private let granuleShift: Int
    private let blocks: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var source: BlockSource
    private(set) var blockCount = 0
    /// Granules of the newest block that have been handed out.
    private var used = Arena.granulesPerBlock
    private let freeLists: UnsafeMutablePointer<Reference>

    private static let granulesPerBlock = 65_536
    /// The last block number stays unused, so that no reference is all ones (see `HashIndex`).
    private static let maximumBlocks = 65_535
    /// Up to so many granules each size has a class of its own; beyond, classes are this far apart.
    private static let exactClasses = 64
    private static let classes = 160

    init(granuleShift: Int) {
        self.granuleShift = granuleShift
        source = BlockSource(blockBytes: Arena.granulesPerBlock << granuleShift)
        blocks = .allocate(capacity: Arena.maximumBlocks)
        freeLists = .allocate(capacity: Arena.classes)
        freeLists.initialize(repeating: 0, count: Arena.classes)
    }

    deinit {
        blocks.deallocate()
        freeLists.deallocate()
    }

    /// Bytes taken from the system.
    @inline(__always)
    var bytes: Int { blockCount &<< (16 &+ granuleShift) }

    /// Whether a record of any size still finds a place, with some blocks in reserve for what must not fail.
    @inline(__always)
    var hasRoom: Bool { blockCount < Arena.maximumBlocks - 1_024 }

    /// The record's memory. It never moves while the record lives.
    @inline(__always)
    func pointer(_ reference: Reference) -> UnsafeMutableRawPointer {
        blocks[Int(reference >> 16)] + (Int(reference & 0xFFFF) &<< granuleShift)
    }

    /// A new record of at least `size` bytes, its content undefined.
    mutating func allocate(_ size: Int) -> Reference {
        let sizeClass = self.sizeClass(size)
        let free = freeLists[sizeClass]
        if free != 0 {
            freeLists[sizeClass] = pointer(free).load(as: Reference.self)
            return free
        }
        let granules = Arena.granules(ofClass: sizeClass)
        if used &+ granules > Arena.granulesPerBlock { addBlock() }
        let reference = UInt32(truncatingIfNeeded: (blockCount &- 1) << 16 | used)
        used &+= granules
        return reference
    }

    /// Gives a record back. `size` is what it was allocated with.
    mutating func free(_ reference: Reference, size: Int) {
        let sizeClass = self.sizeClass(size)
        pointer(reference).storeBytes(of: freeLists[sizeClass], as: Reference.self)
        freeLists[sizeClass] = reference
    }

    private mutating func addBlock() {
        invariant(blockCount < Arena.maximumBlocks, "hasRoom is asked before a promise is made")
        blocks[blockCount] = source.take()
        // Granule 0 of block 0 is never handed out: reference 0 names no record.
        used = blockCount == 0 ? 1 : 0
        blockCount &+= 1
    }

    /// Memory that new records will lie in soon and that is not ready for it.
    mutating func takeUnready() -> UnsafeMutableRawBufferPointer? { source.takeUnready() }

    private func sizeClass(_ size: Int) -> Int {
        let granules = (size &+ (1 &<< granuleShift) &- 1) &>> granuleShift
        if granules <= Arena.exactClasses { return max(granules, 1) &- 1 }
        let sizeClass = Arena.exactClasses &+ (granules &- 1) / Arena.exactClasses &- 1
        invariant(sizeClass < Arena.classes, "the largest record, an order of 1,024 lines, has a size class")
        return sizeClass
    }

    private static func granules(ofClass sizeClass: Int) -> Int {
        sizeClass < exactClasses ? sizeClass &+ 1 : (sizeClass &- exactClasses &+ 2) &* exactClasses
    }
}
