// The table of deadlines: the nearest one is known, a due one fires once.

import Testing

@testable import StockServer

@Suite("Timers")
struct TimersTests {
    @Test("without deadlines there is no limit to the wait")
    func none() {
        #expect(Timers().wait(from: 100) == -1)
    }

    @Test("the wait goes to the nearest deadline, whatever the order in which they were set")
    func nearest() {
        var timers = Timers()
        timers.set(.expiry, at: 500)
        timers.set(.journal, at: 300)
        timers.set(.patience, at: 400)
        #expect(timers.wait(from: 100) == 200)
        #expect(timers.wait(from: 301) == 0)
        timers.set(.journal, at: nil)
        #expect(timers.wait(from: 100) == 300)
        timers.set(.patience, at: 900)
        #expect(timers.wait(from: 100) == 400)
        #expect(timers.deadline(.patience) == 900)
    }

    @Test("a timer fires when it is due, and once")
    func fires() {
        var timers = Timers()
        timers.set(.writing, at: 10)
        timers.set(.journal, at: 20)
        let fired = [9, 10, 11].map { timers.take(.writing, at: $0) }
        #expect(fired == [false, true, false])
        #expect(!timers.isSet(.writing))
        #expect(timers.next == 20)
    }

    @Test("a turn ends after its number of requests, and earlier when its time is over")
    func budget() {
        var budget = TurnBudget(start: .max - TurnLimits.duration)
        for _ in 1..<TurnLimits.requests { budget.spend(bytes: 0) }
        #expect(!budget.isOver)
        budget.spend(bytes: 0)
        #expect(budget.isOver)

        var late = TurnBudget(start: 0)
        late.spend(bytes: 10)
        #expect(!late.isOver)
        late.spend(bytes: TurnLimits.bytesOfUnit * TurnLimits.unitsBetweenLooks)
        #expect(late.isOver)
    }
}
