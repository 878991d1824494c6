// swift-tools-version: 6.1
import PackageDescription

// The map of these targets, and which may import which, is Sources/README.md.
let package = Package(
    name: "stockade",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "stockade", targets: ["stockade"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
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
        .executableTarget(
            name: "stockade",
            dependencies: [
                "StockServer", "StockConnection", "StockJournal", "StockModel", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),

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
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["stockade", "StockConnection", "StockJournal", "StockArchive", "CLinux"],
            // Read where it lies, as Protocol/transcripts is.
            exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)
