// What the steps work on: requests as bytes, ids, and a shop of 1,000 SKUs. The same in each run.

import StockLedger
import StockModel

/// Bytes that stay where they are: tokens and requests point into them.
final class Bytes {
    let base: UnsafeMutableRawPointer
    let count: Int

    init(_ content: [UInt8]) {
        count = content.count
        base = .allocate(byteCount: max(1, content.count), alignment: 16)
        for (offset, byte) in content.enumerated() { base.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self) }
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}

/// Words of one length that differ in their numbers.
final class Names {
    private let text: Bytes
    private let length: Int

    init(_ prefix: String, _ count: Int) {
        text = Bytes((0..<count).flatMap { Array((prefix + Material.padded($0)).utf8) })
        length = prefix.utf8.count + Material.digits
    }

    /// The word of a number below the count.
    subscript(index: Int) -> Token { Token(base: text.base + index * length, count: length) }
}

enum Material {
    static let key = HashKey(k0: 0x0706_0504_0302_0100, k1: 0x0F0E_0D0C_0B0A_0908)
    static let skus = 1_000
    static let digits = 16
    static let start = Timestamp(milliseconds: 1_763_690_400_000)
    /// Far more than any run sells.
    static let stock: Int64 = 1_000_000_000_000
    /// Events between two frames: a turn of a busy loop.
    static let turn = 256

    static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, self.digits - digits.count)) + digits
    }

    /// A SKU for an order, spread without a pattern.
    static func sku(of order: Int) -> Int { (order &* 7_919) % skus }

    /// A ledger with the SKUs, and the events that made it, when they are wanted.
    static func shop(_ names: Names, events: inout EventBuffer) -> Ledger {
        var ledger = Ledger(hashKey: key)
        for index in 0..<skus {
            _ = ledger.execute(
                .create(sku: names[index], onhand: stock, settings: StockSettings()), at: start, admission: .open,
                events: &events)
        }
        return ledger
    }
}

/// A frame's worth of events.
struct Payload {
    let first: UInt64
    let count: UInt32
    let bytes: [UInt8]
}
