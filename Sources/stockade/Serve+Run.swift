// `stockade serve`: from flags to a running server, one step after the other, and what it says of each.

import ArgumentParser
import Glibc
import Logging
import StockJournal
import StockServer

extension Serve {
    mutating func run() throws {
        let settings = Settings(flags: flags.compactMapValues { $0 }, environment: environment())
        let (configuration, logger) = try prepare(settings)
        logger.info("stockade \(Server.version)", metadata: ["pid": "\(getpid())"])
        reportRisks(configuration, settings, logger)
        raiseDescriptorLimit(for: configuration, logger)

        let signals: Signals
        do {
            // Before the journal's threads, which must inherit that these signals are the loop's.
            signals = try Signals()
        } catch {
            throw refuse(logger, "\(error)", .unavailable)
        }
        try awaitAddresses(configuration, logger)
        let store = try openStore(configuration, logger)
        let server: Server
        do {
            server = try Server(configuration: configuration, store: store, signals: signals, logger: logger)
        } catch {
            throw refuse(logger, error.description, .unavailable)
        }
        for place in server.places {
            logger.info("listening on \(place == configuration.unixPath ? "unix:" : "")\(place)")
        }
        throw ExitCode(server.run().rawValue)
    }

    /// The variables that stand for flags.
    private func environment() -> [String: String] {
        var variables: [String: String] = [:]
        for name in flags.keys.map(Settings.variable(for:)) {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        return variables
    }

    /// Everything that can be refused before a file is touched.
    private func prepare(_ settings: Settings) throws -> (ServerConfiguration, Logger) {
        do {
            let level = try settings.value(
                "log-level", "trace, debug, info, notice, warning, error or critical", Logger.Level.init(rawValue:))
            var configuration = try ServerConfiguration(settings, availableMemory: MachineMemory.available())
            let logger = Logger(label: "stockade") { _ in ConsoleLog(level: level ?? .info) }
            if let path = settings.text("password-file") {
                let file = try PasswordFile(path: path)
                configuration.password = file.password
                if file.isReadableByOthers {
                    logger.warning("others than its owner may read the password file: chmod 600 \(path)")
                }
            }
            // The server resolves again when it listens; here the answer comes before a long replay.
            _ = try configuration.listenAddresses()
            return (configuration, logger)
        } catch let error as ListenError {
            if case .unresolved = error { throw fail(error.description, .unavailable) }
            throw fail(error.description, .usage)
        } catch {
            throw fail("\(error)", .usage)
        }
    }

    private func reportRisks(_ configuration: ServerConfiguration, _ settings: Settings, _ logger: Logger) {
        if configuration.insecure, configuration.password == nil {
            logger.warning("--insecure: whoever reaches this server may sell and drop the stock")
        }
        if MachineMemory.available() == nil, settings.text("max-memory") == nil {
            logger.warning(
                "the machine does not say how much memory it has",
                metadata: ["max-memory": "\(SizeText(Int64(configuration.maximumMemory)))"])
        }
    }

    /// Each client is a descriptor; the usual soft limit of 1,024 is for programs that use select(2).
    private func raiseDescriptorLimit(for configuration: ServerConfiguration, _ logger: Logger) {
        // Listeners, segments, epoll, eventfds and the like.
        let others = 64
        let wanted = rlim_t(configuration.maximumClients + others)
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 else { return }
        if limit.rlim_cur < wanted {
            limit.rlim_cur = min(wanted, limit.rlim_max)
            _ = setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
        }
        if limit.rlim_cur < wanted {
            logger.warning(
                "the limit of open files (ulimit -n) leaves room for fewer clients than --max-clients",
                metadata: ["files": "\(limit.rlim_cur)", "max-clients": "\(configuration.maximumClients)"])
        }
    }

    /// A server that was killed a moment ago may still have its addresses and its directory while the kernel takes its
    /// memory apart: a second server waits so long, in milliseconds, before it refuses.
    private static let patienceWithTheDying = 2_000
    private static let pause = 50

    /// Refuses before a long replay, not after it.
    private func awaitAddresses(_ configuration: ServerConfiguration, _ logger: Logger) throws {
        var waited = 0
        while true {
            do {
                return try configuration.checkAddressesAreFree()
            } catch {
                guard case .system(_, let cause) = error, cause.errno == EADDRINUSE, waited < Self.patienceWithTheDying else {
                    throw refuse(logger, error.description, .unavailable)
                }
                if waited == 0 { logger.notice("\(error); waiting whether it becomes free") }
                waited += Self.pause
                usleep(UInt32(Self.pause * 1_000))
            }
        }
    }

    private func openStore(_ configuration: ServerConfiguration, _ logger: Logger) throws -> Store {
        var waited = 0
        while true {
            var progress = ReplayProgress(logger: logger)
            do {
                let store = try Store(opening: configuration, progress: { progress.update($0) })
                progress.finish()
                report(store, logger)
                return store
            } catch {
                progress.finish()
                guard case .locked = error, waited < Self.patienceWithTheDying else {
                    throw refuse(logger, error.description, ExitCode(error.exitCode))
                }
                if waited == 0 { logger.notice("another server has the directory; waiting whether it ends") }
                waited += Self.pause
                usleep(UInt32(Self.pause * 1_000))
            }
        }
    }

    private func report(_ store: borrowing Store, _ logger: Logger) {
        let recovery = store.recovery
        let report = recovery.report
        reportDatabase(recovery.restored, logger)
        if report.isNew {
            logger.info("an empty store", metadata: ["dir": "\(store.directory.path)"])
        } else {
            logger.info(
                "recovered \(recovery.replayed) events in \(DurationText(recovery.milliseconds))",
                metadata: [
                    "dir": "\(store.directory.path)", "seq": "\(report.lastSequence)",
                    "log": "\(SizeText(Int64(clamping: report.bytes)))", "skus": "\(store.ledger.skuCount)",
                    "orders": "\(store.ledger.orderCount)", "holds": "\(store.ledger.holdCount)",
                ])
        }
        if let cut = report.cut {
            let why = cut.reason == .torn ? "it was torn" : "its loss was accepted"
            logger.warning(
                "cut the end off the log from event \(cut.sequence) on, because \(why): \(cut.detail)",
                metadata: ["bytes": "\(cut.bytes)", "kept": "\(cut.keptIn.joined(separator: ","))"])
        } else if !report.wasClean {
            logger.notice("the server before this one did not stop in order; the log is whole")
        }
        if store.clock.lead > 0 {
            logger.warning(
                "the clock is behind the log: time runs at half speed until it has caught up",
                metadata: ["behind": "\(DurationText(store.clock.lead))"])
        }
    }

    private func reportDatabase(_ restored: RestoreReport, _ logger: Logger) {
        if restored.sequence > 0 {
            logger.info(
                "loaded the database in \(DurationText(restored.milliseconds))",
                metadata: ["seq": "\(restored.sequence)"])
        }
        if restored.isFromBackupAlone {
            logger.warning(
                "there is no log beside the database: what happened after its last event is not known here",
                metadata: ["seq": "\(restored.sequence)"])
        }
        if let why = restored.rebuilding {
            logger.warning("the database is made again from the whole log: \(why)")
        }
        if let path = restored.keptIn { logger.warning("the damaged database was kept as \(path)") }
    }

    private func refuse(_ logger: Logger, _ message: String, _ code: ExitCode) -> ExitCode {
        logger.critical("\(message)")
        return code
    }
}
