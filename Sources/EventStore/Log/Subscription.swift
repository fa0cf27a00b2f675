internal import Logging
internal import Postgres

/// The log from a cursor on: first what is there, then what comes, without a gap or a double at the turn between.
///
/// Pulled: the next batch is read when it is asked for. A lost connection is made anew,
/// and the subscription goes on where it was.
public struct Subscription: AsyncSequence, Sendable {
    /// Events come in batches.
    public typealias Element = LogBatch

    let configuration: PostgresConfiguration
    let schema: String
    let start: LogCursor
    let batchSize: Int
    let pollInterval: Duration
    let passesUnreadable: Bool
    let decoder: EventDecoder
    let logger: Logger

    /// Begins at the cursor that the subscription was made with.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// Holds two connections, one that listens and one that reads; dropping the iterator closes them.
    public struct Iterator: AsyncIteratorProtocol {
        private let subscription: Subscription
        private var notifications: PostgresNotifications.Iterator
        private var isListening = false
        private var connection: PostgresConnection?
        private var cursor: LogCursor

        init(_ subscription: Subscription) {
            self.subscription = subscription
            cursor = subscription.start
            notifications =
                PostgresNotifications(
                    subscription.configuration,
                    channels: [LogChannel.name(schema: subscription.schema)],
                    quietAfter: subscription.pollInterval,
                    logger: subscription.logger
                ).makeAsyncIterator()
        }

        /// The next events; waits until there are some.
        ///
        /// - Throws: ``EventStoreError`` with `.corruptEvent` unless such events are passed, `.keyUnavailable`,
        ///   `.restoredLog` or `.refused`, with `.invalidCursor` if at the start, or after a reconnect, the cursor has
        ///   seen transactions that the database has not begun, or with `.unavailable` if the server cannot be reached
        ///   at the start; `CancellationError`. After any of them the next call begins at the same place.
        public mutating func next() async throws -> LogBatch? {
            // Listen first, then look: what commits in between announces itself.
            if !isListening {
                do {
                    _ = try await notifications.next()
                } catch let error as PostgresError {
                    throw EventStoreError(.unavailable, "cannot subscribe", cause: error)
                }
                isListening = true
            }
            while true {
                do {
                    if let batch = try await read() { return batch }
                } catch let error as PostgresError {
                    guard error.isRetryable || error.code == .closed else { throw EventStoreError(cannotRead: error) }
                    subscription.logger.warning("a subscription reconnects", metadata: ["error": "\(error)"])
                    connection = nil
                }
                _ = try await notifications.next()
            }
        }

        private mutating func read() async throws -> LogBatch? {
            let connection = try await connected()
            let (cursor, limit) = (cursor, subscription.batchSize)
            let batch = try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
                try await LogReader.readOut(on: connection, after: cursor, limit: limit)
            }
            let decoded = try await subscription.decoder.events(
                batch.events,
                passingUnreadable: subscription.passesUnreadable,
                on: connection
            )
            // Only now: what could not be decoded was not delivered.
            self.cursor = batch.cursor
            return batch.events.isEmpty ? nil : LogBatch(decoded, cursor: batch.cursor)
        }

        private mutating func connected() async throws -> PostgresConnection {
            if let connection, connection.isOpen { return connection }
            var configuration = subscription.configuration
            configuration.settings.merge(LogReader.sessionSettings) { given, _ in given }
            let made = try await PostgresConnection.connect(configuration, logger: subscription.logger)
            try await LogReader.admit(cursor, on: made)
            if cursor == .beginning || cursor.window != nil { _ = try await made.first(SummarizeLog()) }
            connection = made
            return made
        }
    }
}
