internal import EventStore
internal import Postgres
internal import Schema

/// How checkpoints move with what is folded.
extension WorkerRound {
    /// The move of one shard past a batch.
    struct Move {
        /// The projection's index.
        let index: Int
        let own: OwnedShard
        /// How many events of the batch it was given.
        let given: Int
        /// Whether its projection takes any of them: only then its checkpoint moves at once, else its cursor is stored
        /// later.
        let isTaken: Bool
    }

    /// The moves of the shards that have events in the batch.
    ///
    /// - Parameter taken: For each projection and each of its shards, how many events it takes.
    func moves(
        _ group: ShardGroup,
        behind batch: LogReader.Batch,
        taken: [[Int]],
        _ outcome: Outcome
    ) -> [Move] {
        var moves: [Move] = []
        for (index, set) in group.shards.sorted(by: { $0.key < $1.key }) {
            var counts = [Int](repeating: 0, count: set.count)
            for event in batch.events { counts[ShardSet.shard(of: event.stream, count: set.count)] += 1 }
            for shard in set.members where counts[shard] > 0 {
                guard let own = outcome.owned[key(index, shard)] else { continue }
                moves.append(Move(index: index, own: own, given: counts[shard], isTaken: taken[index][shard] > 0))
            }
        }
        return moves
    }

    /// Moves the checkpoints of the shards that take events.
    func advance(_ moves: [Move], to cursor: LogCursor) -> Checkpoint.Advance {
        let taking = moves.filter(\.isTaken)
        return Checkpoint.Advance(
            owner: owner,
            checkpoints: taking.map(\.own.checkpoint),
            cursor: cursor,
            given: taking.map { $0.own.passed + $0.given }
        )
    }

    /// The statements that fold a batch. The checkpoints' rows are locked before anything is
    /// folded: a second worker waits there, and fails.
    func statements(
        _ moves: [Move],
        _ built: BuiltBatches,
        behind batch: LogReader.Batch
    ) -> [any PostgresStatement] {
        let indices = Set(moves.filter(\.isTaken).map(\.index)).sorted()
        return [Checkpoint.GuardedAdvance(advance: advance(moves, to: batch.cursor))]
            + indices.flatMap { built.statements[$0] }
    }

    /// Folds the last batch of a round, and commits.
    ///
    /// - Returns: The indices of the projections that did not move.
    func commit(
        _ batch: LogReader.Batch,
        _ moves: [Move],
        _ built: BuiltBatches,
        on connection: isolated PostgresConnection
    ) async throws -> Set<Int> {
        let taking = moves.filter(\.isTaken)
        var turns = [taking]
        if batch.events.mayBeFoldedInTurn {
            // People watch the projections of all events, so these wait for none of the others.
            let early = { (move: Move) in projections[move.index].handles.contains("*") }
            turns = [taking.filter(early), taking.filter { !early($0) }].filter { !$0.isEmpty }
        }
        let transactions = turns.map { statements($0, built, behind: batch) }
        let committed = try await connection.commit(inTurn: transactions, isolation: .repeatableRead)
        return Set(turns.dropFirst(committed).joined().map(\.index))
    }
}

extension WorkerRound.Outcome {
    /// Records that shards moved past a batch.
    mutating func take(_ moves: [WorkerRound.Move], behind batch: LogReader.Batch) {
        for move in moves {
            let key = move.own.checkpoint.key
            given[key.projection, default: 0] += move.given
            if move.isTaken {
                owned[key]?.advanced(to: batch.cursor, given: move.own.passed + move.given)
            } else {
                owned[key]?.passed += move.given
            }
        }
    }
}

extension [StoredEvent] {
    /// Whether projections of all events fold these events in a transaction before the others', so that their rows do
    /// not wait for the others'; see decision 0008.
    ///
    /// With more events, a second commit costs more than it gains. Sealed events must be folded under the snapshot
    /// under which they were opened: an erasure may come in between.
    var mayBeFoldedInTurn: Bool { count <= 4 && allSatisfy { $0.key == nil } }
}
