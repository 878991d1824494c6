// Two pictures made of text: how latencies are spread, and how far a rehearsal is.

import StockBench

/// Latencies above the bucket before and up to a bound.
struct LatencyBucket: Equatable {
    /// Nanoseconds.
    let upTo: Int64
    let count: Int

    /// Steps of 1, 2 and 5, from 10 µs to 100 s, without the empty ones at both ends.
    static func buckets(of latencies: Latencies) -> [LatencyBucket] {
        var buckets: [LatencyBucket] = []
        var below: UInt64 = 0
        var decade: UInt64 = 10_000
        while decade <= Latencies.longest {
            for bound in [decade, 2 * decade, 5 * decade] where bound <= Latencies.longest {
                buckets.append(LatencyBucket(upTo: Int64(bound), count: latencies.count(in: below...bound)))
                below = bound + 1
            }
            decade *= 10
        }
        guard let first = buckets.firstIndex(where: { $0.count > 0 }), let last = buckets.lastIndex(where: { $0.count > 0 })
        else { return [] }
        return Array(buckets[first...last])
    }

    private static let width = 40

    /// A bar as long as this bucket's share of all, and the share.
    func bar(of all: Int) -> String {
        let share = Double(count) / Double(max(all, 1))
        let length = count == 0 ? 0 : max(1, Int((share * Double(Self.width)).rounded()))
        return String(repeating: "█", count: length) + (length == 0 ? "" : " ") + fixed(share * 100, 1) + " %"
    }
}

extension RehearsalProgress {
    private static let width = 30

    /// One line, without its end.
    public var text: String {
        switch stage {
        case .opening: "stock comes in"
        case .awaitingExpiry: "waiting for the abandoned holds to run out"
        case .proving: "comparing the counters"
        case .playing: bar
        }
    }

    private var bar: String {
        let share = Double(orders) / Double(max(ordersOfFile, 1))
        let filled = Int((share * Double(Self.width)).rounded(.down))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
        return "\(bar) \(fixed((share * 100).rounded(.down), 0)) %  \(grouped(orders)) of \(grouped(ordersOfFile)) orders, "
            + "\(grouped(sold)) sold, \(grouped(refused)) refused"
    }
}
