import Benchmark
import HotFunctions

/// What the plugin looks for: makes a benchmark of each function.
let benchmarks: @Sendable () -> Void = {
    let functions: [HotFunction]
    do {
        functions = try HotFunction.all()
    } catch {
        preconditionFailure("the functions refuse their own sample: \(error)")
    }
    for function in functions {
        // A thousand calls are one measurement, and figures are shown of one; a group is measured by itself.
        let configuration = Benchmark.Configuration(
            metrics: [.wallClock, .throughput],
            scalingFactor: function.events == 1 ? .kilo : .one,
            maxDuration: .seconds(2)
        )
        Benchmark(function.name, configuration: configuration) { benchmark in
            for number in benchmark.scaledIterations { blackHole(function.call(number)) }
        }
    }
}
