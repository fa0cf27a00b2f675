/// Why a benchmark could not be run.
package struct BenchmarkError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Code: Sendable {
        /// The input cannot be read or is not a file of events.
        case input
        /// The server may lose what it acknowledged.
        case undurable
        /// What was measured failed, or stands still.
        case process
    }

    package let code: Code
    /// What went wrong, and what to do.
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// How long a projector may stand still.
    private static let standstill = Duration.seconds(60)

    /// Gives up when the projector has not moved for long.
    ///
    /// - Throws: ``BenchmarkError`` with `.process`.
    static func checkMoving(since moment: ContinuousClock.Instant) throws(BenchmarkError) {
        guard moment.duration(to: .now) > standstill else { return }
        throw BenchmarkError(.process, "the projector has not moved for \(standstill): see what it logs")
    }
}
