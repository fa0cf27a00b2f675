import EventModel
import Postgres
import Projector
import ReadModel
import Schema

/// Reports streams in quarantine, where a command's own result does not show them.
enum StoppedStreams {
    private static let advice =
        "`recorder projections status` says why; after the fix, run `recorder projections retry`"

    /// Reports on standard error how many streams each projection has stopped, if there are any.
    ///
    /// - Parameter projections: The versions that are asked about.
    /// - Returns: How many there are.
    /// - Throws: `PostgresError`.
    static func report(of projections: [ProjectionFiles], _ settings: Settings) async throws -> Int {
        let counts = try await settings.withPool { try await QuarantinedStream.counts(on: $0) }
        let stopped = projections.compactMap { files in counts.first { $0.key == files.id } }
        let total = stopped.reduce(0) { $0 + $1.value }
        guard total > 0 else { return 0 }
        let places = stopped.map { "\($0.key): \(Counted.grouped($0.value))" }.joined(separator: ", ")
        StandardError.line(
            "recorder: \(Counted.text(total, "stream")) stopped at an event that a projection cannot apply (\(places)): \(advice)"
        )
        return total
    }

    /// Warns on standard error of what read models lack because streams are stopped, if they lack anything.
    ///
    /// - Parameters:
    ///   - projections: The projections that were read.
    ///   - stream: The one stream that was asked about; nil for all.
    ///   - models: Where they were read.
    /// - Throws: `ReadModelError`.
    static func warn(of projections: [String], stream: StreamID? = nil, _ models: ReadModels) async throws {
        for (projection, streams) in try await models.stoppedStreams(of: projections, stream: stream) {
            let lacking =
                stream == nil ? "what \(Counted.text(streams, "stream")) recorded" : "what the session recorded"
            StandardError.line(
                "recorder: \(projection) lacks \(lacking) from an event on that it cannot apply: \(advice)"
            )
        }
    }
}
