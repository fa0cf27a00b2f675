internal import EventStore
internal import Postgres
internal import Schema

/// Puts a complete shadow in place of the live tables, in one short transaction.
struct ShadowSwap: Sendable {
    /// Builds this one shadow.
    let build: ShadowBuild
    let model: ShadowModel
    /// All versions of all projections.
    let all: [ProjectionFiles]
    /// Whether the views are to read the version.
    let isActive: Bool
    let lockTimeout: Duration
    /// How long to wait for old snapshots.
    let patience: Duration

    /// How often the swap is tried.
    private static let attempts = 200

    /// Catches up with the head and swaps.
    ///
    /// - Parameter enter: Called when a phase begins.
    /// - Returns: How long the transaction took, which is longer than it held locks.
    /// - Throws: ``ProjectorError`` with `.readersInTheWay`, `.rebuildMoved`; `SchemaError` with `.inUse`.
    func run(
        on connection: PostgresConnection,
        _ enter: (RebuildProgress.Phase) -> Void
    ) async throws -> Duration {
        try await catchUp(on: connection)
        enter(.waitingForReaders)
        try await waitForSnapshots(on: connection)
        var attempt = 0
        while true {
            attempt += 1
            // More events have come during the wait.
            try await catchUp(on: connection)
            enter(.swapping)
            do {
                let start = ContinuousClock.now
                try await connection.transaction { connection in try await swap(on: connection) }
                return start.duration(to: .now)
            } catch let error as PostgresError where error.isLockTimeout || error.isTransactionConflict {
                guard attempt < Self.attempts else {
                    throw ProjectorError(
                        .readersInTheWay,
                        "readers of \(model.files.title) hold their locks: the swap was tried \(attempt) times. Look "
                            + "for long transactions in pg_stat_activity, and run the rebuild again: it goes on here",
                        cause: error
                    )
                }
                enter(.waitingForReaders)
                // The transactions that queued behind the swap go first.
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...250)))
            }
        }
    }

    /// Folds until little is left for the swap.
    private func catchUp(on connection: PostgresConnection) async throws {
        while true {
            let checkpoints = try await connection.query(ShadowCheckpoint.Load(model: model))
            guard let head = try await connection.first(LogReader.CurrentSnapshot())?.snapshot, !checkpoints.isEmpty
            else { return }
            let target = LogCursor(delivered: head)
            try await build.advance([checkpoints]) { _, _ in target }
            let after = try await connection.query(ShadowCheckpoint.Load(model: model))
            let read = after.reduce(0) { $0 + $1.read } - checkpoints.reduce(0) { $0 + $1.read }
            if read < Int64(build.batchSize) { return }
        }
    }

    /// Swaps, in the open transaction.
    ///
    /// READ COMMITTED: it has to see what the workers wrote before they were made to wait.
    private func swap(on connection: isolated PostgresConnection) async throws {
        try await connection.run(
            unsafeSQL: """
                set local lock_timeout = '\(Int(lockTimeout / .milliseconds(1)))ms';
                set local synchronous_commit = on;
                set local enable_seqscan = off;
                """
        )
        _ = try await connection.first(SetSearchPath(schemas: [model.recorder]))
        try await ProjectionInstaller(schema: model.recorder).lock(on: connection)
        // No worker's batch commits from here on: the live tables and their checkpoints stand still.
        let live = try await connection.query(LiveCheckpoints.Select(projection: model.files, isLocking: true))
        let checkpoints = try await connection.query(ShadowCheckpoint.Load(model: model))
        guard let head = try await connection.first(LogReader.CurrentSnapshot())?.snapshot, !checkpoints.isEmpty,
            live.isEmpty || live.count == checkpoints.count
        else {
            throw ProjectorError(
                .rebuildMoved,
                "the rebuild of \(model.files.title) was cancelled, or its number of shards changed: begin it again"
            )
        }
        try await refuseIfPricesMoved(checkpoints[0].checksum, on: connection)
        try await foldRest(behind: checkpoints, to: LogCursor(delivered: head), on: connection)
        try await exchange(at: head, on: connection)
    }

    /// Refuses a shadow that was begun with other prices than there are now.
    private func refuseIfPricesMoved(_ checksum: String, on connection: isolated PostgresConnection) async throws {
        guard try await connection.first(ShadowCheckpoint.Checksum(model: model)) == checksum else {
            throw ProjectorError(
                .rebuildMoved,
                "prices of models were loaded while \(model.files.title) was rebuilt: run the rebuild again, it begins "
                    + "anew"
            )
        }
    }

    /// Folds what the shadow lacks.
    private func foldRest(
        behind checkpoints: [ShadowCheckpoint],
        to target: LogCursor,
        on connection: isolated PostgresConnection
    ) async throws {
        _ = try await connection.first(SetSearchPath(schemas: [model.schema, model.recorder]))
        for var lane in ShadowLane.all([checkpoints], to: { _, _ in target }, parallelism: 1) {
            while lane.cursor != lane.target {
                lane.cursor = try await build.fold(lane, isCareful: true, on: connection).cursor
            }
        }
    }

    /// Replaces the live tables, checkpoints and quarantine with the shadow's.
    private func exchange(at head: PostgresSnapshot, on connection: isolated PostgresConnection) async throws {
        // Events of quarantined streams count too.
        let events = try await connection.query(ShadowCheckpoint.Load(model: model)).map(\.read)
        try await ProjectionInstaller(schema: model.recorder).exchange(
            model.files,
            with: model.schema,
            isActive: isActive,
            among: all,
            on: connection
        )
        try await connection.execute(LiveCheckpoints.Replace(projection: model.files, snapshot: head, events: events))
        try await connection.execute(ShadowQuarantine.TakeOver(model: model))
        try await connection.execute(ShadowCheckpoint.Delete(model: model))
    }

    // MARK: Old snapshots

    /// Waits for the transactions that began before now and hold a snapshot.
    ///
    /// The catalog shows them the new tables as soon as these are swapped in, but their snapshots show only the rows
    /// that were there when they began: half a model. A transaction that begins from here on sees all of it, because
    /// the folded rows are committed.
    private func waitForSnapshots(on connection: PostgresConnection) async throws {
        let end = ContinuousClock.now + patience
        let old = Set(try await connection.query(SelectSnapshots()))
        var waiting = old
        while !waiting.isEmpty {
            guard .now < end else {
                let processes = waiting.map { "\($0.process)" }.sorted().joined(separator: ", ")
                throw ProjectorError(
                    .readersInTheWay,
                    "the swap of \(model.files.title) has waited \(patience) for transactions that began before it, "
                        + "and would see half a model: end them (pid \(processes) in pg_stat_activity), and run the "
                        + "rebuild again: it goes on here"
                )
            }
            try await Task.sleep(for: .milliseconds(20))
            waiting.formIntersection(try await connection.query(SelectSnapshots()))
        }
    }

    /// The transactions of this database that hold a snapshot; where this role cannot see that, all that are open.
    /// Autovacuum, which reads no model, is left out: it has no user.
    ///
    /// Source: `pgstat_bestart` in PostgreSQL's `src/backend/utils/activity/backend_status.c`. A role sees the kind of
    /// a process only for its own.
    private struct SelectSnapshots: PostgresStatement {
        struct Row: Sendable, Hashable {
            let transaction: String
            let process: Int32
        }

        let sql = """
            select lock.virtualtransaction, lock.pid
            from pg_locks lock
            join pg_stat_activity activity using (pid)
            where lock.locktype = 'virtualxid' and lock.virtualxid = lock.virtualtransaction
                and lock.pid <> pg_backend_pid()
                and activity.datid = (select oid from pg_database where datname = current_database())
                and activity.usesysid is not null
                and (activity.backend_xmin is not null or activity.state is null)
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Row {
            Row(transaction: try row.decode(at: 0), process: try row.decode(at: 1))
        }
    }
}
