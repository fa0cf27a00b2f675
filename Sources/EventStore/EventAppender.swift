public import EventModel

package import Logging
internal import Metrics
package import PayloadCodec
package import Postgres
internal import Synchronization

/// Appends events for many producers at once, in group commits.
///
/// While one commit is on its way, the next group gathers; an idle appender commits at once. An append that returned is
/// durable. An append that failed with `.unavailable` may be stored: the same append again, with the same event ids, is
/// stored once whatever happened.
///
/// Run it as a scope, ``withAppender(to:limits:encoder:logger:_:)``, or as a service by ``run()``.
public final class EventAppender: Sendable {
    /// The bounds of an appender.
    public struct Limits: Sendable {
        /// About how many events one transaction stores at most.
        public var groupSize: Int
        /// How many bytes of events wait before producers have to.
        public var queueBytes: Int
        /// How long to try to reach the database again before appends fail with `.unavailable`.
        public var patience: Duration

        /// The defaults were measured on two cores; see the decisions beside this target.
        public init(groupSize: Int = 1_000, queueBytes: Int = 16 << 20, patience: Duration = .seconds(30)) {
            self.groupSize = groupSize
            self.queueBytes = queueBytes
            self.patience = patience
        }
    }

    private let configuration: PostgresConfiguration
    private let limits: Limits
    private let encoder: PayloadEncoder
    private let logger: Logger
    let queue: AppendQueue
    private let appended = Counter(label: "recorder_appended_events_total")
    private let groups = Recorder(label: "recorder_append_group_events")

    /// Makes an appender; it writes while ``run()`` runs.
    ///
    /// - Parameters:
    ///   - configuration: The database.
    ///   - limits: The bounds.
    ///   - encoder: How payloads are compressed.
    package init(
        to configuration: PostgresConfiguration,
        limits: Limits = Limits(),
        encoder: PayloadEncoder,
        logger: Logger = Logger(label: "recorder.append")
    ) {
        self.configuration = configuration
        self.limits = limits
        self.encoder = encoder
        self.logger = logger
        queue = AppendQueue(capacity: limits.queueBytes)
    }

    // MARK: Appending

    /// Appends events to one stream.
    ///
    /// All of them become visible together, or none does.
    ///
    /// - Parameter append: The stream, what it must hold, and at least one event.
    /// - Returns: The versions and positions that the events got, now or by an earlier append of the same ids.
    /// - Throws: ``EventStoreError`` with `.wrongExpectedVersion` if another producer came first, `.invalidAppend`,
    ///   `.refused`, `.unavailable` or `.closed`; `CancellationError` if the task was cancelled before the append was taken
    ///   into a group.
    public func append(_ append: Append) async throws -> AppendReceipt {
        guard let receipt = try await self.append([append]).first else {
            throw EventStoreError(.invalidAppend, "an append has at least one event")
        }
        return receipt
    }

    /// Appends to several streams, all or nothing.
    ///
    /// - Parameter appends: Parts for different streams.
    /// - Returns: A receipt for each part, in their order.
    /// - Throws: As ``append(_:)-(Append)``; `.invalidAppend` also if one stream stands in two parts.
    public func append(_ appends: [Append]) async throws -> [AppendReceipt] {
        guard !appends.isEmpty else { return [] }
        guard Set(appends.map(\.stream)).count == appends.count else {
            throw EventStoreError(
                .invalidAppend,
                "one stream stands in two parts of an append: put its events together"
            )
        }
        let (size, encoded) = try await encode(appends)
        let ticket = Mutex<UInt64?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    let request = AppendRequest(appends: encoded, size: size) { continuation.resume(with: $0) }
                    let id = try queue.put(request)
                    ticket.withLock { $0 = id }
                } catch {
                    continuation.resume(throwing: error)
                }
                // Cancelled before the ticket was there: nobody else takes the request back.
                if Task.isCancelled { takeBack(ticket) }
            }
        } onCancel: {
            takeBack(ticket)
        }
    }

    /// Waits for room in the queue, then encodes.
    private func encode(_ appends: [Append]) async throws -> (size: Int, encoded: [EncodedAppend]) {
        let size = AppendRequest.size(of: appends)
        try await queue.reserve(size)
        do {
            return (size, try appends.map { try EncodedAppend($0, encoder: encoder) })
        } catch {
            queue.release(size)
            throw error
        }
    }

    private func takeBack(_ ticket: borrowing Mutex<UInt64?>) {
        guard let id = ticket.withLock({ $0 }), let request = queue.cancel(id) else { return }
        request.settle(.failure(CancellationError()))
    }

    /// Appends many that have nothing to do with each other, in their order: one that fails does not touch the others.
    ///
    /// Costs much less than as many calls of ``append(_:)-(Append)``. If the task is cancelled, or the appender closed,
    /// while appends still wait for room, those fail and the others are stored.
    ///
    /// - Returns: How each ended, in their order.
    /// - Throws: ``EventStoreError`` with `.closed`, or `CancellationError`, if not one of them was taken for that reason.
    public func append(independently appends: [Append]) async throws -> [Result<AppendReceipt, any Error>] {
        guard !appends.isEmpty else { return [] }
        let outcomes = AppendOutcomes(count: appends.count)
        for (index, append) in appends.enumerated() {
            do {
                let (size, encoded) = try await encode([append])
                try queue.put(
                    AppendRequest(appends: encoded, size: size) { result in
                        outcomes.settle(index, result.map { $0[0] })
                    }
                )
            } catch let error where error is CancellationError || (error as? EventStoreError)?.code == .closed {
                guard index > 0 else { throw error }
                for rest in index..<appends.count { outcomes.settle(rest, .failure(error)) }
                break
            } catch {
                outcomes.settle(index, .failure(error))
            }
        }
        return await outcomes.all()
    }

    // MARK: Running

    /// Writes until ``close()`` is called and everything is written, or the task is cancelled.
    ///
    /// When it is cancelled, what is queued fails with `.closed`, and what is being written with `.unavailable`: it may be
    /// stored.
    public func run() async {
        var writer = AppendWriter(configuration, patience: limits.patience, logger: logger)
        while true {
            let group = await queue.take(upTo: limits.groupSize)
            if group.isEmpty { break }
            if Task.isCancelled {
                Self.stop(group)
                break
            }
            let events = group.reduce(0) { $0 + $1.events }
            groups.record(events)
            await writer.write(group)
            appended.increment(by: events)
        }
        queue.close()
        Self.stop(queue.drain())
        await writer.close()
    }

    private static func stop(_ requests: [AppendRequest]) {
        for request in requests {
            request.settle(.failure(EventStoreError(.closed, "the appender was stopped before it stored the append")))
        }
    }

    /// Takes no more appends; ``run()`` returns when those that were taken are written.
    public func close() { queue.close() }

    /// Runs an appender while `body` runs, and writes everything that it was given before it returns.
    package static func withAppender<R: Sendable>(
        to configuration: PostgresConfiguration,
        limits: Limits = Limits(),
        encoder: PayloadEncoder,
        logger: Logger = Logger(label: "recorder.append"),
        _ body: @Sendable (EventAppender) async throws -> R
    ) async throws -> R {
        let appender = EventAppender(to: configuration, limits: limits, encoder: encoder, logger: logger)
        async let running: Void = appender.run()
        do {
            let result = try await body(appender)
            appender.close()
            await running
            return result
        } catch {
            appender.close()
            await running
            throw error
        }
    }
}
