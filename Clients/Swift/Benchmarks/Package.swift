// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who builds Stockade or its client builds it.
let package = Package(
    name: "client-benchmark",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "stockade", path: "../../..")
    ],
    targets: [
        .executableTarget(
            name: "client-benchmark",
            dependencies: [.product(name: "StockadeClient", package: "stockade")],
            path: "Sources/ClientBenchmark")
    ],
    swiftLanguageModes: [.v6]
)
