// The server: everything that one loop on one thread owns, and the loop itself. There is no lock and no actor here,
// and nothing is shared but two counters with the journal's threads, so a request is followed by reading down one
// call after another. Read `run` and `turn` first; the numbers in `turn` are those of "a request's way" in
// Sources/README.md.
//
// The parts have a file each: Server+Turn (waiting, the clocks, expiry), Server+Connections (coming, reading,
// going), Server+Requests (what each verb does), Server+Replies (the gate and the way out), Server+Log (frames, and
// what is done when the disk fails), Server+Stop, Server+Stats; Archive/ (the database).

import CLinux
import Logging
import StockJournal
import StockLedger
import StockModel
import StockWire

/// How a server ended, as the exit status of its process (sysexits.h).
public enum ExitStatus: Int32, Sendable {
    case clean = 0
    /// The log could not be written or synced.
    case logFailed = 74
}

/// Why a server could not be set up.
public enum ServerError: Error, CustomStringConvertible {
    case listening(ListeningError)
    case system(SystemError)

    public var description: String {
        switch self {
        case .listening(let error): error.description
        case .system(let error): error.description
        }
    }
}

/// One stock server: a store, the sockets that lead to it, and the loop between them.
///
/// It is one noncopyable value, so its parts are plain memory of the loop's thread: no reference is counted and no
/// exclusivity is checked at run time on a request's way.
public struct Server: ~Copyable {
    let configuration: ServerConfiguration
    let logger: Logger

    // The store.
    var store: Store
    /// The events of the turn, with room for the journal's frame around them.
    var events: EventBuffer
    /// Events end a turn when they take more than this.
    let eventLimit: Int
    /// Whether changes are taken in this turn.
    var admission = Admission.open
    var logState = LogState()
    var gate = Gate()

    // The clients.
    let poller: Poller
    var listeners: [Listener]
    let signals: Signals?
    var connections = ConnectionTable()
    /// Connections that have something to say, in the order of their turn; served up to `readyHead`.
    var ready: [PollToken] = []
    var readyHead = 0
    /// Connections whose replies wait for the gate.
    var waiting: [PollToken] = []
    /// Some of them need not wait any longer, and were left for the next turn.
    var leavesReleases = false

    // The turn.
    /// Monotonic nanoseconds at the turn's start.
    var now: Int64
    /// The only time that the ledger sees.
    var ledgerTime: Timestamp
    var timers = Timers()
    var record = TurnRecord()
    var parser: RequestParser
    /// What was parsed and is not yet answered, of the connection that is being served.
    var batch = RequestBatch()
    /// What is read from a socket, behind what the connection had left over.
    let readBuffer = ReadBuffer(capacity: TurnLimits.smallInput + TurnLimits.read)
    /// The replies of the turn, of one connection after the other.
    var replies = ByteQueue()
    /// Which of them are whose.
    var runs: [ReplyRun] = []

    /// Folds the log into the database on a thread of its own.
    let archivist: Archivist
    var archive = ArchiveState()

    var stopping = Stopping()
    var statistics = Statistics()
    var slowLog: SlowLog
    let startedAt: Int64

    /// Where it listens, for the operator: `127.0.0.1:7865`, a path.
    public var places: [String] { listeners.map(\.place) }
    /// The port of its first address; of interest when the kernel chose it.
    public var port: UInt16 { listeners.first?.port ?? 0 }

    /// Opens the sockets. From here on clients can connect; they are answered when `run` runs. If that fails, the store is
    /// closed in order.
    ///
    /// - Parameters:
    ///   - signals: made before the store was opened, whose threads must inherit it; `nil`: signals are not the
    ///     server's business.
    public init(
        configuration: ServerConfiguration, store: consuming Store, signals: Signals? = nil, logger: Logger
    ) throws(ServerError) {
        let archivist: Archivist
        let sockets: Sockets
        do throws(ServerError) {
            archivist = try Server.startArchivist(store.directory, configuration)
            sockets = try Server.openSockets(
                configuration, signals, wake: store.journal.wakeDescriptor, archive: archivist.mail.loopBell.number)
        } catch {
            // The refusal is what matters; a log that was not closed in order is only copied once more.
            try? store.close()
            throw error
        }
        self.archivist = archivist
        poller = sockets.poller
        listeners = sockets.listeners
        self.configuration = configuration
        self.logger = logger
        self.signals = signals
        parser = RequestParser(hashKey: store.directory.identity.hashKey)
        events = EventBuffer(headroom: Frame.headerSize, tailroom: Frame.maximumTrailerSize)
        slowLog = SlowLog(limit: configuration.slowTurn &* 1_000_000)
        eventLimit = max(
            0, min(TurnLimits.eventBytes, configuration.journalOptions.maximumPayload - TurnLimits.eventReserve))
        startedAt = clinux_monotonic_ns()
        now = startedAt
        ledgerTime = store.clock.now()
        archive.foldedSequence = store.recovery.restored.sequence
        // The database is behind by the whole log.
        archive.isWanted = store.recovery.restored.rebuilding != nil
        self.store = store
        planSnapshot()
    }

    private static func startArchivist(
        _ directory: StoreDirectory, _ configuration: ServerConfiguration
    ) throws(ServerError) -> Archivist {
        do throws(JournalError) {
            return try Archivist(directory, configuration)
        } catch {
            guard case .system(let call, _, let code) = error else { throw .system(SystemError("pthread_create")) }
            throw .system(SystemError(call, errno: code))
        }
    }

    private struct Sockets: ~Copyable {
        let poller: Poller
        let listeners: [Listener]
    }

    private static func openSockets(
        _ configuration: ServerConfiguration, _ signals: Signals?, wake: Int32, archive: Int32
    ) throws(ServerError) -> Sockets {
        let listeners: [Listener]
        do throws(ListeningError) {
            listeners = try Listener.all(for: configuration)
        } catch {
            throw .listening(error)
        }
        do throws(SystemError) {
            let poller = try Poller()
            var isWatched = poller.add(wake, for: .input, as: .journal)
            isWatched = poller.add(archive, for: .input, as: .archive) && isWatched
            if let signals { isWatched = poller.add(signals.descriptor, for: .input, as: .signals) && isWatched }
            for (index, listener) in listeners.enumerated() {
                isWatched = poller.add(listener.descriptor, for: .input, as: .listener(index)) && isWatched
            }
            if !isWatched { throw SystemError("epoll_ctl") }
            return Sockets(poller: poller, listeners: listeners)
        } catch {
            throw .system(error)
        }
    }

    /// Serves until it is told to stop, or until the log fails for good.
    public consuming func run() -> ExitStatus {
        // The archivist computes for seconds. Without this the loop, just woken, waited for the end of the archivist's slice:
        // 0.4 s in 10 s of half load on two cores, with it 0.02 s.
        clinux_run_soon(true)
        while stopping.status == nil {
            turn()
        }
        return end()
    }

    /// One turn of the loop.
    mutating func turn() {
        // 1. Loop: wait until a socket is ready or a timer is due; read the clock, once.
        let count = waitForWork()
        readClocks()
        takeEvents(count)
        serviceLog()
        if !logState.frameWaits {
            takeArchiveNews()
            releaseDueHolds()
            // 2 and 3. Session and ledger: requests are parsed and decided, events and replies gathered.
            if stopping.readsInput { serveReadyConnections() }
            forgetEndedOrders()
        }
        // 4. Journal: the turn's events become one frame, and one write.
        writeFrame()
        // The archive: a segment is ended or handed on, once the turn's events are in the log.
        serviceArchive()
        // 5. Gate: what the log has reached may leave.
        openGate()
        // 6. Session: one write for each connection.
        deliverReplies()
        store.memory.serve(&store.ledger)
        finishTurn()
    }
}
