// The first two days of a real web shop, sold over TCP: with all its lines, its doubled SKUs, its returns.

import Foundation
import StockConnection
import StockRehearsal
import Testing

extension EndToEnd {
    @Suite("Real orders")
    struct RealOrdersTests {
        static let file = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/orders.csv")

        static func orders() throws -> OrderFile { try OrderFile(Array(Data(contentsOf: file))) }

        @Test("The file is the one that its README describes")
        func file() throws {
            let orders = try Self.orders()
            let plan = RealOrdersPlan(orders, opening: orders.unitsSold)
            #expect(orders.badLines.isEmpty)
            #expect(orders.rows.count == 5_109)
            #expect(Set(orders.rows.map(\.order)).count == 307)
            #expect(orders.unitsSold.count == 1_602)
            #expect(orders.unitsSold["BANK_CHARGES"] == 1)
            #expect(plan.matchedReturns == 5)
            #expect(plan.unmatchedReturns == 67)
        }

        @Test("With all the stock that they need, all are sold; sold again, every reply is a replay and no counter moves")
        func sellAll() throws {
            let orders = try Self.orders()
            let plan = RealOrdersPlan(orders, opening: orders.unitsSold)
            let directory = try TestDirectory()
            try withServer(directory: directory.appending("data")) { server in
                let connection = try server.connect()
                try Self.create(orders.unitsSold, on: connection)
                #expect(!plan.steps.contains { $0.reply.hasPrefix("-") })
                try Self.expectReplies(plan, on: connection, again: false)
                let after = try Self.counters(plan, on: connection)

                // The same sums in another way: whatever was given back is on hand, however it came in.
                for (sku, line) in after { #expect(line.number("onhand") == orders.unitsGivenBack[sku], "\(line)") }

                try Self.expectReplies(plan, on: connection, again: true)
                #expect(try Self.counters(plan, on: connection) == after)
            }
        }

        @Test("With half of that, what is sold, refused and left agrees with an independent sum, also after a restart")
        func sellHalf() throws {
            let orders = try Self.orders()
            let opening = orders.unitsSold.mapValues { $0 / 2 }
            let plan = RealOrdersPlan(orders, opening: opening)
            let directory = try TestDirectory()
            let data = directory.appending("data")
            let before = try withServer(directory: data) { server in
                let connection = try server.connect()
                try Self.create(opening, on: connection)
                try Self.expectReplies(plan, on: connection, again: false)
                let counters = try Self.counters(plan, on: connection)
                try server.kill()
                return counters
            }
            try withServer(directory: data) { server in
                let after = try Self.counters(plan, on: server.connect())
                #expect(after == before)
            }
        }

        private static func create(_ opening: [String: Int64], on connection: Connection) throws {
            let requests = opening.sorted { $0.key < $1.key }.map { "CREATE \($0.key) \($0.value)" }
            for reply in try connection.pipeline(requests) where reply.head.word != "CREATED" {
                throw Failure("CREATE was answered: \(reply)")
            }
        }

        /// Sends all requests without waiting in between and compares each reply with the plan's. `again`: they
        /// have been sent before, and each must be answered as a replay.
        private static func expectReplies(_ plan: RealOrdersPlan, on connection: Connection, again: Bool) throws {
            let replies = try connection.pipeline(plan.steps.map(\.request))
            for (step, reply) in zip(plan.steps, replies) {
                let text = reply.head.text
                let id = step.request.split(separator: " ")[1]
                let isRight =
                    if !again {
                        text.hasPrefix(step.reply) && !reply.head.isReplay
                    } else if plan.isGivenBack(id) {
                        text == "-RETURNED \(id)"
                    } else {
                        text.hasPrefix(step.reply.prefix { $0 != " " }) && reply.head.isReplay
                    }
                guard isRight else { throw Failure("'\(step.request)'\n  expected: \(step.reply)…\(again ? " replay=1" : "")\n  got:      \(reply)") }
            }
        }

        /// The counters of every SKU, compared with the plan's.
        private static func counters(_ plan: RealOrdersPlan, on connection: Connection) throws -> [String: ReplyLine] {
            let skus = plan.counters.keys.sorted()
            var lines: [String: ReplyLine] = [:]
            for start in stride(from: 0, to: skus.count, by: 500) {
                let page = skus[start..<min(start + 500, skus.count)]
                let reply = try connection.request("MGET " + page.joined(separator: " "))
                for (sku, line) in zip(page, reply.items) { lines[sku] = line }
            }
            for (sku, expected) in plan.counters {
                guard let line = lines[sku], line.positional == [sku[...]], line.number("onhand") == expected.onhand,
                    line.number("sold") == expected.sold, line.number("held") == 0, line.number("available") == expected.onhand
                else { throw Failure("\(sku) must have \(expected), but: \(lines[sku]?.text ?? "no line")") }
            }
            return lines
        }
    }
}
