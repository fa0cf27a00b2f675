public import FoundationEssentials
internal import Glibc
package import Logging
package import Postgres
public import ServiceLifecycle
internal import Synchronization

/// The caches of a process: memory in front of tables that all processes share.
///
/// ``run()`` maintains them: it listens for changes, warms, refreshes, sweeps and reports. Without it, lookups still
/// work, but no user's values are kept in memory, because nothing would report their changes.
public final class Caches: Service {
    /// Vectors of texts.
    package let embeddings: TwoLevelCache<EmbeddingContent>
    /// The results of searches among users' documents.
    package let searches: TwoLevelCache<VectorSearchContent>
    /// The answers of language models.
    package let responses: TwoLevelCache<LLMResponseContent>

    let pool: PostgresPool
    let options: CacheOptions
    let logger: Logger
    /// This process's id in the table of statistics.
    let process = UUID()
    let startedAt = PostgresTimestamp(unixMicroseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    private let configuration: PostgresConfiguration
    private let schema: String
    private let refreshes = RefreshQueue()
    private let hearing = HearingSignal()

    /// Opens the caches in a database; connections are made when they are needed.
    ///
    /// - Parameters:
    ///   - url: A libpq connection string or URI.
    ///   - schema: The schema that the migrations were run in.
    /// - Throws: ``CacheError`` with `.invalidArgument` that names the option at fault.
    public convenience init(url: String, schema: String = "recorder", options: CacheOptions = .init()) throws {
        try self.init(PostgresConfiguration(url: url, schema: schema), options: options)
    }

    /// - Parameter configuration: The database; its schema is the one that the
    ///   migrations were run in, `recorder` unless given.
    package init(
        _ configuration: PostgresConfiguration,
        options: CacheOptions = .init(),
        logger: Logger = Logger(label: "recorder.cache")
    ) throws(CacheError) {
        try options.check()
        schema = configuration.recorderSchema
        var configuration = configuration
        configuration.schema = schema
        self.configuration = configuration
        self.options = options
        self.logger = logger
        configuration.connectTimeout = min(configuration.connectTimeout, options.patience)
        configuration.answerTimeout = options.patience
        let lockTimeout = "\(Int(options.patience / .milliseconds(4)))ms"
        configuration.settings.merge(["lock_timeout": lockTimeout]) { given, _ in given }
        pool = PostgresPool(configuration, limits: .init(acquireTimeout: options.patience), logger: logger)
        embeddings = TwoLevelCache(pool, options, refreshes: refreshes, logger: logger)
        searches = TwoLevelCache(pool, options, refreshes: refreshes, logger: logger)
        responses = TwoLevelCache(pool, options, refreshes: refreshes, logger: logger)
    }

    /// Closes the connections.
    public func close() async { await pool.close() }

    // MARK: Looking up

    /// The vector of a text, from the caches or computed.
    ///
    /// - Throws: What `compute` throws; `CancellationError`.
    public func embedding(
        of text: String,
        model: String,
        compute: @escaping @Sendable () async throws -> [Float]
    ) async throws -> [Float] {
        try await embeddings.value(for: EmbeddingContent.Key(text: text, model: model), compute: compute)
    }

    /// The matches of a search, from the caches or computed.
    ///
    /// A result computed from documents that have changed meanwhile is returned to the callers that already wait, and
    /// kept nowhere.
    ///
    /// - Throws: What `compute` throws; `CancellationError`.
    public func matches(
        of search: VectorSearch,
        compute: @escaping @Sendable () async throws -> [VectorMatch]
    ) async throws -> [VectorMatch] {
        try await searches.value(for: search, compute: compute)
    }

    /// A model's answer to a prompt, from the caches or computed.
    ///
    /// - Throws: What `compute` throws; `CancellationError`.
    public func response(
        to prompt: LLMPrompt,
        compute: @escaping @Sendable () async throws -> LLMResponse
    ) async throws -> LLMResponse {
        try await responses.value(for: prompt, compute: compute)
    }

    /// Reads a user's most used values into memory, for instance when a session of that user begins.
    ///
    /// - Returns: How many values.
    /// - Throws: ``CacheError``; `CancellationError`.
    @discardableResult
    public func warm(user: UUID) async throws -> Int {
        do {
            return try await searches.warm(user: user, count: options.warmCount)
                + responses.warm(user: user, count: options.warmCount)
        } catch let error as PostgresError {
            throw CacheError(error, "a user's cached values cannot be read")
        }
    }

    /// What the caches of this process have done, one element for each kind.
    public var figures: [CacheFigures] { [embeddings.figures, searches.figures, responses.figures] }

    // MARK: Keeping

    /// Waits until ``run()`` hears of changes.
    ///
    /// - Throws: `CancellationError`.
    package func waitUntilHearing() async throws { try await hearing.waitUntilHearing() }

    /// Waits until this process has dropped everything that transactions committed so far made stale.
    ///
    /// A caller that changed a document sees its effect in searches after this. A process that does not hear of changes
    /// drops everything.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    public func catchUp() async throws {
        let id = UUID()
        do {
            guard try await !hearing.waitForArrival(of: id, { try await pool.execute(check(id)) }) else { return }
            embeddings.drop(user: nil)
            searches.drop(user: nil)
            responses.drop(user: nil)
        } catch let error as PostgresError {
            throw CacheError(error, "the caches cannot ask whether they are up to date")
        }
    }

    private func check(_ id: UUID) -> SendCheck { SendCheck(id: id, channel: CacheChannel.name(schema: schema)) }

    /// Maintains the caches until the task is cancelled or a graceful shutdown is requested.
    ///
    /// While the database is away, it keeps trying.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.refreshes.run() }
                group.addTask { await self.listen() }
                group.addTask { await self.keepTables() }
                await group.waitForAll()
            }
            // Hits that are not counted yet would be lost; the connections are still open.
            await Task { await self.report() }.value
        }
        hear(false)
    }

    /// Listens for changes, and drops what they made stale.
    private func listen() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try await listenOnce()
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                failures = min(failures + 1, 8)
                logger.warning("changes of cached values are not heard of", metadata: ["error": "\(error)"])
            }
            hear(false)
            if failures > 0 { try? await Task.sleep(for: .milliseconds(20 << failures)) }
        }
    }

    /// Listens on one connection after another until this process no longer hears its own checks.
    private func listenOnce() async throws {
        let notifications = PostgresNotifications(
            configuration,
            channels: [CacheChannel.name(schema: schema)],
            quietAfter: options.checkInterval,
            logger: logger
        )
        var (isHeard, isDeaf, unanswered) = (false, false, 0)
        for try await notification in notifications {
            switch notification {
            case .listening:
                (isHeard, isDeaf, unanswered) = (true, false, 0)
                hear(true)
            case .received(_, let payload):
                unanswered = 0
                if !isHeard { hear(true) }
                isHeard = true
                apply(CacheChannel.read(payload))
            case .deaf:
                (isHeard, isDeaf) = (false, true)
                hear(false)
                logger.warning("behind a pooler, changes of cached values are not heard of: the database is asked")
            case .quiet where isDeaf: continue
            case .quiet:
                // A connection whose other end is dead is as silent as one on which nothing happens.
                guard unanswered < 2 else {
                    logger.warning("changes of cached values are not heard of: listening anew")
                    return
                }
                unanswered += 1
                do {
                    try await pool.execute(check(UUID()))
                } catch let error as PostgresError {
                    logger.warning("the database cannot be asked", metadata: ["error": "\(error)"])
                    hear(false)
                    isHeard = false
                }
            }
        }
    }

    private func apply(_ message: CacheChannel.Message) {
        switch message {
        case .check(let id): hearing.arrive(id)
        case .unknown: hear(true)
        case .dropped(let kind, let user):
            if kind == nil || kind == .embedding, user == nil { embeddings.drop(user: nil) }
            if kind == nil || kind == .vectorSearch { searches.drop(user: user) }
            if kind == nil || kind == .llmResponse { responses.drop(user: user) }
        }
    }

    private func hear(_ isHearing: Bool) {
        embeddings.hear(isHearing)
        searches.hear(isHearing)
        responses.hear(isHearing)
        hearing.set(isHearing)
    }
}

/// Sends a check over the channel, to learn whether this process hears.
private struct SendCheck: PostgresStatement {
    let id: UUID
    let channel: String

    let sql = "select pg_notify($1, $2)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(channel)
        try parameters.append(CacheChannel.check(id))
    }
}
