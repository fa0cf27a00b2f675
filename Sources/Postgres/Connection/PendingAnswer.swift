internal import CLibpq
internal import Glibc

/// The answer to a statement that is on its way to the server, for whoever has something else to do until it comes.
package struct PendingAnswer: ~Copyable {
    private let libpq: LibpqConnection
    private let deadline: ContinuousClock.Instant?

    init(_ libpq: LibpqConnection, until deadline: ContinuousClock.Instant?) {
        self.libpq = libpq
        self.deadline = deadline
    }

    /// Waits for the answer or a signal. Blocks the connection's thread.
    ///
    /// - Returns: Whether the signal came first. If not, go back and read the answer: it is there, or the wait for it
    ///   was cancelled or has lasted too long.
    package borrowing func isPreceded(by signal: WakeSignal) -> Bool {
        let readiness = libpq.interrupt.wait(for: POLLIN, of: libpq.socket, or: signal, until: deadline)
        return readiness == .ready && !isReadable(libpq.socket)
    }
}

extension PostgresConnection {
    /// Runs a statement and decodes its rows, and does something else until the answer comes.
    ///
    /// - Parameter meanwhile: Called on the connection's thread when the statement is on its way; the answer is not
    ///   read before it returns. It may be called twice, if the statement's plan was invalid, or not at all: in a lent
    ///   session, as the first statement of a transaction that begins late, or if sending failed.
    package func query<S: PostgresStatement>(
        _ statement: S,
        meanwhile: (borrowing PendingAnswer) -> Void
    ) async throws -> [S.Row] {
        try await perform { exchange in try exchange.run(statement, meanwhile: meanwhile).rows(statement) }
    }
}
