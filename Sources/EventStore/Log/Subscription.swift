internal import Logging
internal import Postgres

/// Delivers the log from a cursor on: first the events that are there, then new ones, with no gap or duplicate in
/// between.
///
/// It is pulled: the next batch is read when it is asked for. After a lost connection, or if the server has been silent
/// for a minute, it reconnects and goes on where it was.
public struct Subscription: AsyncSequence, Sendable {
    /// A batch of events.
    public typealias Element = LogBatch

    let configuration: PostgresConfiguration
    let schema: String
    let start: LogCursor
    let batchSize: Int
    let pollInterval: Duration
    let passesUnreadable: Bool
    let decoder: EventDecoder
    let logger: Logger

    /// Begins at the cursor that the subscription was created with.
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
        /// - Throws: ``EventStoreError`` with `.corruptEvent` unless such events are passed over, `.keyUnavailable`,
        ///   `.restoredLog`, `.refused`, `.invalidCursor` if at the start or after a reconnect the cursor has seen
        ///   transactions that the database has not begun, or `.unavailable` if the server cannot be reached at the
        ///   start; `CancellationError`. After any of these the next call begins at the same place.
        public mutating func next() async throws -> LogBatch? {
            // Listen first, then look: a commit in between then sends a notification.
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
            let batch = try await LogReader.readOut(on: connection, after: cursor, limit: limit)
            let decoded = try await subscription.decoder.events(
                batch.events,
                passingUnreadable: subscription.passesUnreadable,
                on: connection
            )
            // Move the cursor only now: what could not be decoded was not delivered.
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
