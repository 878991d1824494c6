// All templates of a run in one piece of memory, ready to be copied. Making a request is the innermost work of
// the load generator: no allocation, no reference counting, a copy of some forty bytes and two or three stores.

import StockModel

/// The templates of a run and its choice of SKUs.
struct RequestBook: ~Copyable {
    /// One template; ranges are of `text`, `orderPlaces` and `skuPlaces`.
    private struct Entry {
        let start: Int
        let length: Int
        let orders: Range<Int>
        let skus: Range<Int>
        let expectation: ExpectedReply
    }

    private let text: UnsafeMutableBufferPointer<UInt8>
    private let orderPlaces: UnsafeMutableBufferPointer<Int>
    private let skuPlaces: UnsafeMutableBufferPointer<SKUPlace>
    private let entries: UnsafeMutableBufferPointer<Entry>
    private let choice: SKUChoice

    /// Bytes of the longest request.
    let longest: Int

    init(_ templates: [RequestTemplate], choice: consuming SKUChoice) {
        self.choice = choice
        longest = templates.map(\.bytes.count).max() ?? 0
        var allText: [UInt8] = []
        var allOrders: [Int] = []
        var allSKUs: [SKUPlace] = []
        var allEntries: [Entry] = []
        for template in templates {
            allEntries.append(
                Entry(
                    start: allText.count, length: template.bytes.count,
                    orders: allOrders.count..<allOrders.count + template.orderPlaces.count,
                    skus: allSKUs.count..<allSKUs.count + template.skuPlaces.count,
                    expectation: template.expectation))
            allText += template.bytes
            allOrders += template.orderPlaces
            allSKUs += template.skuPlaces
        }
        text = .allocate(copying: allText)
        orderPlaces = .allocate(copying: allOrders)
        skuPlaces = .allocate(copying: allSKUs)
        entries = .allocate(copying: allEntries)
    }

    deinit {
        text.deallocate()
        orderPlaces.deallocate()
        skuPlaces.deallocate()
        entries.deallocate()
    }

    /// The reply that requests of `template` should get.
    @inline(__always)
    func expectation(of template: Int) -> ExpectedReply { entries[template].expectation }

    /// Writes one request to `target`, which has room for `longest` bytes.
    ///
    /// - Returns: the bytes written.
    @inline(__always)
    func write(_ step: Step, to target: UnsafeMutableRawPointer) -> Int {
        let entry = entries[step.template]
        invariant(entry.length <= longest, "a request is no longer than the longest")
        guard let base = text.baseAddress else { return 0 }
        target.copyMemory(from: UnsafeRawPointer(base + entry.start), byteCount: entry.length)
        for place in entry.orders {
            let offset = orderPlaces[place]
            write(UInt32(truncatingIfNeeded: step.order >> 32), to: target + offset)
            write(UInt32(truncatingIfNeeded: step.order), to: target + offset + 8)
        }
        if !entry.skus.isEmpty {
            var sku = step.names ?? choice.sku(of: step.order)
            for place in entry.skus {
                let place = skuPlaces[place]
                if place.isNext { sku = sku &+ 1 < choice.count ? sku &+ 1 : 0 }
                write(sku, to: target + place.offset)
            }
        }
        return entry.length
    }

    @inline(__always)
    private func write(_ number: UInt32, to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: hexadecimal(number).littleEndian, as: UInt64.self)
    }
}

/// The eight hexadecimal digits of `number`, the first one in the lowest byte. All digits at once, by the usual
/// spreading of nibbles over bytes; ten and more need 39 on top to become letters.
@inline(__always)
func hexadecimal(_ number: UInt32) -> UInt64 {
    var digits = UInt64(number)
    digits = (digits & 0xFFFF) << 32 | digits >> 16
    digits = (digits & 0x0000_FF00_0000_FF00) >> 8 | (digits & 0x0000_00FF_0000_00FF) << 16
    digits = (digits & 0x00F0_00F0_00F0_00F0) >> 4 | (digits & 0x000F_000F_000F_000F) << 8
    let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return digits &+ 0x3030_3030_3030_3030 &+ letters &* 39
}

extension UnsafeMutableBufferPointer {
    /// Memory with the elements of `array`, for the caller to deallocate. The elements are plain values.
    static func allocate(copying array: [Element]) -> UnsafeMutableBufferPointer {
        let buffer = UnsafeMutableBufferPointer.allocate(capacity: Swift.max(array.count, 1))
        _ = buffer.initialize(from: array)
        return buffer
    }
}
