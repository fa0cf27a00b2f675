internal import EventModel
internal import Logging
internal import Postgres

/// Writes the appends of a lane in groups, each group in one transaction, and settles every append of it.
///
/// Belongs to one task, which works on its connection's own thread: from the queue to the acknowledgement no thread is
/// changed. What others do to the same streams meanwhile is settled by the events' key: the group is decided again on fresh
/// heads, and one that keeps losing or is refused is halved until the append is found that is at fault, so that its
/// neighbours do not fail with it.
struct AppendWriter: Sendable {
    private var configuration: PostgresConfiguration
    private let logger: Logger
    private let limits: EventAppender.Limits
    /// Told that a connection was lost: the next may be to another server, which lacks what that one gave.
    private let lost: @Sendable () -> Void
    /// Told how many events each transaction stored.
    private let written: @Sendable (Int) -> Void
    /// Told how appends ended, so that this thread need not wake everybody who waits.
    private let tell: @Sendable ([AppendSettlement]) -> Void
    /// Which lane is its own.
    private let home: Int
    var heads: StreamHeads
    var types = EventTypes()
    /// Whether a session that starts is taken for new, so that its stream need not be read: right until one was not.
    var trustsStarts = true
    private var blocked = BlockedAppends()
    /// `nil` while there is none.
    private var trouble: AppendTrouble?

    /// How often a group that loses against other writers is tried together before it is halved.
    private static let groupAttempts = 3
    /// How long a group waits for what another transaction holds: a version, or a type that is new.
    private static let lockTimeout = Duration.milliseconds(100)
    /// How often an append that waits for it is tried alone.
    private static let lockAttempts = 5

    /// - Parameters:
    ///   - limits: How large a group is, and how long to try to reach the server again before appends fail.
    ///   - heads: What it knows of streams: nothing, until it has a lane.
    ///   - home: Which lane is its own.
    ///   - lost: Told that a connection was lost: the next may be to another server, which lacks what that one gave.
    ///   - written: Told how many events each transaction stored.
    ///   - tell: Told how appends ended; each is told once.
    init(
        _ configuration: PostgresConfiguration,
        limits: EventAppender.Limits,
        heads: StreamHeads,
        home: Int,
        logger: Logger,
        lost: @escaping @Sendable () -> Void,
        written: @escaping @Sendable (Int) -> Void,
        tell: @escaping @Sendable ([AppendSettlement]) -> Void
    ) {
        self.configuration = configuration
        // Planned anew for each group, with all partitions, reading heads took longer than storing.
        self.configuration.settings["plan_cache_mode"] = "force_generic_plan"
        self.configuration.settings["lock_timeout"] = "\(Int(Self.lockTimeout / .milliseconds(1)))"
        self.limits = limits
        self.logger = logger
        self.lost = lost
        self.written = written
        self.tell = tell
        self.heads = heads
        self.home = home
    }

    /// Writes what is queued until the queue is closed and empty, or the task is cancelled.
    mutating func run(_ queue: AppendQueue) async {
        var open = await take(from: queue)
        while !open.isEmpty {
            guard let connection = await connect(for: open) else {
                open = await take(from: queue)
                continue
            }
            open = await serve(queue, beginningWith: open, on: connection)
            await connection.close()
            guard !open.isEmpty else { break }
            types = EventTypes()
            queue.forgetHeads()
            lost()
        }
        queue.giveBack(&heads)
    }

    // MARK: The connection

    /// Connects, for as long as the limits say.
    ///
    /// - Returns: `nil` if that failed; the requests are settled then.
    private mutating func connect(for requests: [AppendRequest]) async -> PostgresConnection? {
        while true {
            do {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                try await connection.commitDurably()
                return connection
            } catch {
                let isRetryable = (error as? PostgresError)?.isRetryable == true
                guard isRetryable, await pause(after: error) else {
                    settle(requests, failed: isRetryable || error is CancellationError ? .unavailable : .refused, error)
                    trouble = nil
                    return nil
                }
            }
        }
    }

    /// Waits a little before something is tried again.
    ///
    /// - Returns: `false` if the trouble has lasted too long, or the task was cancelled.
    private mutating func pause(after error: any Error) async -> Bool {
        var trouble = self.trouble ?? AppendTrouble(since: .now, patience: limits.patience)
        let step = trouble.step(at: .now)
        self.trouble = trouble
        if step.isWorthSaying { logger.warning("an append is tried again", metadata: ["error": "\(error)"]) }
        guard let pause = step.pause, !Task.isCancelled else { return false }
        try? await Task.sleep(for: pause)
        return true
    }

    /// Writes group after group on one connection.
    ///
    /// - Returns: The requests that were not settled when the connection broke; none at the end.
    private mutating func serve(
        _ queue: AppendQueue,
        beginningWith first: [AppendRequest],
        on connection: isolated PostgresConnection
    ) async -> [AppendRequest] {
        var group = first
        // Whether a commit took effect whose answer was lost shows in the heads that are read now.
        heads.removeAll()
        while !group.isEmpty {
            let (free, waiting) = blocked.divide(group)
            var open = await write(free, on: connection)
            open = open.isEmpty ? await write(waiting, areBlocked: true, on: connection) : open + waiting
            heads.trim()
            guard open.isEmpty else { return open }
            group = await take(from: queue)
        }
        return []
    }

    /// Waits for the next group; none when the queue is closed and empty, or the task was cancelled.
    private mutating func take(from queue: AppendQueue) async -> [AppendRequest] {
        let group = await queue.take(upTo: limits.groupSize, for: home, heads: &heads).flatMap(\.requests)
        guard Task.isCancelled else { return group }
        settle(group, failed: .closed, CancellationError())
        return []
    }

    // MARK: Groups

    /// What became of a group.
    private struct Attempt {
        /// The requests that are not settled.
        var open: [AppendRequest]
        /// The streams that were read for it.
        var fresh: Set<StreamID> = []
        /// The streams that must be read before it is decided again.
        var stale: Set<StreamID> = []
    }

    /// Stores what can be stored of a group and settles it.
    ///
    /// - Parameter areBlocked: Whether all of them need what was waited for in vain before: then they are tried once.
    /// - Returns: What is not settled because the connection broke.
    private mutating func write(
        _ group: [AppendRequest],
        areBlocked: Bool = false,
        on connection: isolated PostgresConnection
    ) async -> [AppendRequest] {
        var attempt = Attempt(open: group)
        var conflicts = 0
        var lockWaits = 0
        var wasRefused = false
        while !attempt.open.isEmpty {
            do {
                try await write(&attempt, on: connection)
                trouble = nil
            } catch let error as PostgresError where error.isLostRace {
                conflicts += 1
                if conflicts >= Self.groupAttempts, attempt.open.count > 1 {
                    return await writeHalves(attempt.open, on: connection)
                }
                // Others were faster, or a session was not new: read what is there, and decide again.
                trustsStarts = false
                attempt.fresh = []
                attempt.stale = Set(attempt.open.lazy.flatMap(\.parts).map(\.stream))
            } catch let error as PostgresError where error.isLockTimeout {
                // One of them waits for a transaction that may stay open for long: the others do not wait with it.
                if attempt.open.count > 1, !areBlocked { return await writeHalves(attempt.open, on: connection) }
                lockWaits += 1
                guard lockWaits < Self.lockAttempts, !areBlocked else {
                    blocked.note(attempt.open, known: types)
                    settle(attempt.open, failed: .unavailable, error, Self.blockedReason)
                    return []
                }
                attempt = Attempt(open: attempt.open)
            } catch let error as PostgresError where error.isRetryable || error.code == .closed {
                heads.removeAll()
                attempt = Attempt(open: attempt.open)
                guard await pause(after: error) else {
                    settle(attempt.open, failed: .unavailable, error)
                    trouble = nil
                    return []
                }
                guard connection.isOpen else { return attempt.open }
            } catch let error as CancellationError {
                heads.removeAll()
                settle(attempt.open, failed: .unavailable, error)
                return []
            } catch {
                // One append of the group is at fault; the others must not fail with it.
                if attempt.open.count > 1 { return await writeHalves(attempt.open, on: connection) }
                // What failed may have been something behind the commit: whoever says that nothing was stored has looked.
                if wasRefused {
                    settle(attempt.open, failed: .refused, error)
                    return []
                }
                wasRefused = true
                attempt = Attempt(open: attempt.open)
                heads.removeAll()
                guard connection.isOpen else { return attempt.open }
            }
        }
        if areBlocked { blocked.forget(group) }
        return []
    }

    /// Decides about a group and stores in one transaction what is to be stored now.
    private mutating func write(_ attempt: inout Attempt, on connection: isolated PostgresConnection) async throws {
        try await internTypes(of: attempt.open, on: connection)
        try await read(attempt.stale.union(unknownStreams(of: attempt.open)), fresh: &attempt.fresh, on: connection)
        let round = AppendRound(attempt.open, heads: &heads, types: types, fresh: attempt.fresh)
        // From here on only these are open: whatever happens to the others' neighbours, they are told once.
        attempt.open = round.open
        if !round.settled.isEmpty { tell(round.settled) }
        if round.count > 0 {
            do {
                let positions = try await connection.query(round.statement)
                written(round.count)
                tell(round.finish(positions, heads: &heads))
            } catch {
                round.abandon(heads: &heads)
                throw error
            }
        }
        attempt.open = round.later
        attempt.stale = round.stale
    }

    private mutating func writeHalves(
        _ requests: [AppendRequest],
        on connection: isolated PostgresConnection
    ) async -> [AppendRequest] {
        let middle = requests.count / 2
        let open = await write(Array(requests[..<middle]), on: connection)
        guard open.isEmpty else { return open + requests[middle...] }
        return await write(Array(requests[middle...]), on: connection)
    }

    // MARK: Settling

    private static let blockedReason =
        "another transaction has appended to the stream, or made the event's type, and stays open: append the same events "
        + "again when it has ended"

    /// - Parameter reason: What to say, where the code does not say it.
    private func settle(
        _ requests: [AppendRequest],
        failed code: EventStoreError.Code,
        _ cause: any Error,
        _ reason: String? = nil
    ) {
        let message = reason ?? text(of: code)
        var settlements: [AppendSettlement] = []
        for request in requests {
            let error = EventStoreError(code, message, stream: request.parts.first?.stream, cause: cause)
            settlements.add(request, failed: error)
        }
        tell(settlements)
    }

    private func text(of code: EventStoreError.Code) -> String {
        switch code {
        case .unavailable:
            "the database could not be reached within \(limits.patience); append the same events again, with the same ids, "
                + "to learn whether they were stored"
        case .closed: "the appender was stopped before it stored the append"
        default: "the append was refused"
        }
    }
}

extension PostgresError {
    /// Whether another writer got a version first, or the two stood in each other's way.
    fileprivate var isLostRace: Bool {
        isTransactionConflict || (sqlState == "23505" && constraint?.hasSuffix("_pkey") == true)
    }
}
