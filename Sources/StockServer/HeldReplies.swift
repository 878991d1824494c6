// The replies of one connection that could not leave in the turn that decided them: the log has not come far enough,
// or the client does not take them. They leave in order, so one reply that waits for the disk holds up the ones
// behind it.

import StockModel
import StockWire

/// Bytes that wait to be sent: those in front are released, those behind wait for the gate.
struct HeldReplies: ~Copyable {
    /// A run of reply bytes that wait for the same thing.
    private struct Mark {
        var bytes: Int
        var sequence: UInt64
        var level: SafetyLevel
    }

    private var output = ByteQueue()
    /// What the bytes behind the released ones wait for, in order. Few: replies of one turn share one.
    private var marks: [Mark] = []
    /// Bytes at the front that may leave.
    private(set) var released = 0

    /// Bytes that wait, released or not.
    var count: Int { output.count }
    var isEmpty: Bool { output.isEmpty }
    /// Whether some bytes still wait for the gate.
    var waitsForGate: Bool { !marks.isEmpty }

    /// The bytes that may leave now; valid until the next change.
    var takeable: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: output.base, count: released)
    }

    /// Adds replies that wait until `sequence` is safe on `level`, and for all those added before.
    mutating func append(_ bytes: UnsafeRawBufferPointer, until sequence: UInt64, _ level: SafetyLevel) {
        if bytes.isEmpty { return }
        output.append(bytes)
        if let last = marks.indices.last, marks[last].level == level, marks[last].sequence == sequence {
            marks[last].bytes &+= bytes.count
        } else {
            marks.append(Mark(bytes: bytes.count, sequence: sequence, level: level))
        }
    }

    /// Adds what is left of a reply that may already leave. Nothing may be waiting.
    mutating func appendReleased(_ bytes: UnsafeRawBufferPointer) {
        invariant(marks.isEmpty, "a reply that may leave does not overtake one that waits")
        output.append(bytes)
        released &+= bytes.count
    }

    /// Releases what the gate is open for, as far as the first reply that still waits.
    mutating func release(through gate: Gate) {
        var passed = 0
        while passed < marks.count, gate.isOpen(for: marks[passed].sequence, marks[passed].level) {
            released &+= marks[passed].bytes
            passed &+= 1
        }
        if passed > 0 { marks.removeFirst(passed) }
    }

    /// Puts another reply in the place of each one that waits for `level`, which will not be reached; it waits for the
    /// lowest level only.
    ///
    /// - Returns: how many replies that were.
    mutating func replace(waitingFor level: SafetyLevel, with reply: UnsafeRawBufferPointer) -> Int {
        guard marks.contains(where: { $0.level == level }) else { return 0 }
        var replaced = 0
        var rewritten = ByteQueue()
        rewritten.append(UnsafeRawBufferPointer(rebasing: output.bytes[..<released]))
        var place = released
        for index in marks.indices {
            let bytes = UnsafeRawBufferPointer(rebasing: output.bytes[place..<place + marks[index].bytes])
            place += bytes.count
            guard marks[index].level == level else {
                rewritten.append(bytes)
                continue
            }
            let replies = bytes.count { $0 == UInt8(ascii: "\n") }
            for _ in 0..<replies { rewritten.append(reply) }
            marks[index].bytes = replies * reply.count
            marks[index].level = .written
            replaced += replies
        }
        output = rewritten
        return replaced
    }

    /// Takes `bytes` released bytes away: they were sent. The memory goes with the last of them, so that an idle
    /// connection has none.
    mutating func consume(_ bytes: Int) {
        invariant(bytes <= released, "only released replies are sent")
        output.consume(bytes)
        released &-= bytes
        if output.isEmpty { output.removeAll(keepingCapacity: 0) }
    }
}
