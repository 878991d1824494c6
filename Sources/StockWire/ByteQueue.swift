// A growable run of bytes that is filled at its end and taken from its front. It serves both ways of a connection: it
// holds replies that wait to be sent, and bytes that came and are not yet a whole request, or whose turn to be read as
// one has not come. The memory of an emptied queue can be kept: replies are written into the same memory turn after
// turn, so writing one allocates nothing.

import StockModel

/// Bytes that wait, in order: replies on their way to a client, or what came from one and was not yet made requests of.
public struct ByteQueue: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    /// Where the first byte that is not yet consumed stands.
    private var front = 0
    /// Where the next byte goes.
    private var end = 0

    /// Allocates nothing until the first byte is written.
    public init() {
        memory = UnsafeMutableRawPointer.allocate(byteCount: 0, alignment: 1)
        capacity = 0
    }

    deinit {
        memory.deallocate()
    }

    /// Bytes that wait.
    @inline(__always)
    public var count: Int { end &- front }

    public var isEmpty: Bool { end == front }

    /// The first byte that waits; valid until the queue is written to.
    public var base: UnsafeRawPointer { UnsafeRawPointer(memory + front) }

    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Takes the first `bytes` bytes away: they were sent, or made requests of.
    public mutating func consume(_ bytes: Int) {
        invariant(bytes >= 0 && bytes <= count, "no more can be consumed than waits")
        front &+= bytes
        if front == end {
            front = 0
            end = 0
        }
    }

    /// Empties the queue; its memory is given back if it is larger than `keepingCapacity` bytes.
    public mutating func removeAll(keepingCapacity: Int = 65_536) {
        front = 0
        end = 0
        if capacity > keepingCapacity {
            memory.deallocate()
            memory = .allocate(byteCount: 0, alignment: 1)
            capacity = 0
        }
    }

    /// Makes room for `needed` bytes behind those that wait, and says where they go. `advance` makes them count.
    @inline(__always)
    public mutating func reserve(_ needed: Int) -> UnsafeMutableRawPointer {
        if capacity &- end < needed { makeRoom(needed) }
        return memory + end
    }

    /// Counts `bytes` bytes that were written where `reserve` said.
    @inline(__always)
    public mutating func advance(_ bytes: Int) {
        end &+= bytes
    }

    /// Moves what waits to the front, into more memory if that is not enough.
    @inline(never)
    private mutating func makeRoom(_ needed: Int) {
        let waiting = count
        if waiting &+ needed <= capacity &- waiting {
            // The half in front is free: a copy within the memory, paid for by the bytes consumed since the last one.
            memory.copyMemory(from: memory + front, byteCount: waiting)
        } else {
            var larger = max(capacity, 1_024)
            while larger < waiting + needed { larger *= 2 }
            let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            moved.copyMemory(from: memory + front, byteCount: waiting)
            memory.deallocate()
            memory = moved
            capacity = larger
        }
        front = 0
        end = waiting
    }

    /// Appends bytes as they stand.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count).copyMemory(from: start, byteCount: bytes.count)
        advance(bytes.count)
    }
}
