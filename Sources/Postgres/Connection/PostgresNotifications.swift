package import Logging

/// An element of ``PostgresNotifications``.
package enum PostgresNotification: Sendable, Equatable {
    /// The session now listens. Anything sent before may have been missed: read to the head now.
    ///
    /// `again` is `true` after a lost connection.
    case listening(again: Bool)
    /// A pooler lends the session for one transaction at a time: no notification will arrive, so the owner must poll.
    case deaf
    /// A notification arrived on a channel.
    case received(channel: String, payload: String)
    /// Nothing arrived within the listener's longest wait, or the server cannot be reached: time to do other work
    /// before asking again.
    case quiet
}

/// Notifications of channels, over a connection of its own that is replaced whenever it breaks.
///
/// Nothing runs in the background: the iterator waits when its owner asks for the next element; meanwhile notifications
/// gather in the socket.
///
/// Source: PostgreSQL manual, "LISTEN": listen first, then look at the state.
package struct PostgresNotifications: AsyncSequence, Sendable {
    package typealias Element = PostgresNotification

    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let quietAfter: Duration?
    private let logger: Logger

    /// - Parameters:
    ///   - channels: The channels' names.
    ///   - quietAfter: After how much silence the sequence yields `.quiet`; `nil` for never.
    package init(
        _ configuration: PostgresConfiguration,
        channels: [String],
        quietAfter: Duration? = nil,
        logger: Logger = Logger(label: "recorder.postgres")
    ) {
        self.configuration = configuration
        self.channels = channels
        self.quietAfter = quietAfter
        self.logger = logger
    }

    package func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// Holds the connection; dropping the iterator closes it.
    package struct Iterator: AsyncIteratorProtocol {
        private let sequence: PostgresNotifications
        private var connection: PostgresConnection?
        private var hasListened = false
        private var failures = 0

        /// The longest pause between two attempts to connect.
        private static let longestPause = Duration.seconds(2)

        init(_ sequence: PostgresNotifications) { self.sequence = sequence }

        /// - Throws: `CancellationError`; ``PostgresError`` with `.connectionFailed` only if the very first attempt
        ///   fails.
        package mutating func next() async throws -> PostgresNotification? {
            while true {
                try Task.checkCancellation()
                do {
                    guard let connection else {
                        let isHeard = try await listen()
                        defer { hasListened = true }
                        return isHeard ? .listening(again: hasListened) : .deaf
                    }
                    guard let next = try await connection.nextNotification(within: sequence.quietAfter) else {
                        return .quiet
                    }
                    return .received(channel: next.channel, payload: next.payload)
                } catch let error as PostgresError where hasListened {
                    connection = nil
                    if try await pauses(after: error) { return .quiet }
                }
            }
        }

        /// - Returns: Whether notifications can be received.
        private mutating func listen() async throws -> Bool {
            let made = try await PostgresConnection.connect(sequence.configuration, logger: sequence.logger)
            let isLent = try await made.isLent()
            // A listener is idle most of the time; the server must not end its session for that.
            if !isLent { try await made.run(unsafeSQL: "set idle_session_timeout = 0") }
            for channel in isLent ? [] : sequence.channels {
                try await made.run(unsafeSQL: "listen \(PostgresConfiguration.quotedIdentifier(channel))")
            }
            connection = made
            failures = 0
            return !isLent
        }

        /// Lets a lost connection be replaced at once, but pauses if the server stays away.
        ///
        /// - Returns: Whether there was a pause, after which the owner should do other work.
        private mutating func pauses(after error: PostgresError) async throws -> Bool {
            failures += 1
            // Logging each attempt at a server that stays away would bury everything else in the log.
            if failures <= 2 || failures.isMultiple(of: 30) {
                sequence.logger.warning(
                    "listening was interrupted",
                    metadata: ["error": "\(error)", "failures": "\(failures)"]
                )
            }
            guard failures > 1 else { return false }
            let pause = Duration.milliseconds(10 << Swift.min(failures, 10))
            try await Task.sleep(for: Swift.min(pause, Self.longestPause))
            return true
        }
    }
}
