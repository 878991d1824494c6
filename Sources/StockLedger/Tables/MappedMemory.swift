// Memory straight from the system, for tables that grow to gigabytes. It gives three things that `malloc` does not: it
// is zero without being written; it lies in huge pages where the kernel has them, so that a look at a random place of a
// large table is one wait for memory and not two; and another thread can make it ready before it is needed.

import CMachine

/// Address space that holds zeros until it is written to. It takes memory from the system as it is touched.
struct MappedMemory {
    /// 2 MiB.
    static let hugePage = cmachine_huge_page()

    let base: UnsafeMutableRawPointer
    let count: Int

    /// - Parameters:
    ///   - count: bytes.
    ///   - isHuge: whether it begins at a huge page and is asked for in such.
    init(count: Int, isHuge: Bool) {
        guard let base = cmachine_map(count, isHuge) else {
            fatalError("There is no memory: the system refused \(count) bytes of address space.")
        }
        self.base = base
        self.count = count
    }

    /// Gives a part back: it takes no memory any more, and is not to be touched again.
    func release(_ offset: Int, _ count: Int) {
        cmachine_release(base + offset, count)
    }

    func unmap() {
        cmachine_unmap(base, count)
    }

    /// What lies from `offset` to the end of its huge page.
    func restOfPage(at offset: Int) -> UnsafeMutableRawBufferPointer {
        let end = min(count, (offset / MappedMemory.hugePage + 1) * MappedMemory.hugePage)
        return UnsafeMutableRawBufferPointer(start: base + offset, count: end - offset)
    }
}

/// Blocks of one size that lie one behind the other and never move, taken as they are needed.
struct BlockSource: ~Copyable {
    private let blockBytes: Int
    private var extents: [MappedMemory] = []
    /// Of the extent that blocks are taken from: its place in `extents`, and where its next block begins.
    private var current = -1
    private var used = 0
    /// How far memory was made ready: an extent and an offset, not before those of the next block.
    private var readyExtent = 0
    private var readyOffset = 0
    /// Bytes of all blocks.
    private(set) var bytes = 0

    /// The first extent is not of huge pages: most stores stay small, and nobody is ahead of the loop yet, which would wait for
    /// 2 ms when it takes a fresh one.
    private static let firstExtent = 16 << 20
    private static let extent = 32 << 20
    /// So much is made ready before it is needed, at most: a tenth of a second of sales at full speed.
    private static let mostAhead = 8 << 20

    /// - Parameter blockBytes: a multiple of 16, no more than 1 MiB.
    init(blockBytes: Int) {
        self.blockBytes = blockBytes
    }

    deinit {
        for extent in extents { extent.unmap() }
    }

    /// A block of zeros, at an address that is a multiple of 16.
    mutating func take() -> UnsafeMutableRawPointer {
        if current < 0 || used + blockBytes > extents[current].count {
            current += 1
            used = 0
            if current == extents.count { addExtent() }
        }
        let block = extents[current].base + used
        used += blockBytes
        bytes += blockBytes
        return block
    }

    private mutating func addExtent() {
        let isFirst = extents.isEmpty
        extents.append(MappedMemory(count: isFirst ? BlockSource.firstExtent : BlockSource.extent, isHuge: !isFirst))
    }

    /// What will be written to soon and should be made ready now, if there is something.
    mutating func takeUnready() -> UnsafeMutableRawBufferPointer? {
        let wanted = min(BlockSource.mostAhead, bytes / 4)
        guard current >= 0, wanted >= MappedMemory.hugePage else { return nil }
        if readyExtent < current || readyExtent == current && readyOffset < used {
            readyExtent = current
            readyOffset = used
        }
        if readyOffset >= extents[readyExtent].count {
            readyExtent += 1
            readyOffset = 0
            if readyExtent == extents.count { addExtent() }
        }
        let ahead =
            readyExtent == current ? readyOffset - used : extents[current].count - used + readyOffset
        guard ahead < wanted else { return nil }
        let unready = extents[readyExtent].restOfPage(at: readyOffset)
        readyOffset += unready.count
        return unready
    }
}
