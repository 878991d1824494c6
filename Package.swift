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
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        // The client only; the server's modules and the executable do not build them.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Latencies of the load generator.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Pure: no system module, no clock, no input or output.
        .target(name: "StockModel"),
        .target(name: "StockWire", dependencies: ["StockModel"]),
        .target(name: "StockLedger", dependencies: ["StockModel"]),

        // The outside world.
        .target(name: "CLinux"),
        .target(name: "StockJournal", dependencies: ["StockModel", "CLinux"]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .target(name: "StockArchive", dependencies: ["StockModel", "StockJournal", "CSQLite"]),
        .target(
            name: "StockServer",
            dependencies: [
                "StockModel", "StockWire", "StockLedger", "StockJournal", "StockArchive", "CLinux",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "StockConnection", dependencies: ["StockModel", "StockWire", "CLinux"]),
        .target(name: "StockConsole", dependencies: ["StockModel", "StockWire", "StockConnection", "CLinux"]),
        .target(
            name: "StockTools",
            dependencies: ["StockModel", "StockLedger", "StockJournal", "StockArchive", "StockConnection"]),
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
            dependencies: ["StockModel", "StockConnection", "StockBench", "CLinux"]),
        .executableTarget(
            name: "stockade",
            dependencies: [
                "StockServer", "StockTools", "StockArchive", "StockBench", "StockMicro", "StockRehearsal", "StockConsole",
                "StockConnection",
                "StockJournal", "StockModel", "CLinux",
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
        .testTarget(
            name: "StockadeClientTests",
            dependencies: [
                "StockadeClient", "StockadeTesting",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Clients/Swift/Tests/StockadeClientTests"),

        .testTarget(name: "StockModelTests", dependencies: ["StockModel"]),
        .testTarget(name: "StockWireTests", dependencies: ["StockWire", "StockModel"]),
        .testTarget(
            name: "StockLedgerTests",
            dependencies: ["StockLedger", "StockWire", "StockModel"]),
        .testTarget(name: "StockJournalTests", dependencies: ["StockJournal", "StockModel", "CLinux"]),
        .testTarget(
            name: "StockArchiveTests",
            dependencies: ["StockArchive", "StockModel", "StockLedger", "StockJournal", "CSQLite", "CLinux"]),
        .testTarget(
            name: "StockServerTests",
            dependencies: ["StockServer", "StockConnection", "StockJournal", "StockLedger", "StockArchive"]),
        .testTarget(name: "StockBenchTests", dependencies: ["StockBench", "StockConnection", "CLinux"]),
        .testTarget(name: "StockConsoleTests", dependencies: ["StockConsole", "StockConnection", "StockWire"]),
        .testTarget(name: "StockRehearsalTests", dependencies: ["StockRehearsal", "StockConnection"]),
        .testTarget(
            name: "StockToolsTests",
            dependencies: [
                "StockTools", "StockArchive", "StockConnection", "StockModel", "StockLedger", "StockJournal",
            ]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["stockade", "StockRehearsal", "StockConnection", "StockJournal", "StockArchive", "CLinux"],
            // Read where it lies, as Protocol/transcripts is.
            exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)
