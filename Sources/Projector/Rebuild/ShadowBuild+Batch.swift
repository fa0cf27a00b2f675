internal import EventModel
internal import EventStore
internal import Postgres
internal import Schema

/// Folding one batch into the shadows of a lane, in the open transaction.
extension ShadowBuild {
    /// How many events of a batch belong to each shadow, by shard.
    private struct Counts {
        /// Those that its projection handles.
        var read: [[Int]]
        /// Those of them whose streams it had not stopped.
        var given: [[Int]]

        init(_ filter: ShardFilter) {
            read = filter.counts.map { [Int](repeating: 0, count: $0) }
            given = read
        }
    }

    /// Folds a batch with its checkpoints.
    ///
    /// A stream with an event that a projection cannot apply is stopped there for that projection,
    /// as the workers stop it in the live model.
    ///
    /// - Parameters:
    ///   - limit: The most events to read; `nil` while their size is unknown.
    ///   - isCareful: Whether to look for the events that fail, after a batch has failed.
    /// - Throws: As ``advance(_:to:)``.
    func fold(
        _ lane: ShadowLane,
        limit: Int? = nil,
        isCareful: Bool,
        on connection: isolated PostgresConnection
    ) async throws -> Step {
        let batch = try await LogReader.read(
            on: connection,
            after: lane.cursor,
            until: lane.target,
            limit: limit ?? BatchLimit(batchSize).events,
            part: lane.part(of: projections)
        )
        var stopped = models.map { _ in Set<StreamID>() }
        for row in try await connection.query(ShadowQuarantine.Select(models: models)) {
            guard let index = models.firstIndex(where: { $0.files.name == row.projection }) else { continue }
            stopped[index].insert(row.stream)
        }
        let filter = ShardFilter(lane.shards, stopped: stopped)
        let counts = try await count(batch.events, of: filter, on: connection)
        // The checkpoints move first: another process that builds the same shadow waits here, and fails.
        try await move(lane, to: batch.cursor, counts, on: connection)
        for (index, failing) in try await apply(batch.events, of: filter, isCareful: isCareful, on: connection) {
            guard let shard = filter.shard(of: failing.event.stream, at: index) else { continue }
            try await connection.execute(ShadowQuarantine.Stop(model: models[index], shard: shard, failing: failing))
        }
        try await checkShadows(on: connection)
        return Step(
            cursor: batch.cursor,
            read: counts.read.map { $0.reduce(0, +) },
            events: batch.events.count,
            weight: batch.weight
        )
    }

    private func count(
        _ events: [StoredEvent],
        of filter: ShardFilter,
        on connection: isolated PostgresConnection
    ) async throws -> Counts {
        var counts = Counts(filter)
        var takers: [Int16: [Int]] = [:]
        for event in events {
            if takers[event.type] == nil {
                takers[event.type] = try await plan.takers(of: event, decoder, on: connection)
            }
            for index in takers[event.type] ?? [] {
                guard let shard = filter.shard(of: event.stream, at: index) else { continue }
                counts.read[index][shard] += 1
                if !filter.hasStopped(event.stream, at: index) { counts.given[index][shard] += 1 }
            }
        }
        return counts
    }

    private func move(
        _ lane: ShadowLane,
        to cursor: LogCursor,
        _ counts: Counts,
        on connection: isolated PostgresConnection
    ) async throws {
        let shards = lane.shards.flatMap { index, set in
            set.members.map { shard in
                ShadowCheckpoint.Advance.Shard(
                    model: models[index],
                    shard: shard,
                    given: counts.given[index][shard],
                    read: counts.read[index][shard]
                )
            }
        }
        let rows = try await connection.query(
            ShadowCheckpoint.Advance(shards: shards, from: lane.cursor, to: cursor)
        )
        let moved = Dictionary(uniqueKeysWithValues: rows.map { ($0.projection, $0.shards) })
        for (index, set) in lane.shards where moved[models[index].files.name] != Int64(set.members.count) {
            throw ProjectorError(
                .rebuildMoved,
                "the shadow of \(models[index].files.title) was moved by another process, or cancelled: this batch was "
                    + "rolled back",
                projection: models[index].files.id
            )
        }
    }

    // MARK: Folding

    /// Folds some of a stream's events into the only shadow, without a checkpoint.
    ///
    /// - Returns: `false` if one could not be applied: the stream ends before it.
    func apply(_ events: [StoredEvent], on connection: isolated PostgresConnection) async throws -> Bool {
        let all = ShardFilter([0: ShardSet(count: 1, members: [0])], stopped: [[]])
        let failures = try await applyCarefully(events, of: all, on: connection)
        try await checkShadows(on: connection)
        return failures.isEmpty
    }

    /// Fails if the folded rows did not go into the shadows: if a shadow's schema is gone, the names of its tables mean
    /// the live ones. A schema whose tables this transaction has written to cannot be dropped before the transaction
    /// ends.
    private func checkShadows(on connection: isolated PostgresConnection) async throws {
        let found = Set(try await connection.query(ShadowModel.SelectSearched()))
        for model in models where !found.contains(model.schema) {
            throw ProjectorError(
                .rebuildMoved,
                "the schema \(model.schema), in which \(model.files.title) is built, is gone: this batch was rolled back; run "
                    + "it again, and it begins anew",
                projection: model.files.id
            )
        }
    }

    /// Folds events without a checkpoint.
    ///
    /// - Returns: The events that could not be applied, each with its projection's index; their streams have to be
    ///   stopped there.
    private func apply(
        _ events: [StoredEvent],
        of filter: ShardFilter,
        isCareful: Bool,
        on connection: isolated PostgresConnection
    ) async throws -> [(Int, FailingEvent)] {
        if isCareful { return try await applyCarefully(events, of: filter, on: connection) }
        let builder = BatchBuilder(plan, decoder: decoder)
        let built = try await builder.build(
            events,
            generation: nil,
            on: connection,
            shards: filter.counts,
            mayUseTable: true
        ) { filter.accepts($1, at: $0) }
        let statements = built.statements.enumerated().flatMap { index, statements -> [any PostgresStatement] in
            statements.isEmpty ? [] : [setShard(of: filter, at: index)] + statements
        }
        if !statements.isEmpty {
            try await built.load(on: connection)
            try await connection.pipeline(statements)
        }
        return built.failures.map { ($0.projection, $0.failing) }
    }

    private func applyCarefully(
        _ events: [StoredEvent],
        of filter: ShardFilter,
        on connection: isolated PostgresConnection
    ) async throws -> [(Int, FailingEvent)] {
        var failures: [(Int, FailingEvent)] = []
        for (index, projection) in projections.enumerated() {
            let own = events.filter { filter.accepts($0, at: index) }
            guard !own.isEmpty else { continue }
            try await connection.execute(setShard(of: filter, at: index))
            var fold = CarefulFold(projection, decoder: decoder)
            try await fold.fold(own, on: connection)
            failures += fold.failures.map { (index, $0) }
        }
        return failures
    }

    private func setShard(of filter: ShardFilter, at index: Int) -> SetShard {
        SetShard(shard: filter.firstShard(at: index))
    }

    /// Sets the shard under which partial rows are written, so that two lanes never write the same rows.
    private struct SetShard: PostgresStatement {
        let shard: Int
        let sql = "select set_config('recorder.shard', $1, true)"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(String(shard))
        }
    }
}
