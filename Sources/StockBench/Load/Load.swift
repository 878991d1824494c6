// A whole run from its options: connect, make what the workload works on, then ask and hear. This is where the
// parts meet; `runLoad` is all that the command calls.

import CLinux
import Glibc
import StockConnection

/// Runs the load that `options` describe.
///
/// - Parameters:
///   - interrupt: a descriptor that becomes readable when the run should end early; -1: none.
///   - observer: told now and then how it goes.
/// - Throws: `.usage`, `.connection`, `.server` when the preparation was refused.
public func runLoad(
    _ options: LoadOptions, interrupt: Int32 = -1, observer: LoadObserver? = nil
) throws(BenchError) -> LoadResult {
    try options.check()
    raiseDescriptorLimit(to: options.clients + options.idle + 64)
    if options.rate != nil { keepTime(true) }
    // Back to what it was: servers that a comparison starts would inherit it.
    defer { if options.rate != nil { keepTime(false) } }
    let preparation = try Preparation(options, interrupt: interrupt)
    let templates = try preparation.prepare()
    let plan = options.plan
    let longest = templates.map(\.bytes.count).max() ?? 0
    guard longest * options.pipeline * options.clients <= LoadOptions.mostBufferBytes else {
        throw .usage("so many clients with so deep pipelines of such long requests need more than 1 GiB of buffers")
    }
    let idle = try connect(options.idle, options)
    let active = try connect(options.clients, options)
    let choice = SKUChoice(count: options.skuCount, zipf: options.zipf, seed: options.seed)
    var loop = try LoadLoop(
        connections: active, book: RequestBook(templates, choice: choice), plan: plan, pipeline: options.pipeline,
        rate: options.rate, length: options.length, warmup: options.warmup)
    // The idle ones stay open to the end.
    return try withExtendedLifetime(idle) { () throws(BenchError) in
        try loop.run(interrupt: interrupt, observer: observer)
    }
}

extension LoadOptions {
    /// The plan of the workload's requests.
    var plan: Plan {
        switch workload {
        case .deduct, .hot, .spread, .order, .ping, .decrby: .fresh
        case .reserveConfirm: .twoSteps(block: UInt64(pipeline))
        case .replay: .known(Preparation.knownOrders)
        case .mixed: .mixed
        }
    }
}

/// Connections that are logged in.
func connect(_ count: Int, _ options: LoadOptions) throws(BenchError) -> [Connection] {
    var connections: [Connection] = []
    for _ in 0..<count {
        let connection = try connecting { () throws(ConnectionError) in try Connection(to: options.address) }
        if let password = options.password {
            let reply = try connecting { () throws(ConnectionError) in try connection.authenticate(password) }
            guard !reply.isRefusal else { throw .server("the server refused the password: \(reply)") }
        }
        connections.append(connection)
    }
    return connections
}

/// As many descriptors as the process may have, up to `wanted`. Where that is too few, `connect` says so.
func raiseDescriptorLimit(to wanted: Int) {
    let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(wanted) else { return }
    limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
    _ = setrlimit(resource, &limit)
}

/// The kernel wakes a sleeper up to 50 µs late to save power, and lets it wait while another thread uses its slice up; an
/// open loop must not count either as the server's latency. Where it cannot be helped, latencies are too long, and none is
/// too short.
///
/// - Parameter strictly: else as every thread has it.
private func keepTime(_ strictly: Bool) {
    clinux_run_soon(strictly)
    let nanoseconds: StaticString = strictly ? "1" : "0"
    let descriptor = open("/proc/self/timerslack_ns", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, nanoseconds.utf8Start, nanoseconds.utf8CodeUnitCount)
    _ = close(descriptor)
}
