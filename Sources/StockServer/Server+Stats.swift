// `STATS`: what the server knows about itself, as lines of `key=value`. Keys are only ever added. This is not on a
// request's way, so it is written for the reader and makes strings.

import CLinux
import Glibc
import StockJournal
import StockLedger
import StockModel
import StockWire

/// The sections of `STATS`, in the order in which they are shown.
enum StatisticsSection: String, CaseIterable {
    case server, clients, memory, log, persistence, ledger, digest, commands, refusals, loop, limits, slow

    /// Those of a plain `STATS`. The slow log is long and asked for by name.
    static let ordinary = allCases.filter { $0 != .slow }
}

/// Lines of `+key=value`, counted.
struct StatisticLines: ~Copyable {
    var output = ByteQueue()
    var count = 0

    mutating func add(_ key: String, _ value: some BinaryInteger) { add(key, text: String(value)) }

    mutating func add(_ key: String, text: String) {
        output.writeStatistic(key, text: text)
        count += 1
    }
}

extension Server {
    /// The version that `HELLO` and `STATS` tell.
    public static let version: StaticString = "0.1.0"

    /// Answers `STATS`, of one section or of all.
    mutating func writeStatistics(section: Token?) {
        var lines = StatisticLines()
        if let section {
            guard let known = StatisticsSection(rawValue: section.text.lowercased()) else {
                statistics.countRefusal(.syntax)
                replies.writeRefusal(
                    .syntax,
                    text: "expected one of: " + StatisticsSection.allCases.map(\.rawValue).joined(separator: " "))
                return
            }
            add(known, to: &lines)
        } else {
            for known in StatisticsSection.ordinary { add(known, to: &lines) }
        }
        replies.writeArrayHeader(lines.count)
        replies.append(lines.output.bytes)
    }

    private mutating func add(_ section: StatisticsSection, to lines: inout StatisticLines) {
        switch section {
        case .server: addServer(to: &lines)
        case .clients: addClients(to: &lines)
        case .memory: addMemory(to: &lines)
        case .log: addLog(to: &lines)
        case .persistence: addPersistence(to: &lines)
        case .ledger: addLedger(to: &lines)
        case .digest: lines.add("digest", text: hexadecimal(store.ledger.digest()))
        case .commands: addCommands(to: &lines)
        case .refusals: addRefusals(to: &lines)
        case .loop: addLoop(to: &lines)
        case .limits: addLimits(to: &lines)
        case .slow: addSlowTurns(to: &lines)
        }
    }

    private func addServer(to lines: inout StatisticLines) {
        lines.add("version", text: "\(Server.version)")
        lines.add("process", getpid())
        lines.add("listening", text: listeners.map(\.place).joined(separator: ","))
        lines.add("uptime_s", (now - startedAt) / 1_000_000_000)
        lines.add("fsync", text: configuration.sync.rawValue)
        lines.add("recovery_ms", store.recovery.milliseconds)
        lines.add("recovered_events", store.recovery.replayed)
        lines.add("clock_lead_ms", store.clock.lead)
        lines.add("stopping", stopping.hasBegun ? 1 : 0)
    }

    private func addClients(to lines: inout StatisticLines) {
        lines.add("clients", connections.count)
        lines.add("clients_max", configuration.maximumClients)
        lines.add("clients_accepted", statistics.accepted)
        lines.add("clients_turned_away", statistics.turnedAway)
        lines.add("clients_closed_slow", statistics.closedForPatience)
        lines.add("clients_waiting_for_log", waiting.count)
        lines.add("held_replies_bytes", connections.heldReplies)
        lines.add("accept_pauses", statistics.acceptPauses)
        lines.add("bytes_in", statistics.bytesIn)
        lines.add("bytes_out", statistics.bytesOut)
    }

    private func addMemory(to lines: inout StatisticLines) {
        lines.add("memory_resident", residentBytes())
        lines.add("memory_ledger", store.ledger.memoryInUse)
        let tables = store.ledger.memoryByTable
        lines.add("memory_skus", tables.skus)
        lines.add("memory_orders", tables.orders)
        lines.add("memory_orders_index", store.ledger.orderIndexMemory)
        lines.add("memory_buyers", tables.buyers)
        lines.add("memory_holds", tables.holds)
        lines.add("memory_max", configuration.maximumMemory)
    }

    private mutating func addLog(to lines: inout StatisticLines) {
        let counts = store.journal.counts
        let lag = store.journal.lag()
        let state =
            switch admission {
            case .open: "ok"
            case .busy: "busy"
            case .readOnly: "readonly"
            }
        lines.add("log_state", text: state)
        if !logState.reason.isEmpty { lines.add("log_reason", text: logState.reason) }
        lines.add("log_written_seq", store.journal.writtenSequence)
        lines.add("log_durable_seq", store.journal.durableSequence)
        lines.add("log_segment", counts.segment)
        lines.add("log_sealed_segment", counts.sealedSegment)
        lines.add("log_frames", counts.frames)
        lines.add("log_bytes", counts.bytes)
        lines.add("log_unsynced_bytes", lag.bytes)
        lines.add("log_unsynced_ms", lag.age / 1_000_000)
        lines.add("log_syncs", counts.syncs)
        lines.add("log_last_sync_us", counts.lastSyncDuration / 1_000)
        lines.add("log_slowest_sync_us", statistics.slowestSync / 1_000)
        lines.add("log_failed_writes", statistics.failedWrites)
        let cut = store.recovery.report.cut
        lines.add("log_cut_bytes", cut?.bytes ?? 0)
        if let cut { lines.add("log_cut_kept_in", text: cut.keptIn.joined(separator: ",")) }
    }

    private mutating func addLedger(to lines: inout StatisticLines) {
        lines.add("seq", store.ledger.sequence)
        lines.add("clock_ms", ledgerTime.milliseconds)
        lines.add("skus", store.ledger.skuCount)
        lines.add("orders", store.ledger.orderCount)
        lines.add("holds", store.ledger.holdCount)
        lines.add("operations", store.ledger.operationCount)
        lines.add("buyers", store.ledger.buyerCount)
        lines.add("forgotten", store.ledger.forgottenCount)
        let lag = store.ledger.nextExpiry.map { max(0, ledgerTime.milliseconds - $0.milliseconds) } ?? 0
        lines.add("expiry_lag_ms", lag)
        lines.add("expiry_lag_max_ms", statistics.longestExpiryLag)
        lines.add("expiry_steps", statistics.expirySteps)
    }

    /// Microseconds are estimated: one request in `Statistics.sampling` is timed.
    private func addCommands(to lines: inout StatisticLines) {
        lines.add("requests", statistics.requests)
        for verb in Verb.allCases {
            let calls = statistics.calls[Int(verb.rawValue)]
            guard calls > 0 else { continue }
            let name = "\(verb.name)".lowercased()
            lines.add("\(name)_calls", calls)
            lines.add("\(name)_us", statistics.estimatedMicroseconds(verb))
        }
    }

    private func addRefusals(to lines: inout StatisticLines) {
        var total: UInt64 = 0
        for code in RefusalCode.allCases { total &+= statistics.refusals[Int(code.rawValue)] }
        lines.add("refused", total)
        for code in RefusalCode.allCases {
            let count = statistics.refusals[Int(code.rawValue)]
            if count > 0 { lines.add("refused_\(code.word)", count) }
        }
    }

    private func addLoop(to lines: inout StatisticLines) {
        lines.add("turns", statistics.turns)
        lines.add("busy_us", statistics.busyTime / 1_000)
        let longest = statistics.longestTurn
        lines.add("longest_turn_us", longest.nanoseconds / 1_000)
        lines.add("longest_turn_requests", longest.requests)
        lines.add("longest_turn_expiry_steps", longest.expirySteps)
        lines.add("longest_turn_forgetting_steps", longest.forgettingSteps)
        lines.add("longest_turn_accepted", longest.accepted)
        lines.add("longest_turn_event_bytes", longest.eventBytes)
        lines.add("longest_work_us", slowLog.mostOwnWork / 1_000)
        lines.add("slow_turns", slowLog.count)
    }

    /// The slow log, newest first.
    private func addSlowTurns(to lines: inout StatisticLines) {
        lines.add("slow_turns", slowLog.count)
        lines.add("slow_turn_limit_ms", configuration.slowTurn)
        for back in 0..<slowLog.kept {
            let turn = slowLog[back]
            lines.add("slow_\(turn.number)", text: turn.text)
        }
    }

    private func addLimits(to lines: inout StatisticLines) {
        lines.add("token_bytes", Limits.tokenLength)
        lines.add("request_bytes", Limits.requestLength)
        lines.add("order_pairs", Limits.pairs)
        lines.add("page_entries", Limits.pageEntries)
        lines.add("page_bytes", Limits.pageBytes)
        lines.add("quantity_max", Limits.quantity)
        lines.add("buyer_limit_max", Limits.buyerLimit)
        lines.add("counter_max", Limits.counter)
        lines.add("shortest_hold_ms", Limits.shortestHold)
        lines.add("longest_hold_ms", Limits.longestHold)
        lines.add("retention_ms", configuration.retention)
        lines.add("skus_max", configuration.maximumSKUs)
        lines.add("orders_max", configuration.maximumOrders)
        lines.add("output_bytes", configuration.maximumOutput)
        lines.add("held_replies_bytes_max", configuration.maximumHeldReplies)
        lines.add("output_bytes_least", TurnLimits.leastOutput)
        lines.add("output_patience_ms", configuration.outputPatience)
        lines.add("write_patience_ms", configuration.writePatience)
        lines.add("sync_lag_max_ms", configuration.maximumSyncLag)
        lines.add("unsynced_bytes_max", configuration.maximumUnsyncedBytes)
        lines.add("turn_requests", TurnLimits.requests)
        lines.add("turn_us", TurnLimits.duration / 1_000)
        lines.add("turn_share", TurnLimits.share)
        lines.add("slow_turn_ms", configuration.slowTurn)
        lines.add("slow_turns_kept", SlowLog.capacity)
    }
}

func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// Memory of the process that is in RAM, as the kernel counts it; 0 when it does not tell.
private func residentBytes() -> Int {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { text in
        let count = read(descriptor, text.baseAddress, text.count)
        guard count > 0 else { return 0 }
        // Pages: size, resident, and more.
        let words = String(decoding: text.prefix(count), as: UTF8.self).split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { return 0 }
        return pages &* sysconf(Int32(_SC_PAGESIZE))
    }
}
