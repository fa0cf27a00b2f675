public import EventModel

package import Logging
internal import Metrics
package import PayloadCodec
package import Postgres
internal import Synchronization

/// Appends events for many producers at once, in group commits.
///
/// While one commit is on its way, the next group gathers; an idle appender commits at once. When an append returns, it
/// is durable. An append that failed with `.unavailable` may have been stored: append it again with the same event ids,
/// and it is stored once in either case.
///
/// Streams are divided into lanes, each with a writer and its connection, so that under load one group is made while
/// another is stored; with few producers, everything goes into one group. Appends to one stream are stored in the order
/// in which they were handed over; an append to several streams comes after everything acknowledged before it.
///
/// Comes from ``PostgresEventStore/withAppender(limits:_:)``, and writes until that scope ends.
public final class EventAppender: Sendable {
    private let configuration: PostgresConfiguration
    private let limits: Limits
    /// What appends are packed with.
    let packings: AppendPackings
    let sealer: SubjectSealer?
    private let logger: Logger
    /// What waits to be stored.
    let queue: AppendQueue
    /// How many writers there are, each with a lane of its own.
    let lanes: Int
    private let notifier: LogNotifier
    private let appended = Counter(label: "recorder_appended_events_total")
    private let groups = Recorder(label: "recorder_append_group_events")

    /// Makes an appender; it writes while ``run()`` runs, once.
    ///
    /// - Parameters:
    ///   - configuration: The database.
    ///   - limits: The bounds.
    ///   - encoder: How payloads are compressed, until a failover to a server that lacks its dictionary: from then on
    ///     the newest one there is used.
    ///   - sealer: Decides what of each event is sealed; `nil` seals nothing, whatever the database says.
    package init(
        to configuration: PostgresConfiguration,
        limits: Limits = Limits(),
        encoder: PayloadEncoder,
        sealer: SubjectSealer? = nil,
        logger: Logger = Logger(label: "recorder.append")
    ) {
        var configuration = configuration
        configuration.answerTimeout = limits.answerTimeout
        self.configuration = configuration
        self.limits = limits
        packings = AppendPackings(encoder, sealer: sealer)
        self.sealer = sealer
        self.logger = logger
        notifier = LogNotifier(configuration, logger: logger)
        lanes = limits.connections
        queue = AppendQueue(capacity: limits.queueBytes, lanes: lanes)
    }

    /// The lane of an append, by its first stream.
    func lane(of stream: StreamID) -> Int { AppendLane.number(of: stream, among: lanes) }

    // MARK: Appending

    /// Appends events to one stream.
    ///
    /// All of them become visible together, or none does.
    ///
    /// - Parameter append: The stream, what it must hold, and at least one event.
    /// - Returns: The versions and positions that the events got, now or by an earlier append of the same ids.
    /// - Throws: ``EventStoreError`` with `.wrongExpectedVersion` if another producer came first,
    ///   `.invalidAppend`, `.keyUnavailable` if something is to be sealed whose key is not here, `.refused`,
    ///   `.unavailable` or `.closed`; `CancellationError` if the task was cancelled before the append was taken into a
    ///   group.
    public func append(_ append: Append) async throws -> AppendReceipt {
        try await self.append([append])[0]
    }

    /// Appends to several streams, all or nothing.
    ///
    /// - Parameter appends: Parts for different streams.
    /// - Returns: A receipt for each part, in their order.
    /// - Throws: As ``append(_:)-(Append)``; `.invalidAppend` also if two parts have the same stream.
    public func append(_ appends: [Append]) async throws -> [AppendReceipt] {
        guard let first = appends.first else { return [] }
        guard appends.count == 1 || Set(appends.map(\.stream)).count == appends.count else {
            throw EventStoreError(
                .invalidAppend,
                "one stream stands in two parts of an append: put its events together"
            )
        }
        let packing = packings.current
        let size = AppendRequest.size(of: appends)
        let keys = try await sealer?.keys(for: appends)
        let lane = lane(of: first.stream)
        let outages = try await reserve(size, in: lane, for: appends.map(\.stream))
        let outcomes = AppendOutcomes(count: appends.count)
        let ticket: UInt64
        do {
            var contents = AppendParcelContents(
                packing: packing,
                fields: keys?.fields,
                size: size,
                appends: appends.count
            )
            for (place, append) in appends.enumerated() {
                try contents.add(append, place: place, key: keys?.key(at: place))
            }
            let parcel = AppendParcel(contents, isOneAppend: true, size: size, outcomes: outcomes, sealer: sealer)
            ticket = try queue.put(parcel, in: lane, since: outages)
        } catch {
            // A queue that does not take a parcel gives the room back itself.
            let code = (error as? EventStoreError)?.code
            if code != .closed && code != .unavailable { queue.release(size) }
            sealer?.forget(appends.map(\.stream))
            throw error
        }
        let results = await withTaskCancellationHandler {
            await outcomes.all()
        } onCancel: {
            queue.cancel(ticket)?.settle(CancellationError())
        }
        return try results.map { try $0.get() }
    }

    /// Appends many unrelated appends in order; one that fails does not affect the others.
    ///
    /// Costs much less than as many calls of ``append(_:)-(Append)``. If the task is cancelled, or the appender closed,
    /// while appends still wait for room, those fail and the others are stored.
    ///
    /// - Returns: How each append ended, in order.
    /// - Throws: ``EventStoreError`` with `.closed`, or `CancellationError`, if none of them was taken for that reason.
    public func append(independently appends: [Append]) async throws -> [Result<AppendReceipt, any Error>] {
        try await handOver(appends: appends).all()
    }

    /// Appends lines, each an append of its own; see ``append(independently:)-([Append])``.
    ///
    /// Lines cost less than appends of one event: they share the bytes that they were read from.
    public func append(independently lines: [EventLine]) async throws -> [Result<AppendReceipt, any Error>] {
        try await handOver(appends: lines).all()
    }

    /// How often each lane gave up on the server.
    package struct Outages: Sendable {
        let counts: [Int]
    }

    /// How often it has given up on the server until now.
    package var outages: Outages { Outages(counts: queue.outages) }

    /// Hands over lines, each an append of its own, waiting only for room and not until they are stored.
    ///
    /// - Parameter outages: Those known to the producer: lines fail if there was another since in their lane, and what
    ///   was handed over there before has failed.
    /// - Returns: The object that gathers their outcomes.
    /// - Throws: As ``append(independently:)-([Append])``.
    package func handOver(_ lines: [EventLine], since outages: Outages) async throws -> AppendOutcomes {
        try await handOver(appends: lines, since: outages)
    }

    /// Reserves room for appends whose keys were looked up. If that fails, the sealer forgets what it learned of their
    /// streams.
    ///
    /// - Returns: How many outages the lane has had so far.
    @discardableResult
    func reserve(_ size: Int, in lane: Int, for streams: @autoclosure () -> [StreamID]) async throws -> Int {
        do {
            return try await queue.reserve(size, in: lane)
        } catch {
            sealer?.forget(streams())
            throw error
        }
    }

    // MARK: Running

    /// Writes until ``close()`` is called and everything is written, or the task is cancelled. Call it once: a lane has
    /// one writer.
    ///
    /// On cancellation, queued appends fail with `.closed`, and those being written with `.unavailable`: they may be
    /// stored.
    package func run() async {
        async let notifying: Void = notifier.run()
        await withTaskGroup(of: Void.self) { group in
            for lane in 0..<lanes { group.addTask { await self.run(lane) } }
        }
        queue.close()
        Self.stop(queue.drain())
        notifier.close()
        await notifying
    }

    /// Runs a lane's writer. Many waiting producers are told on the shared pool, because waking each of them would slow
    /// the writer down; a few are told by the writer at once.
    private func run(_ lane: Int) async {
        let (settlements, settled) = AsyncStream<[AppendSettlement]>.makeStream()
        // Not a child of the writing task: if that is cancelled, the waiting producers must still be told.
        let telling = Task { await Self.tell(settlements) }
        var writer = AppendWriter(
            configuration,
            queue: queue,
            limits: limits,
            heads: StreamHeads(lanes: lanes, home: lane),
            home: lane,
            packings: packings,
            logger: logger,
            onStored: { [self] events in
                groups.record(events)
                appended.increment(by: events)
                if limits.notifies { notifier.notify() }
            },
            onSettled: { settlements in
                guard settlements.count <= Self.mostToldAtOnce else { return _ = settled.yield(settlements) }
                Self.tell(settlements)
            }
        )
        await writer.run()
        settled.finish()
        await telling.value
    }

    /// Up to this many settlements are told by the writer itself.
    private static let mostToldAtOnce = 4

    private static func tell(_ settlements: [AppendSettlement]) {
        for settlement in settlements { settlement.tell() }
    }

    private static func tell(_ settlements: AsyncStream<[AppendSettlement]>) async {
        for await batch in settlements { tell(batch) }
    }

    private static func stop(_ parcels: [AppendParcel]) {
        for parcel in parcels {
            parcel.settle(EventStoreError(.closed, "the appender was stopped before it stored the append"))
        }
    }

    /// Takes no more appends; those that were taken are written.
    public func close() {
        queue.close()
    }

    /// Runs an appender while `body` runs, and writes everything that it was given before it returns.
    package static func withAppender<R: Sendable>(
        to configuration: PostgresConfiguration,
        limits: Limits = Limits(),
        encoder: PayloadEncoder,
        sealer: SubjectSealer? = nil,
        logger: Logger = Logger(label: "recorder.append"),
        _ body: @Sendable (EventAppender) async throws -> R
    ) async throws -> R {
        let appender = EventAppender(
            to: configuration,
            limits: limits,
            encoder: encoder,
            sealer: sealer,
            logger: logger
        )
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
