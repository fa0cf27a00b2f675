/// Why a benchmark could not be run.
package struct BenchmarkError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Code: Sendable {
        /// The input cannot be read or is not a file of events.
        case input
        /// The server may lose what it acknowledged.
        case undurable
        /// A process that was measured failed.
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
}
