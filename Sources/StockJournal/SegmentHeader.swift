// The first page of a segment, written and synced before the file gets its name. Little endian:
//
//      0  u64  "STOCKLOG"              32  u128 key of the hash tables (k0 first)
//      8  u32  version, 1              48  u64  number of the segment
//     12  u32  size of this header     56  …    zeros
//     16  u128 id of the store       4092  u32  CRC32C of the 4092 bytes before, seed 0
//
// It is not seeded: it is what the seeds are read from.

import CMachine
import StockModel

struct SegmentHeader: Equatable {
    var identity: StoreIdentity
    var number: UInt64

    private static let crcOffset = SegmentLayout.headerSize - 4

    /// The page as bytes.
    func encoded() -> [UInt8] {
        var page = [UInt8](repeating: 0, count: SegmentLayout.headerSize)
        page.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: SegmentLayout.magic.littleEndian, as: UInt64.self)
            bytes.storeBytes(of: SegmentLayout.version.littleEndian, toByteOffset: 8, as: UInt32.self)
            bytes.storeBytes(of: UInt32(SegmentLayout.headerSize).littleEndian, toByteOffset: 12, as: UInt32.self)
            bytes.storeBytes(of: identity.store.littleEndian, toByteOffset: 16, as: UInt128.self)
            bytes.storeBytes(of: identity.hashKey.k0.littleEndian, toByteOffset: 32, as: UInt64.self)
            bytes.storeBytes(of: identity.hashKey.k1.littleEndian, toByteOffset: 40, as: UInt64.self)
            bytes.storeBytes(of: number.littleEndian, toByteOffset: 48, as: UInt64.self)
            let crc = cmachine_crc32c(bytes.baseAddress, Self.crcOffset, 0)
            bytes.storeBytes(of: crc.littleEndian, toByteOffset: Self.crcOffset, as: UInt32.self)
        }
        return page
    }

    /// What a page says, or in words what is wrong with it.
    static func parse(_ page: UnsafeRawPointer) -> Result<SegmentHeader, SegmentHeaderFault> {
        guard page.littleEndian(UInt64.self, at: 0) == SegmentLayout.magic else {
            return .failure("it does not begin like a segment of a Stockade log")
        }
        guard cmachine_crc32c(page, crcOffset, 0) == page.littleEndian(UInt32.self, at: crcOffset) else {
            return .failure("the checksum of the segment's header is wrong")
        }
        let version = page.littleEndian(UInt32.self, at: 8)
        guard version == SegmentLayout.version,
            page.littleEndian(UInt32.self, at: 12) == UInt32(SegmentLayout.headerSize)
        else {
            return .failure("it has format version \(version), this program reads version \(SegmentLayout.version)")
        }
        let key = HashKey(k0: page.littleEndian(UInt64.self, at: 32), k1: page.littleEndian(UInt64.self, at: 40))
        let identity = StoreIdentity(store: page.littleEndian(UInt128.self, at: 16), hashKey: key)
        return .success(SegmentHeader(identity: identity, number: page.littleEndian(UInt64.self, at: 48)))
    }
}

/// Why a segment's header is refused, in words.
struct SegmentHeaderFault: Error, ExpressibleByStringInterpolation {
    let reason: String
    init(stringLiteral reason: String) { self.reason = reason }
}
