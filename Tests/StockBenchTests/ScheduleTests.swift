// When requests of an open loop are due, and what a pause of the server costs.

import Testing

@testable import StockBench

@Suite("The open loop")
struct ScheduleTests {
    @Test("Requests are due at even distances from the start")
    func even() {
        var schedule = OpenLoopSchedule(start: 1_000, rate: 1e6)
        var moments: [Int64] = []
        for _ in 0..<4 {
            moments.append(schedule.next)
            schedule.take()
        }
        #expect(moments == [1_000, 2_000, 3_000, 4_000])
    }

    @Test("A rate that does not divide a second does not drift")
    func drift() {
        var schedule = OpenLoopSchedule(start: 0, rate: 7)
        for _ in 0..<7_000 { schedule.take() }
        #expect(schedule.next == 1_000_000_000_000)
    }

    @Test("What is due before a moment is counted, and what was taken is not overdue", arguments: [3.0, 7, 1e6, 123_456.7])
    func overdue(rate: Double) {
        var schedule = OpenLoopSchedule(start: 5, rate: rate)
        let moment: Int64 = 1_000_000_005
        var due = 0
        while schedule.next < moment {
            due += 1
            schedule.take()
        }
        #expect(schedule.count(before: moment) == due)
        #expect(schedule.overdue(before: moment) == 0)
        #expect(OpenLoopSchedule(start: 5, rate: rate).overdue(before: moment) == due)
        #expect(schedule.count(before: 5) == 0)
    }
}
