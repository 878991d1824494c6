// The open holds and when they run out. A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical
// Timing Wheels", 1987) to the millisecond: putting a hold in and taking it out cost the same whether ten or ten
// million are open, and its work is done in steps that the caller can stop between.

import StockModel

/// One open hold.
struct Hold {
    var order: Arena.Reference
    var previous: UInt32
    var next: UInt32
    /// Unix milliseconds.
    var due: Int64
}

/// All open holds, by the time at which they are due, and by slot for paging.
///
/// Level 0 has a list for each of the 256 milliseconds around `time`, level 1 for each 256 of those, and so on. A hold
/// stands on the level of the highest byte in which its due time differs from `time`, and moves to lower ones
/// as its time comes nearer.
struct TimingWheel: ~Copyable {
    typealias Slot = UInt32

    /// What one step did.
    enum Step {
        /// This hold is due. It stays until it is removed.
        case due(Slot)
        /// Holds moved nearer.
        case moved
        /// Nothing is due.
        case idle
    }

    private var pages: UnsafeMutablePointer<UnsafeMutablePointer<Hold>>
    private var pageCapacity = 64
    private var pageCount = 0
    /// Slots that were ever used: those below may be open or free.
    private(set) var slotCount: UInt32 = 0
    private var freeSlot: Slot = TimingWheel.none
    private(set) var count = 0

    /// Everything due up to here has been handed out or stands in `ready`.
    private var time: Int64 = 0
    private let heads: UnsafeMutablePointer<UInt32>
    /// A bit for each list of each level that is not empty.
    private let occupied: UnsafeMutablePointer<UInt64>

    private static let pageShift = 12
    private static let levels = 7
    private static let lists = levels * 256
    /// The list of holds that are due.
    private static let ready = lists
    /// The list of holds that are on their way to lower levels.
    private static let cascading = lists + 1
    private static let none = UInt32.max
    /// In `previous`: the rest is the number of the list that this hold is first of.
    private static let isFirst: UInt32 = 1 << 31

    init() {
        pages = .allocate(capacity: pageCapacity)
        heads = .allocate(capacity: TimingWheel.lists + 2)
        heads.initialize(repeating: TimingWheel.none, count: TimingWheel.lists + 2)
        occupied = .allocate(capacity: TimingWheel.levels * 4)
        occupied.initialize(repeating: 0, count: TimingWheel.levels * 4)
    }

    deinit {
        for page in 0..<pageCount { pages[page].deallocate() }
        pages.deallocate()
        heads.deallocate()
        occupied.deallocate()
    }

    @inline(__always)
    var bytes: Int { pageCount << TimingWheel.pageShift &* MemoryLayout<Hold>.stride }

    @inline(__always)
    private func hold(_ slot: Slot) -> UnsafeMutablePointer<Hold> {
        pages[Int(slot) &>> TimingWheel.pageShift] + (Int(slot) & ((1 &<< TimingWheel.pageShift) &- 1))
    }

    /// The order that holds a slot; 0 when the slot is free.
    func order(at slot: Slot) -> Arena.Reference { hold(slot).pointee.order }

    /// Puts an order in; the slot is its name until it is removed.
    mutating func insert(_ order: Arena.Reference, due: Timestamp, now: Timestamp) -> Slot {
        // An empty wheel may jump, which saves the first hold from moving down all levels.
        if count == 0 { time = max(time, now.milliseconds) }
        let slot: Slot
        if freeSlot != TimingWheel.none {
            slot = freeSlot
            freeSlot = hold(slot).pointee.next
        } else {
            invariant(slotCount < TimingWheel.isFirst, "memory runs out before 2^31 holds are open")
            if Int(slotCount) >> TimingWheel.pageShift >= pageCount { addPage() }
            slot = slotCount
            slotCount &+= 1
        }
        hold(slot).initialize(to: Hold(order: order, previous: 0, next: 0, due: due.milliseconds))
        place(slot)
        count &+= 1
        return slot
    }

    mutating func remove(_ slot: Slot) {
        unlink(slot)
        hold(slot).pointee.order = 0
        hold(slot).pointee.next = freeSlot
        freeSlot = slot
        count &-= 1
    }

    mutating func move(_ slot: Slot, due: Timestamp) {
        unlink(slot)
        hold(slot).pointee.due = due.milliseconds
        place(slot)
    }

    /// Does one bounded piece of the work up to `now`.
    mutating func step(until now: Timestamp) -> Step {
        let first = heads[TimingWheel.cascading]
        if first != TimingWheel.none {
            unlink(first)
            place(first)
            return .moved
        }
        if heads[TimingWheel.ready] != TimingWheel.none { return .due(heads[TimingWheel.ready]) }
        guard let list = nextList(), start(of: list) <= now.milliseconds else {
            // No list lies between, so no hold's level changes.
            time = max(time, now.milliseconds)
            return .idle
        }
        time = start(of: list)
        moveList(list, to: list < 256 ? TimingWheel.ready : TimingWheel.cascading)
        return .moved
    }

    /// The orders that are due, the first as `step` hands them out; at most `limit`.
    @inline(__always)
    func forEachDue(atMost limit: Int, _ body: (Arena.Reference) -> Void) {
        var slot = heads[TimingWheel.ready]
        var left = limit
        while slot != TimingWheel.none && left > 0 {
            body(hold(slot).pointee.order)
            slot = hold(slot).pointee.next
            left &-= 1
        }
    }

    /// When `step` has something to do next: at the first due time or before it.
    var nextStep: Timestamp? {
        if heads[TimingWheel.cascading] != TimingWheel.none || heads[TimingWheel.ready] != TimingWheel.none {
            return Timestamp(milliseconds: time)
        }
        return nextList().map { Timestamp(milliseconds: start(of: $0)) }
    }

    // MARK: Lists

    private mutating func place(_ slot: Slot) {
        let due = hold(slot).pointee.due
        var list = TimingWheel.ready
        if due > time {
            let level = (63 &- (due ^ time).leadingZeroBitCount) >> 3
            invariant(level < TimingWheel.levels, "times stay below 2^56 milliseconds")
            list = level << 8 | Int(truncatingIfNeeded: due >> Int64(8 &* level)) & 255
            occupied[list >> 6] |= 1 << UInt64(list & 63)
        }
        let next = heads[list]
        hold(slot).pointee.previous = TimingWheel.isFirst | UInt32(truncatingIfNeeded: list)
        hold(slot).pointee.next = next
        if next != TimingWheel.none { hold(next).pointee.previous = slot }
        heads[list] = slot
    }

    private mutating func unlink(_ slot: Slot) {
        let (previous, next) = (hold(slot).pointee.previous, hold(slot).pointee.next)
        if next != TimingWheel.none { hold(next).pointee.previous = previous }
        if previous & TimingWheel.isFirst == 0 {
            hold(previous).pointee.next = next
            return
        }
        let list = Int(previous & ~TimingWheel.isFirst)
        heads[list] = next
        if next == TimingWheel.none && list < TimingWheel.lists { occupied[list >> 6] &= ~(1 << UInt64(list & 63)) }
    }

    /// Moves a whole list to one that is empty.
    private mutating func moveList(_ list: Int, to target: Int) {
        let first = heads[list]
        heads[list] = TimingWheel.none
        occupied[list >> 6] &= ~(1 << UInt64(list & 63))
        heads[target] = first
        hold(first).pointee.previous = TimingWheel.isFirst | UInt32(truncatingIfNeeded: target)
    }

    /// The list whose time comes first. All lists of a level lie before all lists of the next, and within a level
    /// in the order of their numbers.
    private func nextList() -> Int? {
        for word in 0..<TimingWheel.levels * 4 where occupied[word] != 0 {
            return word << 6 | occupied[word].trailingZeroBitCount
        }
        return nil
    }

    private func start(of list: Int) -> Int64 {
        let shift = Int64(8 &* (list >> 8))
        let above = (time >> (shift &+ 8)) << (shift &+ 8)
        return above | Int64(list & 255) << shift
    }

    private mutating func addPage() {
        if pageCount == pageCapacity {
            let larger = UnsafeMutablePointer<UnsafeMutablePointer<Hold>>.allocate(capacity: pageCapacity * 2)
            larger.update(from: pages, count: pageCount)
            pages.deallocate()
            pages = larger
            pageCapacity *= 2
        }
        pages[pageCount] = .allocate(capacity: 1 << TimingWheel.pageShift)
        pageCount += 1
    }
}
