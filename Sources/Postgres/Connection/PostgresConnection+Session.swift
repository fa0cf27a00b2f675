extension PostgresConnection {
    /// Whether a pooler lends the session for one transaction at a time, so that it gets no notifications.
    ///
    /// - Throws: ``PostgresError`` with `.closed`; `CancellationError`.
    package func isLent() async throws -> Bool { try await perform { exchange in exchange.libpq.lent != nil } }

    /// Changes a setting for the rest of the session; in a lent session, from the next transaction on.
    ///
    /// - Throws: ``PostgresError``; `CancellationError`.
    package func set(_ name: String, to value: String) async throws {
        try await perform { exchange in try exchange.set(name, to: value) }
    }

    /// Changes how long the server may take to answer from now on; never to longer than it could until now.
    package func limitAnswers(to timeout: Duration) {
        configuration.answerTimeout = min(configuration.answerTimeout ?? timeout, timeout)
    }
}
