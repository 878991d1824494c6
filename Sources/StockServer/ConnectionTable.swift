// All connections, found by descriptor. Descriptors are small numbers that the kernel reuses, so the table is an array,
// and a generation beside each place tells a connection from the one that had the same descriptor before.

import Glibc
import StockModel

/// Owns the connections and their sockets.
struct ConnectionTable: ~Copyable {
    private var places: UnsafeMutablePointer<Connection>
    /// The generation of the connection in each place; 0: the place is empty.
    private var generations: UnsafeMutablePointer<UInt32>
    private var capacity: Int
    /// Every place from here on is empty.
    private var end = 0
    private var newestGeneration: UInt32 = 0
    /// Open connections.
    private(set) var count = 0
    /// Bytes of replies that wait for all of them, as far as they were noted.
    private(set) var heldReplies = 0

    init() {
        capacity = 64
        places = .allocate(capacity: capacity)
        generations = .allocate(capacity: capacity)
        generations.initialize(repeating: 0, count: capacity)
    }

    deinit {
        for place in 0..<end where generations[place] != 0 {
            (places + place).deinitialize(count: 1)
            Glibc.close(Int32(place))
        }
        places.deallocate()
        generations.deallocate()
    }

    /// The token that a new connection on `descriptor` will have.
    mutating func newToken(for descriptor: Int32) -> PollToken {
        newestGeneration &+= 1
        // 0 is no connection's. A generation comes again after 2^32 connections; no event waits that long.
        if newestGeneration == 0 { newestGeneration = 1 }
        return PollToken(descriptor: descriptor, generation: newestGeneration)
    }

    /// Takes a connection in. Pointers to others are no longer valid.
    mutating func insert(_ connection: consuming Connection) {
        let token = connection.token
        let place = Int(token.descriptor)
        if place >= capacity { grow(to: place + 1) }
        invariant(generations[place] == 0, "a descriptor belongs to one connection")
        (places + place).initialize(to: connection)
        generations[place] = token.generation
        end = max(end, place + 1)
        count += 1
    }

    /// The connection of `token`, unless it is gone; valid until one is inserted or this one closed.
    @inline(__always)
    func find(_ token: PollToken) -> UnsafeMutablePointer<Connection>? {
        let place = Int(token.descriptor)
        guard place < end, generations[place] == token.generation, token.isConnection else { return nil }
        return places + place
    }

    /// Notes how many bytes of replies wait for a connection.
    @inline(__always)
    mutating func noteReplies(of connection: UnsafeMutablePointer<Connection>) {
        let count = connection.pointee.replies.count
        heldReplies &+= count &- connection.pointee.notedReplies
        connection.pointee.notedReplies = count
    }

    /// Closes the connection of `token`, unless it is gone.
    mutating func close(_ token: PollToken) {
        guard let connection = find(token) else { return }
        heldReplies &-= connection.pointee.notedReplies
        connection.deinitialize(count: 1)
        let place = Int(token.descriptor)
        generations[place] = 0
        count -= 1
        if place + 1 == end { trimEnd() }
        // Closing also takes the descriptor out of epoll.
        _ = Glibc.close(token.descriptor)
    }

    /// Calls `body` for each open connection. It may close that one, but not insert.
    mutating func forEach(_ body: (inout ConnectionTable, UnsafeMutablePointer<Connection>) -> Void) {
        var place = 0
        while place < end {
            if generations[place] != 0 { body(&self, places + place) }
            place += 1
        }
    }

    private mutating func trimEnd() {
        while end > 0, generations[end - 1] == 0 { end -= 1 }
    }

    private mutating func grow(to needed: Int) {
        let larger = max(needed, capacity * 2)
        let morePlaces = UnsafeMutablePointer<Connection>.allocate(capacity: larger)
        let moreGenerations = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
        moreGenerations.initialize(repeating: 0, count: larger)
        for place in 0..<end where generations[place] != 0 {
            (morePlaces + place).moveInitialize(from: places + place, count: 1)
            moreGenerations[place] = generations[place]
        }
        places.deallocate()
        generations.deallocate()
        places = morePlaces
        generations = moreGenerations
        capacity = larger
    }
}
