// swift-tools-version: 6.3
import PackageDescription

/// Every target is built with these, tests included.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")

/// The layers, lowest first. `ArchitectureTests` holds every import against the same table.
let layers: [(name: String, dependencies: [Target.Dependency])] = [
    ("EventModel", []),
    ("Postgres", ["CLibpq", logging, metrics]),
    ("PayloadCodec", ["CLZ4", "CLibcrypto", crypto]),
    ("EventStore", ["EventModel", "PayloadCodec", "Postgres", logging, metrics]),
    ("Schema", ["Postgres"]),
    ("Projector", ["EventModel", "EventStore", "PayloadCodec", "Schema", "Postgres", lifecycle, logging, metrics]),
    ("ReadModel", ["EventModel", "Postgres"]),
    ("Directory", ["EventModel", "EventStore", "Postgres", logging]),
    ("Cache", ["Postgres", crypto, httpClient, nioCore, nioHTTP1, lifecycle, logging, metrics]),
    (
        "Privacy",
        ["EventModel", "EventStore", "Schema", "Projector", "Cache", "Postgres", crypto, logging]
    ),
    ("Simulator", ["EventModel"]),
    ("HotFunctions", ["EventModel", "PayloadCodec", "Postgres", "Simulator"]),
    ("Operations", ["Schema", logging, metrics]),
    (
        "Benchmarks",
        [
            "EventModel", "PayloadCodec", "Postgres", "EventStore", "Schema", "Projector", "Cache", "Simulator",
            "Operations", logging,
        ]
    ),
]

/// Programs in other languages that tests run.
let testPrograms = [
    "EventStore": ["append_with_psycopg.py"],
    "Cache": ["sign_with_botocore.py"],
]

/// What a layer's tests use: the layer, what it is made of, and what they are made with.
func testDependencies(of layer: (name: String, dependencies: [Target.Dependency])) -> [Target.Dependency] {
    let own: [Target.Dependency] = [.byName(name: layer.name), "RecorderTesting"]
    // The directory's changes are followed through the log to the audit log, a person's words to every place they go.
    let further: [String: [Target.Dependency]] = [
        "Directory": ["PayloadCodec", "Projector", "ReadModel", "Schema"],
        "Operations": ["Postgres"],
        "Privacy": ["PayloadCodec", "ReadModel", "Directory", "Operations"],
    ]
    return own + layer.dependencies + (further[layer.name] ?? [])
}

/// What the command line is made of: all layers, and what reads its words and settings.
let commandLine: [Target.Dependency] =
    layers.filter { $0.name != "HotFunctions" }.map { Target.Dependency.byName(name: $0.name) }
    + [argumentParser, configuration, lifecycle, logging, signals]

let package = Package(
    name: "session-recorder",
    products: [
        .executable(name: "recorder", targets: ["recorder"]),
        // For the package in Tests/MicroBenchmarks; no service needs it.
        .library(name: "HotFunctions", targets: ["HotFunctions"]),
        .library(name: "SessionRecorder", targets: ["EventModel", "EventStore", "ReadModel", "Directory", "Cache"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .executableTarget(name: "embed-sql", path: "Sources/EmbedSQL", swiftSettings: settings),
        .plugin(
            name: "EmbedSQLPlugin",
            capability: .buildTool(),
            dependencies: ["embed-sql"],
            path: "Sources/EmbedSQLPlugin"
        ),
    ]
        + layers.flatMap { layer in
            [
                Target.target(
                    name: layer.name,
                    dependencies: layer.dependencies,
                    exclude: layer.name == "Schema" ? ["SQL"] : [],
                    swiftSettings: settings,
                    plugins: layer.name == "Schema" ? ["EmbedSQLPlugin"] : nil
                ),
                Target.testTarget(
                    name: "\(layer.name)Tests",
                    dependencies: testDependencies(of: layer),
                    exclude: testPrograms[layer.name] ?? [],
                    swiftSettings: settings
                ),
            ]
        }
        + [
            .target(
                name: "RecorderTesting",
                dependencies: ["EventModel", "Operations", "Postgres", "Schema", logging],
                exclude: ["object_server.py"],
                swiftSettings: settings
            ),
            .testTarget(
                name: "RecorderTestingTests",
                dependencies: ["RecorderTesting", "Operations", "Postgres", logging],
                swiftSettings: settings
            ),
            .testTarget(name: "ArchitectureTests", swiftSettings: settings),
            .testTarget(
                name: "EndToEndTests",
                dependencies: ["EventModel", "Operations", "Postgres", "RecorderTesting"],
                swiftSettings: settings
            ),
            .testTarget(
                name: "FaultTests",
                dependencies: ["EventModel", "Operations", "Postgres", "RecorderTesting", "Simulator"],
                swiftSettings: settings
            ),
            .executableTarget(
                name: "recorder",
                dependencies: commandLine,
                swiftSettings: settings
            ),
            .testTarget(
                name: "recorderTests",
                dependencies: ["recorder", "RecorderTesting", "Cache", "EventModel", "Operations", "Postgres"],
                swiftSettings: settings
            ),
        ]
)
