// `stockade serve`: the flags. What they mean and which values they take is decided in one place for flags and
// environment, `ServerConfiguration.init(_:)`; how a server is started from them is in Serve+Run.swift.

import ArgumentParser
import StockServer

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve stock from a directory.",
        discussion: """
            Every flag is also a variable: --max-memory is STOCKADE_MAX_MEMORY, --insecure is STOCKADE_INSECURE=1. A flag \
            wins over its variable. Durations are 500ms, 90s, 15m, 24h, 7d; sizes are 512KiB, 64MiB, 4GiB.

            EXIT STATUS
              0   stopped in order (SIGTERM, SIGINT, SHUTDOWN)
              64  a flag, a variable or the password file cannot be used, or others
                  could reach the server and there is no password
              69  cannot listen
              73  the directory cannot be made or used
              74  the log cannot be read, written or synced, or the database not be read
              75  another server has the directory, another program the database's lock,
                  or the clock does not fit the log
              78  the log is damaged, or the database is and cannot be made again from
                  the log; the message says where and what to do
            """)

    @OptionGroup(title: "Where to listen") var listening: ListeningFlags
    @OptionGroup(title: "What to keep, and how safely") var keeping: KeepingFlags
    @OptionGroup(title: "The database") var archive: ArchiveFlags
    @OptionGroup(title: "Limits") var limits: LimitFlags
    @OptionGroup(title: "Starting after trouble") var trouble: TroubleFlags

    @Option(help: "What to say on stderr: trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?

    /// Every setting by its flag's name, with what the flag said.
    var flags: [String: String?] {
        [
            "host": listening.host, "port": listening.port, "unix": listening.unix,
            "password-file": listening.passwordFile, "insecure": listening.insecure.map(String.init),
            "dir": keeping.dir, "fsync": keeping.fsync, "retention": keeping.retention,
            "segment-size": keeping.segmentSize, "max-sync-lag": keeping.maxSyncLag,
            "max-unsynced": keeping.maxUnsynced, "write-patience": keeping.writePatience,
            "snapshot-every": archive.snapshotEvery, "snapshot-bytes": archive.snapshotBytes,
            "backup-every": archive.backupEvery, "keep-log": archive.keepLog, "history": archive.history,
            "max-clients": limits.maxClients, "max-memory": limits.maxMemory, "max-skus": limits.maxSkus,
            "max-orders": limits.maxOrders, "max-held-replies": limits.maxHeldReplies, "slow-turn": limits.slowTurn,
            "accept-tail-loss": trouble.acceptTailLoss, "accept-clock": trouble.acceptClock.map(String.init),
            "max-clock-jump": trouble.maxClockJump, "log-level": logLevel,
        ]
    }
}

struct ListeningFlags: ParsableArguments {
    @Option(help: "Address or name to listen on. (default: 127.0.0.1)")
    var host: String?

    @Option(help: "TCP port; 0 takes any that is free. (default: 7865)")
    var port: String?

    @Option(help: ArgumentHelp("Listen on a Unix socket too.", valueName: "path"))
    var unix: String?

    @Option(
        help: ArgumentHelp(
            "Clients must log in (AUTH) with the one line in this file. Needed to listen beyond this machine.",
            valueName: "path"))
    var passwordFile: String?

    @Flag(inversion: .prefixedNo, help: "Listen beyond this machine without a password all the same.")
    var insecure: Bool?
}

struct KeepingFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Directory of the log and the database; made with mode 0700 if it is not there. (default: stockade-data)",
            valueName: "path"))
    var dir: String?

    @Option(
        help: ArgumentHelp(
            """
            When a reply may leave: everysec and never: when the log is written; always: when it is on the disk. \
            everysec syncs each second. (default: everysec)
            """,
            valueName: "mode"))
    var fsync: String?

    @Option(
        help: ArgumentHelp("How long ids are remembered after their order ended. (default: 24h)", valueName: "duration"))
    var retention: String?

    @Option(help: ArgumentHelp("Size of one file of the log. (default: 64MiB)", valueName: "size"))
    var segmentSize: String?

    @Option(
        help: ArgumentHelp(
            "Answer -BUSY while the oldest change that is not on the disk is older. (default: 5s)",
            valueName: "duration"))
    var maxSyncLag: String?

    @Option(
        help: ArgumentHelp(
            "Answer -BUSY while more than this is not on the disk. (default: 512MiB)", valueName: "size"))
    var maxUnsynced: String?

    @Option(
        help: ArgumentHelp(
            "How long a write that fails is tried again before the server gives up. (default: 5s)",
            valueName: "duration"))
    var writePatience: String?
}

struct ArchiveFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How often the log is folded into archive.sqlite; 0: not by time. (default: 60s)", valueName: "duration"))
    var snapshotEvery: String?

    @Option(
        help: ArgumentHelp(
            "Bytes of log after which it is folded at once; 0: not by size. (default: as --segment-size)",
            valueName: "size"))
    var snapshotBytes: String?

    @Option(
        help: ArgumentHelp(
            """
            How often the database is copied into backup/ and the copy verified; two are kept. 0: never, and then the \
            log is never shortened. (default: 24h)
            """,
            valueName: "duration"))
    var backupEvery: String?

    @Option(
        help: ArgumentHelp(
            "How long a file of the log stays when the database and a backup have its events. (default: 1h)",
            valueName: "duration"))
    var keepLog: String?

    @Option(
        help: ArgumentHelp(
            "How far back the database's history of every change goes; 0: to the beginning. (default: 7d)",
            valueName: "duration"))
    var history: String?
}

struct LimitFlags: ParsableArguments {
    @Option(help: ArgumentHelp("Connections at a time. (default: 10000)", valueName: "n"))
    var maxClients: String?

    @Option(
        help: ArgumentHelp(
            """
            Memory of the tables, as a size or as a share of RAM or of the cgroup; beyond it new promises get -FULL. \
            (default: 70%)
            """,
            valueName: "size"))
    var maxMemory: String?

    @Option(help: ArgumentHelp("SKUs at a time. (default: 100000000)", valueName: "n"))
    var maxSkus: String?

    @Option(
        help: ArgumentHelp(
            "Replies that all clients together may leave waiting before each is read more slowly. (default: 256MiB)",
            valueName: "size"))
    var maxHeldReplies: String?

    @Option(
        help: ArgumentHelp(
            "Turns of the loop that take longer are kept for STATS slow; 0: all. (default: 2ms)",
            valueName: "duration"))
    var slowTurn: String?

    @Option(help: ArgumentHelp("Remembered orders at a time. (default: 1000000000)", valueName: "n"))
    var maxOrders: String?
}

struct TroubleFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Give up the damaged end of the log from this event on, which a refused start named.", valueName: "seq"))
    var acceptTailLoss: String?

    @Flag(inversion: .prefixedNo, help: "The machine's clock is right though it does not fit the log.")
    var acceptClock: Bool?

    @Option(
        help: ArgumentHelp(
            "Refuse to start when the clock is further ahead of the log than this. (default: 30d)",
            valueName: "duration"))
    var maxClockJump: String?
}
