// The real orders, sold, and the shop's record of them with errors planted in it.

import Foundation
import StockConnection
import StockRehearsal
import Testing

extension EndToEnd {
    @Suite("Reconciling real orders")
    struct ReconcileTests {
        private static let file = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/orders.csv")

        /// A SKU with a good number of sales whose units are all different, and the second of them.
        private static func missedSale(_ plan: RealOrdersPlan) -> (sku: String, order: String, units: Int64)? {
            var sales: [String: [(order: String, units: Int64)]] = [:]
            for step in plan.steps where step.request.hasPrefix("DEDUCT ") && step.reply.hasPrefix("+") {
                let words = step.request.split(separator: " ").map(String.init).filter { !$0.hasPrefix("buyer=") }
                var units: [String: Int64] = [:]
                for index in stride(from: 2, to: words.count - 1, by: 2) { units[words[index], default: 0] += Int64(words[index + 1]) ?? 0 }
                for (sku, count) in units { sales[sku, default: []].append((words[1], count)) }
            }
            let known = sales.filter { $0.value.count == 4 && Set($0.value.map(\.units)).count == 4 }
            for (sku, sold) in known.sorted(by: { $0.key < $1.key }) {
                // Neither the newest few nor any pair must give that number by chance.
                let units = sold.map(\.units)
                let sums = [units[3], units[3] + units[2], units[0] + units[2], units[0] + units[3]]
                if !sums.contains(units[1]) { return (sku, sold[1].order, sold[1].units) }
            }
            return nil
        }

        private static func write(_ counters: [String: Int64], to name: String, in directory: TestDirectory) throws -> String {
            let rows = counters.sorted { $0.key < $1.key }.map { "\"\($0.key)\",\($0.value)\r\n" }
            return try directory.write("sku,stock\r\n" + rows.joined(), to: name)
        }

        @Test("Three planted errors are found and explained; repaired, two are gone and the third is reported; again, nothing is left to do")
        func planted() throws {
            let orders = try OrderFile(Array(Data(contentsOf: Self.file)))
            let opening = orders.unitsSold.mapValues { $0 + 10 }
            let plan = RealOrdersPlan(orders, opening: opening)
            let directory = try TestDirectory()
            let data = directory.appending("data")

            var server = try ServerProcess(directory: data, flags: smallSegments)
            let stock = try Self.write(opening, to: "stock.csv", in: directory)
            try ToolRun("load", try directory.write(opening.map { "\"\($0.key)\",\($0.value)\n" }.joined(), to: "load.csv"),
                "--server", server.address.description)
            server = try server.restartedWithDatabase(data)
            @discardableResult
            func reconcile(_ record: String, _ more: [String] = [], expecting status: Int32) throws -> ToolRun {
                try ToolRun(
                    arguments: ["reconcile", "--against", record, "--dir", data, "--server", server.address.description] + more,
                    expecting: status)
            }
            // Before the sale both agree.
            #expect(try reconcile(stock, expecting: 0).output.contains("1,602 equal, 0 drifting"))

            let replies = try server.connect().pipeline(plan.steps.map(\.request))
            #expect(!replies.contains { $0.isRefusal })
            server = try server.restartedWithDatabase(data)

            let missed = try #require(Self.missedSale(plan))
            var record = plan.counters.mapValues(\.onhand)
            let skus = record.keys.sorted().filter { $0 != missed.sku }
            let (tooLow, absent) = (skus[700], skus[1_000])
            record[missed.sku, default: 0] += missed.units
            record[tooLow, default: 0] -= 1
            record[absent] = nil
            let planted = try Self.write(record, to: "planted.csv", in: directory)

            let found = try reconcile(planted, ["--json"], expecting: 1).objects()
            #expect(found.count == 4)
            let bySKU = Dictionary(uniqueKeysWithValues: found.dropLast().map { ($0["sku"] as? String ?? "", $0) })
            #expect(Set(bySKU.keys) == [missed.sku, tooLow, absent])
            #expect(bySKU[missed.sku]?["finding"] as? String == "missed")
            let entries = bySKU[missed.sku]?["entries"] as? [[String: Any]]
            #expect(entries?.map { $0["id"] as? String } == [missed.order])
            #expect(bySKU[missed.sku]?["agreed_at"] as? Int == 1_602)
            #expect(bySKU[tooLow]?["finding"] as? String == "elsewhere")
            #expect(bySKU[absent]?["kind"] as? String == "only-here")

            try reconcile(planted, ["--threshold", "3"], expecting: 0)
            try reconcile(planted, ["--repair", "--yes", "--max-differences", "1"], expecting: 2)
            // Nobody is there to say yes.
            try reconcile(planted, ["--repair"], expecting: 2)
            let before = try server.connect().request("GET \(missed.sku)").head
            let repaired = try reconcile(planted, ["--repair", "--yes"], expecting: 1)
            #expect(repaired.output.contains("repaired: 2 steps"))
            let after = try server.connect().request("GET \(missed.sku)").head
            #expect(after.number("onhand") == (before.number("onhand") ?? 0) + missed.units)

            // The saved plan again, as after a crash in the middle: nothing is done twice.
            let plans = try FileManager.default.contentsOfDirectory(atPath: data).filter { $0.hasSuffix(".plan") }
            let path = try data + "/" + #require(plans.first)
            let again = try ToolRun(
                "reconcile", "--apply", path, "--yes", "--dir", data, "--server", server.address.description)
            #expect(again.output.contains("repaired: 0 steps, 2 done before"))
            #expect(try server.connect().request("GET \(missed.sku)").head.number("onhand") == after.number("onhand"))

            server = try server.restartedWithDatabase(data)
            let last = try reconcile(planted, ["--repair", "--yes"], expecting: 1)
            #expect(last.output.contains("1,601 equal, 0 drifting, 1 only here, 0 only there"))
            #expect(last.output.contains("nothing to repair"))
            let history = try ToolRun("history", "sku", tooLow, "--last", "1", "--dir", data)
            #expect(history.output.contains("(reconcile)"))
            #expect(try server.terminate() == .exited(0))
            try ToolRun("verify", data)
        }

        @Test("While the shop sells and the database is being written, planted drifts are found and repaired, and nothing else is")
        func underLoad() throws {
            let directory = try TestDirectory()
            let data = directory.appending("data")
            let flags = smallSegments + ["--snapshot-every", "20ms", "--backup-every", "200ms", "--keep-log", "0"]
            try withServer(directory: data, flags: flags) { server in
                let connection = try server.connect()
                let names = (0..<200).map { "sku-\($0)" }
                for reply in try connection.pipeline(names.map { "CREATE \($0) 1000" }) where reply.isRefusal {
                    throw Failure("\(reply)")
                }
                _ = try connection.pipeline(names.indices.map { "DEDUCT o-\($0) \(names[$0]) \($0 % 7 + 1)" })
                // Others buy other things all the time.
                let load = try ChildProcess(
                    ServerProcess.executable,
                    ["bench", "run", "deduct", "--port", "\(server.port)", "--clients", "10", "--rate", "1000", "--duration", "10m"])
                defer { load.signal(SIGKILL) }
                let before = try #require(try connection.request("CLOCK").head.number("seq"))

                var record = Dictionary(uniqueKeysWithValues: names.indices.map { (names[$0], Int64(999 - $0 % 7)) })
                record["sku-20"] = 1_000
                record["sku-31"] = 990
                record["sku-60"] = nil
                let planted = try Self.write(record, to: "planted.csv", in: directory)
                func reconcile(_ more: String..., expecting status: Int32) throws -> [[String: Any]] {
                    try ToolRun(
                        arguments: [
                            "reconcile", "--against", planted, "--dir", data, "--server", server.address.description, "--json",
                        ] + more, expecting: status
                    ).objects()
                }
                func drifts(_ found: [[String: Any]]) -> [String?] {
                    found.filter { $0["kind"] as? String == "drift" }.map { $0["sku"] as? String }
                }
                for _ in 0..<3 {
                    let found = try reconcile(expecting: 1)
                    #expect(drifts(found) == ["sku-20", "sku-31"])
                    #expect(found.contains { $0["sku"] as? String == "sku-60" && $0["kind"] as? String == "only-here" })
                    let missed = found.first { $0["sku"] as? String == "sku-20" }
                    #expect((missed?["entries"] as? [[String: Any]])?.map { $0["id"] as? String } == ["o-20"])
                }
                #expect(drifts(try reconcile("--repair", "--yes", expecting: 1)) == ["sku-20", "sku-31"])
                #expect(drifts(try reconcile(expecting: 1)) == [])
                #expect(try connection.request("GET sku-20").head.number("onhand") == 1_000)
                #expect(try connection.request("GET sku-31").head.number("onhand") == 990)
                let after = try #require(try connection.request("CLOCK").head.number("seq"))
                #expect(after > before + 100, "nothing was sold meanwhile")
                let proof = try connection.request("VERIFY", by: .after(EndToEnd.patience)).head
                #expect(proof.word == "VERIFIED", "\(proof)")
            }
        }

        @Test("A repair needs the right server and the right store")
        func wrongServer() throws {
            let directory = try TestDirectory()
            let (one, two) = (directory.appending("one"), directory.appending("two"))
            let record = try directory.write("phone,3\n", to: "record.csv")
            let first = try ServerProcess(directory: one, flags: smallSegments)
            #expect(try first.connect().request("CREATE phone 10").head.word == "CREATED")
            let server = try first.restartedWithDatabase(one)
            try withServer(directory: two, flags: smallSegments) { other in
                let run = try ToolRun(
                    "reconcile", "--against", record, "--repair", "--yes", "--dir", one, "--server",
                    other.address.description, expecting: 69)
                #expect(run.error.contains("is not the server of"))
                #expect(try other.connect().request("CLOCK").head.number("seq") == 0)
            }
            #expect(try server.connect().request("GET phone").head.number("onhand") == 10)
        }
    }
}
