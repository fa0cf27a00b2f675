internal import EventModel
internal import Logging
internal import Postgres

/// Writes the appends of a lane in groups, one transaction each, and settles every append.
///
/// Belongs to one task, which works on its connection's own thread: between the queue and the acknowledgement there is
/// no thread switch. Races with others on the same streams are settled by the events' key: the group is decided again
/// on fresh heads. A group that keeps losing or is refused is halved until the append at fault is found, so that its
/// neighbours do not fail with it.
struct AppendWriter: Sendable {
    private var configuration: PostgresConfiguration
    private let logger: Logger
    let limits: EventAppender.Limits
    /// What the appends are packed with. The next connection may lead to another server, which lacks what the old one
    /// returned.
    let packings: AppendPackings
    /// Gets the number of events that each transaction stored.
    let onStored: @Sendable (Int) -> Void
    /// Reports how appends ended, so that this thread need not wake everybody who waits.
    let onSettled: @Sendable ([AppendSettlement]) -> Void
    let queue: AppendQueue
    /// The number of the writer's own lane.
    private let home: Int
    var heads: StreamHeads
    var types = EventTypes()
    /// Whether a session that starts is assumed to be new, so that its stream need not be read; true until one was not
    /// new.
    var trustsStarts = true
    var blocked = BlockedAppends()
    /// The current trouble with the server; `nil` if there is none.
    var trouble: AppendTrouble?
    /// What it knows of the groups before and after the one that is being stored.
    var lookout = AppendLookout()
    /// Why it gave up on the server; `nil` until then, and again with the next group.
    var defeat: Defeat?

    /// Why everything that was handed over fails.
    struct Defeat {
        let cause: any Error
        let code: EventStoreError.Code
        var reason: String?
    }

    /// How long a group waits for what another transaction holds: a version or a new type.
    private static let lockTimeout = Duration.milliseconds(100)

    /// The error's text when a connection broke while it stored something, and the server takes no other.
    private static let shutOutReason =
        "the connection broke, and the server takes no other; once it does, append the same events again, with the same ids, "
        + "to learn whether they were stored"

    /// - Parameters:
    ///   - queue: What to write.
    ///   - limits: How large a group is, and how long to keep trying to reach the server before appends fail.
    ///   - heads: What it knows of streams: nothing, until it has a lane.
    ///   - home: The number of its own lane.
    ///   - packings: What the appends are packed with.
    ///   - onStored: Called after each transaction with the number of events it stored.
    ///   - onSettled: Called with how appends ended, once for each append.
    init(
        _ configuration: PostgresConfiguration,
        queue: AppendQueue,
        limits: EventAppender.Limits,
        heads: StreamHeads,
        home: Int,
        packings: AppendPackings,
        logger: Logger,
        onStored: @escaping @Sendable (Int) -> Void,
        onSettled: @escaping @Sendable ([AppendSettlement]) -> Void
    ) {
        self.configuration = configuration
        // If statements were planned anew for each group, over all partitions, reading heads would take longer than
        // storing.
        self.configuration.settings["plan_cache_mode"] = "force_generic_plan"
        self.configuration.settings["lock_timeout"] = "\(Int(Self.lockTimeout / .milliseconds(1)))"
        self.queue = queue
        self.limits = limits
        self.logger = logger
        self.packings = packings
        self.onStored = onStored
        self.onSettled = onSettled
        self.heads = heads
        self.home = home
    }

    /// Writes what is queued until the queue is closed and empty, or the task is cancelled.
    mutating func run() async {
        var open = await take()
        // Whether they were sent on a connection that broke.
        var mayBeStored = false
        while !open.isEmpty {
            guard let connection = await connect(for: open, mayBeStored: mayBeStored) else {
                open = await take()
                mayBeStored = false
                continue
            }
            open = await serve(beginningWith: open, on: connection)
            mayBeStored = true
            await connection.close()
            guard !open.isEmpty else { break }
            types = EventTypes()
            queue.forgetHeads()
            packings.doubt()
        }
        queue.giveBack(&heads)
    }

    // MARK: The connection

    /// Connects, retrying for as long as the limits allow, unless that cannot help.
    ///
    /// - Returns: `nil` if it failed; the requests have then been settled.
    private mutating func connect(for requests: [AppendRequest], mayBeStored: Bool) async -> PostgresConnection? {
        while true {
            do {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                let server = try await connection.commitDurably()
                if try await packings.meet(server, on: connection) { queue.forgetHeads() }
                return connection
            } catch {
                let failure = error as? PostgresError
                let isPassing = failure?.isRetryable == true && failure?.isLasting != true
                guard isPassing, await pause(after: error) else {
                    if isPassing || error is CancellationError {
                        giveUp(requests, Defeat(cause: error, code: .unavailable))
                    } else if mayBeStored {
                        giveUp(requests, Defeat(cause: error, code: .unavailable, reason: Self.shutOutReason))
                    } else {
                        giveUp(requests, Defeat(cause: error, code: .refused))
                    }
                    return nil
                }
            }
        }
    }

    /// Pauses before a retry.
    ///
    /// - Returns: `false` if the trouble has lasted too long, or the task was cancelled.
    mutating func pause(after error: any Error) async -> Bool {
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
    /// - Returns: The requests that were not settled when the connection broke; none when the queue has ended.
    private mutating func serve(
        beginningWith first: [AppendRequest],
        on connection: isolated PostgresConnection
    ) async -> [AppendRequest] {
        var group = first
        // A commit may have taken effect although its answer was lost; the heads that are read now will show it.
        heads.removeAll()
        while !group.isEmpty {
            let (free, waiting) = blocked.divide(group)
            var open = await write(AppendAttempt(free, isPart: !waiting.isEmpty), on: connection)
            open = open.isEmpty ? await tryAgain(waiting, on: connection) : open + waiting
            while open.isEmpty, let next = lookout.next.take() { open = await write(next, on: connection) }
            heads.trim()
            guard open.isEmpty else { return open + (lookout.next.take()?.open ?? []) }
            group = await take()
        }
        return []
    }

    /// Waits for the next group; none when the queue is closed and empty, or the task was cancelled.
    private mutating func take() async -> [AppendRequest] {
        defeat = nil
        let group = await queue.take(upTo: limits.groupSize, for: home, heads: &heads).flatMap(\.requests)
        guard Task.isCancelled else { return group }
        settle(group, failed: .closed, CancellationError())
        return []
    }

    // MARK: Settling

    /// Gives up on the server: appends fail, and with them all that was handed over behind them.
    mutating func giveUp(_ requests: [AppendRequest], _ defeat: Defeat) {
        let behind = (lookout.next.take()?.open ?? []) + queue.takeFailed(heads).flatMap(\.requests)
        settle(requests + behind, failed: defeat.code, defeat.cause, defeat.reason)
        trouble = nil
        self.defeat = defeat
    }

    /// Reports that nothing of some appends was stored, or that this is unknown.
    ///
    /// - Parameter reason: The error's message, where the code alone does not explain it.
    func settle(
        _ requests: [AppendRequest],
        failed code: EventStoreError.Code,
        _ cause: (any Error)?,
        _ reason: String? = nil
    ) {
        let message = reason ?? text(of: code, cause)
        var settlements: [AppendSettlement] = []
        for request in requests {
            let error = EventStoreError(code, message, stream: request.parts.first?.stream, cause: cause)
            settlements.add(request, failed: error)
        }
        onSettled(settlements)
    }

    private func text(of code: EventStoreError.Code, _ cause: (any Error)?) -> String {
        // A server that answers, such as one whose disk is full, need not be looked for.
        let trouble = (cause as? PostgresError)?.code == .server ? "stored nothing" : "could not be reached"
        switch code {
        case .unavailable:
            return "the database \(trouble) within \(limits.patience); append the same events again, with the same "
                + "ids, to learn whether they were stored"
        case .closed: return "the appender was stopped before it stored the append"
        default: return "the append was refused"
        }
    }
}
