internal import EventStore
internal import Postgres
internal import Schema

/// How checkpoints move with what is folded.
extension WorkerRound {
    /// How one shard moves behind a batch.
    struct Move {
        /// The projection's index.
        let index: Int
        let own: OwnedShard
        /// How many events of the batch it was given.
        let given: Int
        /// Whether its projection takes any of them: only then its checkpoint
        /// moves at once, else it is written down later.
        let isTaken: Bool
    }

    /// How the shards move that events of a batch belong to.
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

    /// Moves the checkpoints of those that take something.
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

    /// Folds a batch as the last thing of a round, and commits.
    ///
    /// - Returns: The projections that were left where they are, by their indices.
    func commit(
        _ batch: LogReader.Batch,
        _ moves: [Move],
        _ built: BuiltBatches,
        on connection: isolated PostgresConnection
    ) async throws -> Set<Int> {
        let taking = moves.filter(\.isTaken)
        var turns = [taking]
        if batch.events.mayBeFoldedInTurn {
            // What shows every event is what people look at: it waits for none of the others.
            let early = { (move: Move) in projections[move.index].handles.contains("*") }
            turns = [taking.filter(early), taking.filter { !early($0) }].filter { !$0.isEmpty }
        }
        let transactions = turns.map { statements($0, built, behind: batch) }
        let committed = try await connection.commit(inTurn: transactions, isolation: .repeatableRead)
        return Set(turns.dropFirst(committed).joined().map(\.index))
    }
}

extension WorkerRound.Outcome {
    /// Takes over that shards moved behind a batch.
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
    /// Whether projections of all events are to fold these events in a transaction before the others', so that what
    /// they show does not wait for what those do; see decision 0008.
    ///
    /// Where much is to be folded, a second commit costs more than it gives. What was sealed must be folded under the
    /// snapshot that it was opened under: an erasure may come in between.
    var mayBeFoldedInTurn: Bool { count <= 4 && allSatisfy { $0.key == nil } }
}
