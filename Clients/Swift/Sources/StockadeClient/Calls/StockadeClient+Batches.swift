// Batches: many requests in one write, one task woken once. Each part has its own outcome; one part's failure says
// nothing about the others.

import StockWire

extension StockadeClient {
    /// Sells many orders. They are sent next to each other, in this order, but each stands for itself.
    ///
    /// - Returns: as many outcomes, in the same order.
    public func deduct(
        batch orders: [NewOrder], deadline: Duration? = nil
    ) async -> [Result<Answer<Sale>, StockadeError>] {
        await observed(.deduct, orders, within: deadline) { order throws(StockadeError) in try deduction(order) }
    }

    /// Holds stock for many orders.
    public func reserve(
        batch orders: [NewOrder], for time: HoldTime, deadline: Duration? = nil
    ) async -> [Result<Answer<Hold>, StockadeError>] {
        await observed(.reserve, orders, within: deadline) { order throws(StockadeError) in
            try reservation(order, for: time)
        }
    }

    /// Confirms many holds, each of them whole.
    public func confirm(
        batch orders: [String], late: Bool = false, deadline: Duration? = nil
    ) async -> [Result<Answer<Sale>, StockadeError>] {
        await observed(.confirm, orders, within: deadline) { order throws(StockadeError) in
            try confirmation(order, [], late: late)
        }
    }

    private func observed<Part, Value: Sendable>(
        _ verb: Verb, _ parts: [Part], within time: Duration?,
        _ change: (Part) throws(StockadeError) -> Change<Value>
    ) async -> [Result<Answer<Value>, StockadeError>] {
        await instruments.observe(batch: verb, count: parts.count) { await batch(parts, within: time, change) }
    }

    private func batch<Part, Value: Sendable>(
        _ parts: [Part], within time: Duration?, _ change: (Part) throws(StockadeError) -> Change<Value>
    ) async -> [Result<Answer<Value>, StockadeError>] {
        do { try await enter() } catch { return parts.map { _ in .failure(error) } }
        let changes = parts.map { part in
            Result { () throws(StockadeError) in try change(part) }
        }
        let deadline = self.deadline(time)
        let requests = changes.compactMap { try? $0.get().request }
        var attempts = await main.submit(requests, deadline: deadline.attemptsEnd).makeIterator()

        // Most parts are decided by their first attempt. Those that are not go on by themselves, side by side.
        var results: [Result<Answer<Value>, StockadeError>?] = []
        results.reserveCapacity(parts.count)
        var undecided: [(index: Int, change: Change<Value>, first: Attempt)] = []
        for (index, change) in changes.enumerated() {
            switch change {
            case .failure(let error): results.append(.failure(error))
            case .success(let change):
                guard let first = attempts.next() else {
                    results.append(.failure(.closed))
                    continue
                }
                if case .reply(.line(let line)) = first, line.isPositive {
                    results.append(Result { () throws(StockadeError) in .done(try change.value(of: line)) })
                } else {
                    undecided.append((index, change, first))
                    results.append(nil)
                }
            }
        }
        await withTaskGroup(of: (Int, Result<Answer<Value>, StockadeError>).self) { group in
            for (index, change, first) in undecided {
                group.addTask {
                    do throws(StockadeError) {
                        return (index, .success(try await self.decide(change, until: deadline, first: first)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            for await (index, result) in group { results[index] = result }
        }
        return results.compactMap { $0 }
    }
}
