import ArgumentParser
import Logging

/// The flag of commands that count what they do.
struct MetricsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write what is counted to this file every ten seconds, for node_exporter's textfile collector: a name in .prom.",
            valueName: "file"
        ),
        completion: .file()
    )
    var metricsFile: String?

    func validate() throws {
        guard metricsFile.map({ $0.hasSuffix(".prom") }) ?? true else {
            throw ValidationError("--metrics-file has a name that ends in .prom: others are not collected.")
        }
    }

    /// Runs `body`, and rewrites the file meanwhile, if one was asked for. Call it before anything is counted.
    ///
    /// - Throws: As ``MetricsFile/withWriting(_:_:)``.
    func counting<R>(_ logger: Logger, _ body: () async throws -> R) async throws -> R {
        guard let metricsFile else { return try await body() }
        return try await MetricsFile(path: metricsFile).withWriting(logger, body)
    }
}
