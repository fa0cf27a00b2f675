public import EventModel

internal import FoundationEssentials
package import Logging
package import PayloadCodec
package import Postgres

/// The log of events in one schema of a PostgreSQL database: reads it, and makes appenders to it.
public final class PostgresEventStore: Sendable {
    /// Which way to read a stream.
    public enum Direction: Sendable {
        /// Ascending versions.
        case forwards
        /// Descending versions.
        case backwards
    }

    /// The most events that one read returns.
    public static let largestPage = 10_000

    /// How long the server may take for each answer to whoever reads: if it is frozen, it keeps its connections open
    /// and says nothing. An answer is at most a page, whatever is read altogether.
    private static let answerTimeout = Duration.seconds(60)

    private let configuration: PostgresConfiguration
    private let schema: String
    let pool: PostgresPool
    let decoder: EventDecoder
    private let keyPool: PostgresPool
    private let sealer: SubjectSealer
    private let server: ServerPatience
    private let logger: Logger

    /// Opens a store; connections are made when they are needed.
    ///
    /// - Parameters:
    ///   - url: A libpq connection string or URI.
    ///   - schema: The schema that the migrations were run in.
    ///   - keys: The key-encryption keys, for a log whose personal fields are sealed.
    public convenience init(url: String, schema: String = "recorder", keys: SealingKeys = .none) {
        self.init(PostgresConfiguration(url: url, schema: schema), keys: keys)
    }

    /// - Parameters:
    ///   - configuration: The database; its schema is the one that the migrations were run in, by default `recorder`.
    ///     Unless it says how long an answer may take, that is a minute.
    ///   - keys: The key-encryption keys, for a log whose personal fields are sealed.
    ///   - limits: The bounds of the pool that reads use.
    package init(
        _ configuration: PostgresConfiguration,
        keys: SealingKeys = .none,
        limits: PostgresPool.Limits = .init(),
        logger: Logger = Logger(label: "recorder.store")
    ) {
        schema = configuration.recorderSchema
        var configuration = configuration
        configuration.schema = schema
        configuration.answerTimeout = configuration.answerTimeout ?? Self.answerTimeout
        self.configuration = configuration
        self.logger = logger
        pool = PostgresPool(configuration, limits: limits, logger: logger)
        decoder = EventDecoder(keys: keys)
        // Appends wait for keys, and a server that says nothing must not hold them for ever.
        configuration.answerTimeout = SubjectSealer.patience
        keyPool = PostgresPool(configuration, limits: .init(size: 2), logger: logger)
        server = ServerPatience(logger: logger)
        sealer = SubjectSealer(keyPool, keys: keys, server: server)
    }

    /// Closes the store's connections. Later calls fail with `.closed`, and so do appends of an appender that still
    /// runs. Subscriptions have connections of their own and go on until their iterators are dropped.
    public func close() async {
        await pool.close()
        await keyPool.close()
        // From now on nothing can tell whether the remembered keys are still valid.
        sealer.forgetAll()
    }

    // MARK: Appending

    /// Runs an appender while `body` runs, and writes everything that it was given before it returns.
    ///
    /// Waits for a server that is away as an append does.
    ///
    /// - Throws: What `body` throws; ``EventStoreError`` with `.unavailable`, `.refused`, `.corruptEvent` or `.closed`
    ///   if the newest dictionary cannot be loaded.
    public func withAppender<R: Sendable>(
        limits: EventAppender.Limits = .init(),
        _ body: @Sendable (EventAppender) async throws -> R
    ) async throws -> R {
        try await EventAppender.withAppender(
            to: configuration,
            limits: limits,
            encoder: try await server.wait(limits.patience) { try await encoder() },
            sealer: sealer,
            logger: logger,
            body
        )
    }

    /// Makes an encoder with the newest dictionary, or without one if there is none.
    ///
    /// - Throws: ``EventStoreError`` with `.unavailable`, `.refused` or `.closed`, or with `.corruptEvent` if the
    ///   dictionary's row is damaged.
    package func encoder() async throws -> PayloadEncoder {
        try await reading { connection in
            guard let row = try await connection.first(NewestDictionary()) else { return PayloadEncoder() }
            return PayloadEncoder(dictionary: try row.dictionary())
        }
    }

    /// Checks that personal fields can be sealed, if the log is sealed; worth knowing before the first event of many.
    ///
    /// - Throws: ``EventStoreError`` with `.keyUnavailable`, `.unavailable`, `.refused` or `.closed`;
    ///   `CancellationError`.
    package func checkSealingKey() async throws { try await sealer.checkKey() }

    // MARK: Reading

    /// Reads a part of a stream.
    ///
    /// - Parameters:
    ///   - version: The first version to read; `nil` for the stream's first, or its last when reading backwards.
    ///   - direction: Which way to go from there.
    ///   - limit: How many events at most, 1 … ``largestPage``.
    /// - Returns: The events in the direction of reading; fewer than the limit also if more would not fit into memory
    ///   together; none if the stream holds none there.
    /// - Throws: ``EventStoreError`` with `.corruptEvent`, `.keyUnavailable` if something is sealed under a
    ///   key-encryption key that is not here, `.unavailable`, `.refused` or `.closed`; `CancellationError`.
    public func read(
        _ stream: StreamID,
        from version: Int? = nil,
        _ direction: Direction = .forwards,
        limit: Int = 1_000
    ) async throws -> [RecordedEvent] {
        let statement = ReadStream(
            stream: stream,
            version: Int32(clamping: version ?? (direction == .forwards ? 1 : Int(Int32.max))),
            direction: direction,
            limit: min(max(1, limit), Self.largestPage)
        )
        return try await reading { connection in
            try await self.decoder.events(try await connection.query(statement).fitting, on: connection)
        }
    }

    /// Reads a page of the log.
    ///
    /// - Parameters:
    ///   - cursor: Where the page begins.
    ///   - limit: How many events at most, 1 … ``largestPage``.
    ///   - passesUnreadable: Whether events that cannot be decoded are returned beside the others, instead of an error.
    /// - Returns: The events and the cursor after them; none at the head.
    /// - Throws: ``EventStoreError`` with `.corruptEvent`, `.keyUnavailable`, `.restoredLog`, `.unavailable`,
    ///   `.refused`, `.closed`, or with `.invalidCursor` if the cursor has seen transactions that the database has not
    ///   begun; `CancellationError`.
    public func readLog(
        after cursor: LogCursor = .beginning,
        limit: Int = 1_000,
        passesUnreadable: Bool = false
    ) async throws -> LogBatch {
        let limit = min(max(1, limit), Self.largestPage)
        return try await reading { connection in
            try await LogReader.admit(cursor, on: connection)
            if cursor == .beginning { _ = try await connection.first(SummarizeLog()) }
            let batch = try await LogReader.readOut(on: connection, after: cursor, limit: limit)
            let decoded = try await self.decoder.events(
                batch.events,
                passingUnreadable: passesUnreadable,
                on: connection
            )
            return LogBatch(decoded, cursor: batch.cursor)
        }
    }

    /// The cursor after everything that is committed now.
    ///
    /// - Throws: ``EventStoreError`` with `.unavailable`, `.refused` or `.closed`; `CancellationError`.
    public func head() async throws -> LogCursor {
        try await reading { connection in try await LogReader.head(on: connection) }
    }

    /// Whether an event is in its stream at a version.
    ///
    /// - Throws: ``EventStoreError`` with `.unavailable`, `.refused` or `.closed`; `CancellationError`.
    package func holds(_ id: EventID, at version: Int, of stream: StreamID) async throws -> Bool {
        try await reading { connection in
            try await connection.first(FindEvent(stream: stream, version: version, id: id)) != nil
        }
    }

    /// Follows the log from a cursor on.
    ///
    /// - Parameters:
    ///   - cursor: Where to begin; ``head()`` for new events only.
    ///   - batchSize: How many events a batch holds at most.
    ///   - pollInterval: After how much silence to look without being woken: SQL clients' appends send no notification.
    ///   - passesUnreadable: Whether events that cannot be decoded are delivered beside the others; otherwise the
    ///     subscription stops before them.
    public func subscribe(
        after cursor: LogCursor = .beginning,
        batchSize: Int = 1_000,
        pollInterval: Duration = .seconds(1),
        passesUnreadable: Bool = false
    ) -> Subscription {
        Subscription(
            configuration: configuration,
            schema: schema,
            start: cursor,
            batchSize: min(max(1, batchSize), Self.largestPage),
            pollInterval: pollInterval,
            passesUnreadable: passesUnreadable,
            decoder: decoder,
            logger: logger
        )
    }

    func reading<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        do {
            return try await pool.withConnection(body)
        } catch let error as PostgresError {
            throw EventStoreError(cannotRead: error)
        }
    }

    // MARK: Statements

    struct ReadStream: PostgresStatement {
        let stream: StreamID
        let version: Int32
        let direction: Direction
        let limit: Int

        var sql: String {
            let (comparison, order) = direction == .forwards ? (">=", "asc") : ("<=", "desc")
            return """
                select \(StoredEvent.columns) from events
                where stream_id = $1 and version \(comparison) $2 order by version \(order) limit $3
                """
        }

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(stream.uuid)
            try parameters.append(version)
            try parameters.append(limit)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StoredEvent { try StoredEvent(row) }
    }
}
