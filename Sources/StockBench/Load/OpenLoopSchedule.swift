// When requests are due in an open loop: at even distances from the start, whatever the server does meanwhile.
// Latency counts from the moment a request was due, so that a server that stands still for a second is charged
// for all the requests of that second, and not for the one that happened to be in flight (coordinated omission).

/// The moments at which requests are due, in nanoseconds of the monotonic clock.
struct OpenLoopSchedule {
    let start: Int64
    /// Requests a second.
    let rate: Double
    /// Requests taken off the schedule so far.
    private(set) var taken = 0

    init(start: Int64, rate: Double) {
        self.start = start
        self.rate = rate
    }

    /// When the next request is due. Computed from the start, not from the one before: no error adds up.
    var next: Int64 { moment(of: taken) }

    /// Takes the next request off the schedule.
    mutating func take() { taken += 1 }

    /// Requests that were due before `moment` and have not been taken.
    func overdue(before moment: Int64) -> Int { max(0, count(before: moment) - taken) }

    /// Requests that are due before `moment`.
    func count(before moment: Int64) -> Int {
        guard moment > start else { return 0 }
        var count = Int(Double(moment - start) * rate / 1e9)
        while self.moment(of: count) < moment { count += 1 }
        while count > 0, self.moment(of: count - 1) >= moment { count -= 1 }
        return count
    }

    private func moment(of index: Int) -> Int64 { start + Int64(Double(index) * 1e9 / rate) }
}
