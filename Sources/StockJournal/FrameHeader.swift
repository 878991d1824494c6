// A frame's header in bytes and back. All integers are little endian:
//
//      0  u32  "STF" and the kind          28  …    (durable, u64, begins at 24)
//      4  u32  payload bytes               32  u32  number of events
//      8  u64  first sequence              36  u32  chain: the header CRC of the frame before
//     16  i64  ledger time                 40  u32  payload CRC
//     24  u64  newest durable sequence     44  u32  header CRC
//
// Both CRCs (CRC32C) begin with a seed made of store, segment and offset, so that bytes which ended up in another
// place, from this store or another, do not pass. The header has a CRC of its own because a flipped length must never
// look like the end of the file; and because the header CRC covers the chain, it stands for all of the log before it.

import CMachine

struct FrameHeader {
    var kind: FrameKind
    var payloadCount: Int
    var firstSequence: UInt64
    var time: Int64
    var durableSequence: UInt64
    var eventCount: UInt32
    var chain: UInt32
    var payloadCRC: UInt32 = 0
    /// This header's own CRC: the chain of the frame after it.
    var crc: UInt32 = 0

    /// The bytes that the whole frame takes.
    var frameSize: Int { Frame.size(payloadCount: payloadCount) }
    /// The sequence that follows this frame's events.
    var nextSequence: UInt64 { firstSequence &+ UInt64(eventCount) }

    /// Turns `headerSize` free bytes, a payload of `payloadCount` bytes and room for the trailer into a frame.
    /// Returns the header CRC. Cost: two CRCs over what is written, no allocation.
    @inline(__always)
    func seal(in frame: UnsafeMutableRawPointer, seed: UInt32) -> UInt32 {
        let payload = frame + Frame.headerSize
        let padded = (payloadCount &+ 7) & ~7
        for index in payloadCount..<padded { payload.storeBytes(of: 0, toByteOffset: index, as: UInt8.self) }
        payload.storeBytes(of: Frame.footer.littleEndian, toByteOffset: padded, as: UInt64.self)

        let word = Frame.magic | UInt32(kind.rawValue) << 24
        frame.storeBytes(of: word.littleEndian, as: UInt32.self)
        frame.storeBytes(of: UInt32(truncatingIfNeeded: payloadCount).littleEndian, toByteOffset: 4, as: UInt32.self)
        frame.storeBytes(of: firstSequence.littleEndian, toByteOffset: 8, as: UInt64.self)
        frame.storeBytes(of: time.littleEndian, toByteOffset: 16, as: Int64.self)
        frame.storeBytes(of: durableSequence.littleEndian, toByteOffset: 24, as: UInt64.self)
        frame.storeBytes(of: eventCount.littleEndian, toByteOffset: 32, as: UInt32.self)
        frame.storeBytes(of: chain.littleEndian, toByteOffset: 36, as: UInt32.self)
        let payloadCRC = cmachine_crc32c(payload, padded, seed)
        frame.storeBytes(of: payloadCRC.littleEndian, toByteOffset: 40, as: UInt32.self)
        let crc = cmachine_crc32c(frame, 44, seed)
        frame.storeBytes(of: crc.littleEndian, toByteOffset: 44, as: UInt32.self)
        return crc
    }

    /// Reads a header from `headerSize` bytes. Nil: the magic, the kind, the length or the header CRC is wrong.
    @inline(__always)
    static func parse(_ bytes: UnsafeRawPointer, seed: UInt32) -> FrameHeader? {
        let word = bytes.littleEndian(UInt32.self, at: 0)
        guard word & 0x00FF_FFFF == Frame.magic, let kind = FrameKind(rawValue: UInt8(truncatingIfNeeded: word >> 24))
        else { return nil }
        let crc = bytes.littleEndian(UInt32.self, at: 44)
        guard cmachine_crc32c(bytes, 44, seed) == crc else { return nil }
        let payloadCount = Int(bytes.littleEndian(UInt32.self, at: 4))
        guard payloadCount <= LogLimits.maximumPayload else { return nil }
        return FrameHeader(
            kind: kind,
            payloadCount: payloadCount,
            firstSequence: bytes.littleEndian(UInt64.self, at: 8),
            time: bytes.littleEndian(Int64.self, at: 16),
            durableSequence: bytes.littleEndian(UInt64.self, at: 24),
            eventCount: bytes.littleEndian(UInt32.self, at: 32),
            chain: bytes.littleEndian(UInt32.self, at: 36),
            payloadCRC: bytes.littleEndian(UInt32.self, at: 40),
            crc: crc)
    }
}

/// What the checksums of a place in the log begin with.
struct SegmentSeed {
    /// Made of the store's id and the segment's number.
    let value: UInt32

    init(store: UInt128, segment: UInt64) {
        let crc = withUnsafeBytes(of: store.littleEndian) { cmachine_crc32c($0.baseAddress, 16, 0) }
        value = withUnsafeBytes(of: segment.littleEndian) { cmachine_crc32c($0.baseAddress, 8, crc) }
    }

    /// The seed of the frame that begins at `offset` in the segment.
    @inline(__always)
    func frame(at offset: Int) -> UInt32 {
        var word = UInt64(truncatingIfNeeded: offset).littleEndian
        return cmachine_crc32c(&word, 8, value)
    }
}

extension UnsafeRawPointer {
    /// A little-endian integer at any alignment.
    @inline(__always)
    func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}
