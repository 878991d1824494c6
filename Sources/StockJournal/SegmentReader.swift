// One segment as a sequence of frames, read in large pieces and checked byte by byte. It decides about one place at a
// time: here is a frame, here the frames end, or here is something bad; and if it is bad, whether bytes are missing (a
// write that a crash cut short) or all are there and wrong (damage). What follows from that is `LogReader`'s part.
//
// Reading is by pread, not by mapping: a file that becomes shorter meanwhile is then a short read and not a SIGBUS.

import CLinux
import CMachine
import Glibc

/// What there is at a place of a segment.
enum FrameFinding {
    /// A frame with intact checksums, and its payload (valid until the next call).
    case frame(FrameHeader, payload: UnsafeRawPointer)
    /// Nothing but zeros from here to the end of the file.
    case end
    case bad(BadPlace)
}

/// Something in the log that is not as it was written.
struct BadPlace: Equatable {
    var reason: String
    /// Bytes were never written here: torn by a crash. False: all bytes are there and are wrong.
    var isTorn: Bool
}

struct SegmentReader: ~Copyable {
    let file: FileDescriptor
    let number: UInt64
    private(set) var size: Int
    private let seed: SegmentSeed
    private var buffer: UnsafeMutableRawPointer
    private var capacity: Int
    /// The part of the file that is in the buffer.
    private var start = 0
    private var filled = 0

    init(_ number: UInt64, in directory: StoreDirectory) throws(JournalError) {
        // Everything that can fail comes before the first stored property.
        let name = StoreDirectory.segmentName(number)
        let file = try FileDescriptor.open(in: directory.log, name, flags: O_RDONLY | O_NONBLOCK)
        let size = try file.regularFileSize()
        self.file = file
        self.size = size
        self.number = number
        seed = SegmentSeed(store: directory.identity.store, segment: number)
        capacity = LogLimits.readChunk
        buffer = .allocate(byteCount: capacity, alignment: 16)
        clinux_advise_sequential(file.number)
    }

    deinit { buffer.deallocate() }

    /// Forgets what was read before: the file may have changed under a running server.
    mutating func refresh() throws(JournalError) {
        size = try file.regularFileSize()
        start = 0
        filled = 0
    }

    /// What there is at `offset`, a multiple of eight.
    mutating func finding(at offset: Int) throws(JournalError) -> FrameFinding {
        guard let head = try load(at: offset, count: Frame.headerSize) else {
            if try isZero(from: offset) { return .end }
            return .bad(BadPlace(reason: "the file ends inside the header of a frame", isTorn: true))
        }
        let seed = seed.frame(at: offset)
        guard let header = FrameHeader.parse(head, seed: seed) else {
            if try isZero(from: offset) { return .end }
            return .bad(try badHeader(at: offset))
        }
        guard let frame = try load(at: offset, count: header.frameSize) else {
            return .bad(BadPlace(reason: "the file ends inside a frame", isTorn: true))
        }
        let payload = frame + Frame.headerSize
        let padded = header.frameSize - Frame.headerSize - Frame.footerSize
        let isPayloadRight = cmachine_crc32c(payload, padded, seed) == header.payloadCRC
        guard isPayloadRight, payload.littleEndian(UInt64.self, at: padded) == Frame.footer else {
            return .bad(try badFrame(header, at: offset, isPayloadRight: isPayloadRight))
        }
        return .frame(header, payload: payload)
    }

    /// The newest durable mark in headers with a right checksum from `offset` on, whatever lies between them; 0 if none.
    ///
    /// Only the header is checked: its checksum is seeded with a secret of the store and with the place, so nothing
    /// passes by chance, and no client can put such bytes into a payload.
    mutating func newestMark(from offset: Int) throws(JournalError) -> UInt64 {
        var newest: UInt64 = 0
        var place = offset
        while place &+ Frame.headerSize <= size {
            let wanted = min(LogLimits.readChunk, size &- place)
            guard let window = try load(at: place, count: wanted) else { break }
            var inside = 0
            while inside &+ Frame.headerSize <= wanted {
                if window.littleEndian(UInt32.self, at: inside) & 0x00FF_FFFF == Frame.magic,
                    let header = FrameHeader.parse(window + inside, seed: seed.frame(at: place &+ inside))
                {
                    newest = max(newest, header.durableSequence)
                }
                inside &+= Frame.alignment
            }
            place &+= inside
        }
        return newest
    }

    /// Just behind the last byte that is not zero, from `offset` on.
    mutating func endOfData(from offset: Int) throws(JournalError) -> Int {
        var end = offset
        var place = nextWritten(from: offset)
        while place < size {
            let wanted = min(LogLimits.readChunk, size - place)
            guard let window = try load(at: place, count: wanted) else { break }
            var last = wanted
            while last >= 8, window.loadUnaligned(fromByteOffset: last - 8, as: UInt64.self) == 0 { last -= 8 }
            while last > 0, window.load(fromByteOffset: last - 1, as: UInt8.self) == 0 { last -= 1 }
            if last > 0 { end = place + last }
            place = nextWritten(from: place + wanted)
        }
        return end
    }

    // MARK: Telling torn from damaged

    /// A header whose checksum is wrong: torn if its sector was never written, or if nothing follows it.
    private mutating func badHeader(at offset: Int) throws(JournalError) -> BadPlace {
        if try isZero(from: offset + Frame.headerSize) {
            return BadPlace(reason: "a frame breaks off inside its header", isTorn: true)
        }
        if try hasZeroSector(from: offset, to: offset + Frame.headerSize) {
            return BadPlace(reason: "a sector with the header of a frame was never written", isTorn: true)
        }
        return BadPlace(reason: "the header of a frame is wrong", isTorn: false)
    }

    /// A frame whose header is right and something else is not.
    private mutating func badFrame(
        _ header: FrameHeader, at offset: Int, isPayloadRight: Bool
    ) throws(JournalError) -> BadPlace {
        // Its length is known: a frame that was written to its end ends in a byte that is not zero.
        let end = offset + header.frameSize
        if let last = try load(at: end - 1, count: 1), last.load(as: UInt8.self) == 0 {
            return BadPlace(reason: "the end of a frame was never written", isTorn: true)
        }
        if try hasZeroSector(from: offset, to: end) {
            return BadPlace(reason: "a sector of a frame was never written", isTorn: true)
        }
        let part = isPayloadRight ? "footer" : "payload"
        return BadPlace(reason: "the \(part) of a frame is wrong", isTorn: false)
    }

    /// Whether one of the sectors that [from, to) lies in is all zero, as far as it lies behind `from`.
    private mutating func hasZeroSector(from: Int, to: Int) throws(JournalError) -> Bool {
        var place = from
        while place < min(to, size) {
            let end = min((place / LogLimits.sectorBytes + 1) * LogLimits.sectorBytes, size)
            guard let part = try load(at: place, count: end - place) else { return true }
            if UnsafeRawBufferPointer(start: part, count: end - place).allSatisfy({ $0 == 0 }) { return true }
            place = end
        }
        return false
    }

    /// Whether there is nothing but zeros from `offset` to the end of the file.
    mutating func isZero(from offset: Int) throws(JournalError) -> Bool {
        var place = nextWritten(from: offset)
        while place < size {
            let wanted = min(LogLimits.readChunk, size &- place)
            guard let window = try load(at: place, count: wanted) else { return true }
            var inside = 0
            while inside &+ 8 <= wanted {
                if window.loadUnaligned(fromByteOffset: inside, as: UInt64.self) != 0 { return false }
                inside &+= 8
            }
            while inside < wanted {
                if window.load(fromByteOffset: inside, as: UInt8.self) != 0 { return false }
                inside &+= 1
            }
            place = nextWritten(from: place &+ wanted)
        }
        return true
    }

    /// The first place from `offset` on that may hold something else than zeros. Most of a new segment is space that was
    /// reserved and never written, which the file system knows and nobody need read.
    private func nextWritten(from offset: Int) -> Int {
        guard offset >= 0, offset < size else { return offset }
        return Int(clinux_next_data(file.number, Int64(offset), Int64(size)))
    }

    /// About how much of the file was written: it may be less, and is not more, than its size.
    var writtenSize: Int { min(size, Int(clinux_next_hole(file.number, 0, Int64(size)))) }

    // MARK: Bytes

    /// `count` bytes from `offset`, valid until the next call; nil if the file ends before.
    @inline(__always)
    mutating func load(at offset: Int, count: Int) throws(JournalError) -> UnsafeRawPointer? {
        if offset >= start, offset &+ count <= start &+ filled { return UnsafeRawPointer(buffer + (offset &- start)) }
        return try fetch(at: offset, count: count)
    }

    private mutating func fetch(at offset: Int, count: Int) throws(JournalError) -> UnsafeRawPointer? {
        guard offset >= 0, count >= 0, count <= size, offset <= size - count else { return nil }
        // `count` is bounded: the largest frame, or one chunk.
        if count > capacity {
            buffer.deallocate()
            capacity = count + LogLimits.readChunk
            buffer = .allocate(byteCount: capacity, alignment: 16)
            filled = 0
        }
        var kept = 0
        if offset >= start, offset < start + filled {
            kept = start + filled - offset
            (buffer).copyMemory(from: buffer + (offset - start), byteCount: kept)
        }
        start = offset
        filled = kept
        filled += try file.read(into: buffer + kept, count: capacity - kept, at: offset + kept)
        return filled >= count ? UnsafeRawPointer(buffer) : nil
    }
}
