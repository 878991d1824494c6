// Requests are what they should be to the byte, and plans name the right orders.

import StockConnection
import Testing

@testable import StockBench

@Suite("Requests")
struct RequestTests {
    static let run = RunID("abc123")

    static func book(_ shapes: [RequestShape], _ framing: RequestFraming = .line, skus: Int = 1) -> RequestBook {
        RequestBook(
            shapes.map { RequestTemplate($0, framing: framing, run: run) },
            choice: SKUChoice(count: skus, zipf: nil, seed: 1))
    }

    static func text(_ step: Step, _ book: borrowing RequestBook) -> String {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: book.longest, alignment: 8)
        defer { buffer.deallocate() }
        guard let start = buffer.baseAddress else { return "" }
        return String(decoding: buffer[..<book.write(step, to: start)], as: UTF8.self)
    }

    @Test("Digits are written all at once", arguments: [0, 1, 9, 10, 0x1234_ABCD, 0x0F0F_A0A9, UInt32.max])
    func digits(number: UInt32) {
        let word = hexadecimal(number)
        let text = String(decoding: (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }, as: UTF8.self)
        let plain = String(number, radix: 16)
        #expect(text == String(repeating: "0", count: 8 - plain.count) + plain)
    }

    @Test("A DEDUCT is one line with the order's and the SKU's number")
    func deduct() {
        let text = Self.text(Step(template: 0, order: 0x0300_0000_002A), Self.book([StockadeRequests.deduct]))
        #expect(text == "DEDUCT abc123-000003000000002a abc123-s00000000 1\n")
    }

    @Test("An array has the words of the line, with their lengths")
    func arrays() {
        for shape in [StockadeRequests.deduct, StockadeRequests.order(lines: 3), StockadeRequests.ping] {
            let step = Step(template: 0, order: 77)
            let line = Self.text(step, Self.book([shape], skus: 10))
            let array = Self.text(step, Self.book([shape], .array, skus: 10))
            #expect(Array(array.utf8) == RequestFraming.array.bytes(of: [String(line.dropLast())]))
        }
    }

    @Test("An order of eight lines names eight different SKUs, also around the end of the list")
    func orderLines() {
        let book = Self.book([StockadeRequests.order(lines: 8)], skus: 9)
        for order in 0..<200 {
            let words = Self.text(Step(template: 0, order: UInt64(order)), book).split(separator: " ")
            #expect(Set(words.filter { $0.hasPrefix("abc123-s") }).count == 8)
        }
    }

    @Test("On Redis a confirmation names the key of its hold")
    func holdKeys() {
        let requests = RedisRequests(digests: [.hold: "h", .confirm: "c"])
        let book = Self.book(requests.shapes(of: .reserveConfirm, lines: 1), .array, skus: 1_000)
        let keys = (0..<2).map { template in
            Self.text(Step(template: template, order: 4_711), book).split(separator: "\r\n")
                .first { $0.hasPrefix("hold:") }
        }
        #expect(keys[0] != nil)
        #expect(keys[0] == keys[1])
    }

    @Test("Every workload has a template for every step of its plan")
    func templates() throws {
        for workload in Workload.allCases {
            var options = LoadOptions(address: .unix(path: "x"))
            options.workload = workload
            options.pipeline = 4
            for shapes in [
                StockadeRequests.shapes(of: workload, lines: 8),
                RedisRequests(digests: [:]).shapes(of: workload, lines: 8),
            ] {
                let used = Set((0..<100).map { options.plan.step($0, of: 0).template })
                #expect(used == Set(shapes.indices), "\(workload)")
            }
        }
    }

    @Test("Each pipeline of reservations is followed by the confirmations of the same orders")
    func twoSteps() {
        let plan = Plan.twoSteps(block: 3)
        let steps = (0..<12).map { plan.step($0, of: 0) }
        #expect(steps.map(\.template) == [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1])
        #expect(steps.map(\.order) == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
    }

    @Test("No two connections use the same id")
    func distinctOrders() {
        let orders = (0..<50).flatMap { connection in
            (0..<100).map { Plan.fresh.step($0, of: connection).order }
        }
        #expect(Set(orders).count == orders.count)
    }

    @Test("In the mixed workload only held orders are confirmed or cancelled, each once, and only sold ones retried")
    func mixed() {
        var held: Set<UInt64> = []
        var sold: Set<UInt64> = []
        for n in 0..<100 {
            let step = Plan.mixed.step(UInt64(n), of: 7)
            switch MixedTemplate(rawValue: step.template) {
            case .deduct: #expect(sold.insert(step.order).inserted)
            case .hold: #expect(held.insert(step.order).inserted)
            case .confirm, .cancel: #expect(held.remove(step.order) != nil)
            case .retry: #expect(sold.contains(step.order))
            case .read: break
            case nil: Issue.record("no such template")
            }
        }
    }

    @Test("Retries keep to the orders that were made")
    func known() {
        let orders = Set((0..<500).map { Plan.known(100).step($0, of: 3).order })
        #expect(orders == Set(0..<100))
    }

    @Test("Zipf's law: the first of three SKUs with exponent 1 gets six elevenths")
    func zipf() {
        let law = Zipf(count: 3, exponent: 1)
        #expect([0, 0.545, 0.546, 0.818, 0.819, 0.999].map { law.rank(at: $0) } == [0, 0, 1, 1, 2, 2])
    }

    @Test("SKUs are chosen alike for the same seed, and all of them by some order")
    func choice() {
        let one = SKUChoice(count: 10, zipf: nil, seed: 5)
        let same = SKUChoice(count: 10, zipf: nil, seed: 5)
        let skewed = SKUChoice(count: 10, zipf: 2, seed: 5)
        var counts = [Int](repeating: 0, count: 10)
        var skewedCounts = counts
        for order in 0..<UInt64(1_000) {
            #expect(one.sku(of: order) == same.sku(of: order))
            counts[Int(one.sku(of: order))] += 1
            skewedCounts[Int(skewed.sku(of: order))] += 1
        }
        #expect(counts.allSatisfy { $0 > 50 })
        #expect(skewedCounts[0] > 500)
    }
}
