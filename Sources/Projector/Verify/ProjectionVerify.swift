internal import EventModel
internal import EventStore
internal import FoundationEssentials
package import Logging
package import Postgres
package import Schema

/// Folds the log afresh beside a live read model and compares row by row, where the live checkpoints stand.
///
/// It changes nothing that others see. If it is killed, it resumes when run again; ``discard()`` removes what it left.
package struct ProjectionVerify: Sendable {
    private let configuration: PostgresConfiguration
    private let schema: String
    private let files: ProjectionFiles
    private let options: RebuildOptions
    private let logger: Logger

    /// - Parameters:
    ///   - projection: The version to verify, which has its tables.
    ///   - configuration: The database, with the recorder's schema.
    ///   - options: How to fold, and how many differences to show.
    package init(
        _ projection: ProjectionFiles,
        configuration: PostgresConfiguration,
        options: RebuildOptions = RebuildOptions(),
        logger: Logger = Logger(label: "recorder.verify")
    ) {
        files = projection
        self.configuration = configuration
        schema = configuration.recorderSchema
        self.options = options
        self.logger = logger
    }

    /// The versions that the views read now.
    ///
    /// - Parameters:
    ///   - name: The only projection to look at; `nil` for all.
    ///   - all: All versions of all projections.
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if there is none of
    ///   this name; `SchemaError`; `PostgresError`.
    package static func active(
        _ name: String? = nil,
        among all: [ProjectionFiles],
        configuration: PostgresConfiguration
    ) async throws -> [ProjectionFiles] {
        let installed = try await PostgresConnection.with(configuration) { connection in
            try await ProjectionInstaller(schema: configuration.recorderSchema).installed(on: connection)
        }
        if let name { _ = try all.version(nil, of: name) }
        return all.filter { files in
            (name == nil || files.name == name) && installed.contains { $0.id == files.id && $0.isActive }
        }
    }

    /// Folds the log and compares.
    ///
    /// - Parameters:
    ///   - sample: How many streams to compare, chosen at random; all of them if `nil`, or if the projection does not
    ///     say that its rows belong to streams (`-- key: stream`).
    ///   - progress: Called after each batch.
    /// - Throws: ``ProjectorError``; `SchemaError`; `PostgresError`; `CancellationError`.
    package func run(
        sample: Int? = nil,
        _ progress: @escaping @Sendable (RebuildProgress) -> Void = { _ in }
    ) async throws -> VerifyOutcome {
        try await FoldSession.withConnection(configuration, schema: schema, logger: logger) { connection in
            if let sample, files.isKeyedByStream {
                try await compare(streams: sample, on: connection)
            } else {
                try await compareAll(on: connection, progress)
            }
        }
    }

    /// Removes what a killed verification left.
    package func discard() async throws {
        try await PostgresConnection.with(configuration, logger: logger) { connection in
            _ = try await ShadowModel(files, purpose: .verify, recorder: schema).discard(on: connection)
        }
    }

    private func compareAll(
        on connection: PostgresConnection,
        _ progress: @escaping @Sendable (RebuildProgress) -> Void
    ) async throws -> VerifyOutcome {
        let model = ShadowModel(files, purpose: .verify, recorder: schema)
        var preparation = try await ShadowPreparation(on: connection)
        let prepared = try await preparation.run(model, live: files, on: connection)
        let meter = RebuildMeter([prepared.checkpoints], progress)
        let session = ShadowModel.session(of: [model], configuration)
        let comparison = try await FoldSession.withPool(session, size: options.parallelism) { pool in
            let build = ShadowBuild(
                of: [model],
                on: pool,
                decoder: EventDecoder(keys: options.keys),
                options: options
            ) { meter.add($0, for: [model]) }
            let follower = LiveFollower(build: build, model: model, live: files, limit: options.differenceLimit)
            return try await follower.compare(on: connection) { meter.enter(.comparing) }
        }
        try await model.discard(on: connection)
        return VerifyOutcome(
            projection: files.id,
            comparison: comparison,
            sampledStreams: nil,
            events: meter.readHere(for: files.name)
        )
    }

    // MARK: Samples

    /// Folds some streams and compares their rows, in one transaction that is rolled back.
    private func compare(streams count: Int, on connection: PostgresConnection) async throws -> VerifyOutcome {
        let model = ShadowModel(files, purpose: .verify, recorder: schema)
        // Everything is folded on this connection: the pool opens none.
        return try await PostgresPool.with(configuration, logger: logger) { pool in
            let build = ShadowBuild(
                of: [model],
                on: pool,
                decoder: EventDecoder(keys: options.keys),
                options: options
            ) { _ in }
            return try await connection.rolledBackTransaction(isolation: .repeatableRead) { connection in
                try await sample(count, of: model, by: build, on: connection)
            }
        }
    }

    private func sample(
        _ count: Int,
        of model: ShadowModel,
        by build: ShadowBuild,
        on connection: isolated PostgresConnection
    ) async throws -> VerifyOutcome {
        let live = try await connection.query(LiveCheckpoints.Select(projection: files))
        let streams = try await connection.query(LogReader.SampleStreams(count: count))
        try await connection.run(
            unsafeSQL: "drop schema if exists \(PostgresConfiguration.quotedIdentifier(model.schema)) cascade"
        )
        try await model.create(on: connection)
        var events = 0
        for stream in streams {
            let shard = live.first { $0.shard == ShardSet.shard(of: stream, count: $0.shards) }
            events += try await fold(stream, until: shard?.cursor ?? .beginning, by: build, on: connection)
        }
        try await model.createViews(live: files, on: connection)
        let comparison = ViewComparison(
            expected: model.schema,
            found: model.liveViews,
            recorder: schema,
            limit: options.differenceLimit,
            streams: streams.map(\.description)
        )
        return VerifyOutcome(
            projection: files.id,
            comparison: try await comparison.run(on: connection),
            sampledStreams: streams.count,
            events: events
        )
    }

    /// Folds a stream page after page, as far as a cursor has delivered it and its events can be applied.
    ///
    /// - Returns: How many events were read.
    private func fold(
        _ stream: StreamID,
        until cursor: LogCursor,
        by build: ShadowBuild,
        on connection: isolated PostgresConnection
    ) async throws -> Int {
        var (version, count, goesOn) = (1, 0, true)
        while goesOn {
            let page = LogReader.SelectDelivered(of: stream, from: version, at: cursor, limit: build.batchSize)
            let events = try await connection.query(page).fitting
            guard let last = events.last else { break }
            goesOn = try await build.apply(events, on: connection)
            count += events.count
            version = last.version + 1
        }
        return count
    }
}
