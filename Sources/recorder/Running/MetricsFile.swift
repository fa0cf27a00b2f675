import Foundation
import Logging
import Operations
import Schema

/// A file of what the process has counted, for the textfile collector of Prometheus's node_exporter.
///
/// It is replaced as a whole, so that nobody reads half of it.
struct MetricsFile: Sendable {
    /// How often it is rewritten.
    private static let interval = Duration.seconds(10)

    let path: String
    private let registry: MetricsRegistry

    /// - Parameter path: Its name is the label `source` of every line: the
    ///   collector refuses the same series from two files.
    init(path: String) {
        self.path = path
        registry = MetricsRegistry(labels: [("source", URL(filePath: path).deletingPathExtension().lastPathComponent)])
    }

    /// Begins to count, and rewrites the file until `body` is done, and then once more.
    ///
    /// - Throws: ``CommandError`` with code `.file` if it cannot be written at the beginning; what `body` throws.
    func withWriting<R>(_ logger: Logger, _ body: () async throws -> R) async throws -> R {
        registry.bootstrap()
        try write()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await keepWriting(logger) }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    private func keepWriting(_ logger: Logger) async {
        var failure: String?
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            do throws(CommandError) {
                try write()
                failure = nil
            } catch {
                // A full disk stays full for a while, so the same failure is logged once.
                if failure != error.message { logger.warning("\(error.message)") }
                failure = error.message
            }
        }
    }

    private func write() throws(CommandError) {
        do {
            try Data(registry.text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw CommandError(.file, "the metrics file \(path) cannot be written: \(error.fileReason)", cause: error)
        }
    }
}
