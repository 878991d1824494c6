// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who builds Stockade or its client builds a web framework.
let package = Package(
    name: "checkout",
    platforms: [.macOS(.v15)],
    dependencies: [
        // In a shop's own package: .package(url: "https://github.com/OWNER/stockade", from: "0.1.0").
        .package(name: "stockade", path: "../../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .target(
            name: "Checkout",
            dependencies: [
                .product(name: "StockadeClient", package: "stockade"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(name: "checkout", dependencies: ["Checkout"], path: "Sources/CheckoutService"),
        .testTarget(
            name: "CheckoutTests",
            dependencies: [
                "Checkout",
                .product(name: "StockadeTesting", package: "stockade"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
