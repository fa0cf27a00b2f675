// swift-tools-version: 6.3
import PackageDescription

/// Measures the functions that every event goes through, each alone: `make microbench`. A package of its own, so that
/// nobody who builds the recorder builds what it is measured with.
let package = Package(
    name: "micro-benchmarks",
    dependencies: [
        .package(name: "session-recorder", path: "../.."),
        // Without traits: what counts allocations brings further packages, and slows every allocation down.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "HotFunctionBenchmarks",
            dependencies: [
                .product(name: "HotFunctions", package: "session-recorder"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/HotFunctionBenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        )
    ]
)
