// swift-tools-version: 6.1
import PackageDescription

// The map of these targets, and which may import which, is Sources/README.md.
let package = Package(
    name: "stockade",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "stockade", targets: ["stockade"]),
        .library(name: "StockadeClient", targets: ["StockadeClient"]),
        .library(name: "StockadeTesting", targets: ["StockadeTesting"]),
    ],
    // Off unless asked for: `swift test --traits Metrics,Tracing`, or `traits: ["Metrics"]` in a dependency.
    traits: [
        .trait(name: "Metrics", description: "StockadeClient counts its calls with swift-metrics."),
        .trait(name: "Tracing", description: "StockadeClient makes a span of each call with swift-distributed-tracing."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        // The client only; the server's modules and the executable do not build them.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Only with the traits of these names.
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        // Latencies of the load generator.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Pure: no clock, no input or output; of the system only memory.
        .target(name: "CMachine"),
        .target(name: "StockModel"),
        .target(name: "StockWire", dependencies: ["StockModel", "CMachine"]),
        .target(name: "StockLedger", dependencies: ["StockModel", "CMachine"]),

        // The outside world.
        .target(name: "CLinux"),
        .target(name: "StockJournal", dependencies: ["StockModel", "CLinux", "CMachine"]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .target(name: "StockArchive", dependencies: ["StockModel", "StockJournal", "CSQLite"]),
        .target(
            name: "StockServer",
            dependencies: [
                "StockModel", "StockWire", "StockLedger", "StockJournal", "StockArchive", "CLinux", "CMachine",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "StockConnection", dependencies: ["StockModel", "StockWire", "CLinux"]),
        .target(name: "StockConsole", dependencies: ["StockModel", "StockWire", "StockConnection", "CLinux"]),
        .target(name: "StockInput"),
        .target(
            name: "StockTools",
            dependencies: ["StockModel", "StockLedger", "StockJournal", "StockArchive", "StockConnection", "StockInput"]),
        .target(
            name: "StockBench",
            dependencies: [
                "StockModel", "StockConnection", "CLinux",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]),
        // The steps of a request's way, each measured by itself.
        .target(
            name: "StockMicro",
            dependencies: ["StockModel", "StockWire", "StockLedger", "StockJournal", "StockArchive", "CLinux"]),
        .target(
            name: "StockRehearsal",
            // StockBench lends its latencies and the way it prints numbers.
            dependencies: ["StockModel", "StockConnection", "StockInput", "StockBench", "CLinux"]),
        .executableTarget(
            name: "stockade",
            dependencies: [
                "StockServer", "StockTools", "StockArchive", "StockBench", "StockMicro", "StockRehearsal", "StockConsole",
                "StockConnection", "StockInput", "StockJournal", "StockModel", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        // The client for programs in Swift, and a server in memory for their tests.
        .target(
            name: "StockadeClient",
            dependencies: [
                "StockModel", "StockWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
                .product(name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"])),
            ],
            path: "Clients/Swift/Sources/StockadeClient"),
        .target(
            name: "StockadeTesting",
            dependencies: [
                "StockModel", "StockWire", "StockLedger",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Clients/Swift/Sources/StockadeTesting"),
        // Random numbers for tests, those of the client too.
        .target(name: "SeededRandom", path: "Tests/SeededRandom"),
        // What the tests of the client and the end-to-end tests have in common.
        .target(
            name: "FaultyNetwork",
            dependencies: [
                "StockadeClient", "SeededRandom",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Clients/Swift/Tests/FaultyNetwork"),
        .testTarget(
            name: "StockadeClientTests",
            dependencies: [
                "StockadeClient", "StockadeTesting", "FaultyNetwork",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
                .product(
                    name: "InMemoryTracing", package: "swift-distributed-tracing",
                    condition: .when(traits: ["Tracing"])),
            ],
            path: "Clients/Swift/Tests/StockadeClientTests"),

        .testTarget(name: "StockModelTests", dependencies: ["StockModel", "SeededRandom"]),
        .testTarget(name: "StockWireTests", dependencies: ["StockWire", "StockModel", "CMachine", "SeededRandom"]),
        .testTarget(
            name: "StockLedgerTests",
            dependencies: ["StockLedger", "StockWire", "StockModel", "SeededRandom"]),
        .testTarget(name: "StockJournalTests", dependencies: ["StockJournal", "StockModel", "CLinux", "CMachine"]),
        .testTarget(
            name: "StockArchiveTests",
            dependencies: [
                "StockArchive", "StockModel", "StockLedger", "StockJournal", "CSQLite", "CLinux", "SeededRandom",
            ]),
        .testTarget(
            name: "StockServerTests",
            dependencies: ["StockServer", "StockConnection", "StockJournal", "StockLedger", "StockArchive"]),
        .testTarget(name: "StockBenchTests", dependencies: ["StockBench", "StockConnection", "CLinux"]),
        .testTarget(name: "StockConsoleTests", dependencies: ["StockConsole", "StockConnection", "StockWire"]),
        .testTarget(name: "StockRehearsalTests", dependencies: ["StockRehearsal", "StockConnection"]),
        .testTarget(
            name: "StockToolsTests",
            dependencies: [
                "StockTools", "StockInput", "StockArchive", "StockConnection", "StockModel", "StockLedger",
                "StockJournal",
            ]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "stockade", "StockRehearsal", "StockConnection", "StockJournal", "StockArchive", "CLinux",
                "StockadeClient", "FaultyNetwork", "SeededRandom",
            ],
            // Read where it lies, as Protocol/transcripts is.
            exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)
