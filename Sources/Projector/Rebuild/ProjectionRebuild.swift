package import EventStore
internal import FoundationEssentials
package import Logging
package import Postgres
package import Schema
internal import Synchronization

/// The bounds of a rebuild.
package struct RebuildOptions: Sendable {
    /// How many connections fold at a time, each for its shards.
    package var parallelism: Int
    /// How many events one transaction folds at most, fewer where they are heavy; with the parallelism this bounds the memory.
    package var batchSize: Int
    /// Whether to swap although the new model differs from the live one, as a new version is meant to.
    package var acceptDifferences: Bool
    /// How many differences to show.
    package var differenceLimit: Int
    /// How long the swap waits for readers at a time, and others behind it; then it lets them go first and tries again.
    package var lockTimeout: Duration

    /// The key-encryption keys, for a log whose personal fields are sealed.
    package var keys: SealingKeys

    package init(
        parallelism: Int = min(4, ProcessInfo.processInfo.activeProcessorCount),
        batchSize: Int = 10_000,
        acceptDifferences: Bool = false,
        differenceLimit: Int = 20,
        lockTimeout: Duration = .milliseconds(300),
        keys: SealingKeys = .none
    ) {
        self.parallelism = parallelism
        self.batchSize = batchSize
        self.acceptDifferences = acceptDifferences
        self.differenceLimit = differenceLimit
        self.lockTimeout = lockTimeout
        self.keys = keys
    }
}

/// How far a rebuild or a verification is.
package struct RebuildProgress: Sendable {
    /// What it is at.
    package enum Phase: String, Sendable {
        /// Folding the log.
        case folding
        /// Comparing with the live model.
        case comparing
        /// Waiting for transactions that began before the new model was whole.
        case waitingForReaders
        /// Putting the new model in place.
        case swapping
    }

    package let phase: Phase
    /// Events read so far, also before it was resumed.
    package let done: Int
    /// Events in the log, as far as is known.
    package let total: Int
    /// Events read a second since it was begun or resumed.
    package let rate: Double
    /// How long folding takes still at that rate.
    package var timeLeft: Duration? { rate > 0 ? .seconds(Double(max(0, total - done)) / rate) : nil }
}

/// What a rebuild did.
package struct RebuildOutcome: Sendable {
    /// What the comparison with the live model found; `nil` if an earlier run had compared.
    package let comparison: ModelComparison?
    /// Events that this run read.
    package let events: Int
    /// Whether an earlier run had begun it.
    package let isResumed: Bool
    /// How long readers may have waited for the swap.
    package let swap: Duration
}

/// Builds a version of a projection anew beside the live one, compares the two, and puts the new one in place in one short
/// transaction.
///
/// What was folded is committed with its checkpoints, so a rebuild that was killed goes on where it was when it is run
/// again. One process at a time; a second one is refused when it comes upon the first.
///
/// The new model follows the live one's own checkpoints until both stand at the same events, which is where they are
/// compared; then it goes on to the head.
package struct ProjectionRebuild: Sendable {
    private let configuration: PostgresConfiguration
    private let schema: String
    private let all: [ProjectionFiles]
    private let files: ProjectionFiles
    private let options: RebuildOptions
    private let logger: Logger

    /// - Parameters:
    ///   - name: The projection.
    ///   - version: The version to build; the newest unless given.
    ///   - all: All versions of all projections.
    ///   - configuration: The database, with the recorder's schema.
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if there is no such version.
    package init(
        _ name: String,
        version: Int? = nil,
        among all: [ProjectionFiles],
        configuration: PostgresConfiguration,
        options: RebuildOptions = RebuildOptions(),
        logger: Logger = Logger(label: "recorder.rebuild")
    ) throws {
        self.all = all
        files = try all.version(version, of: name)
        self.configuration = configuration
        schema = configuration.schema ?? "recorder"
        self.options = options
        self.logger = logger
    }

    /// Rebuilds.
    ///
    /// - Parameter progress: Told after each batch, from several threads.
    /// - Throws: ``ProjectorError`` with `.modelsDiffer` if the new model differs and that was not accepted: what was built
    ///   stays, for the next run; `.failingEvent`; `.rebuildMoved`; `SchemaError` with `.inUse`; `PostgresError`;
    ///   `CancellationError`.
    @discardableResult
    package func run(_ progress: @escaping @Sendable (RebuildProgress) -> Void = { _ in }) async throws
        -> RebuildOutcome
    {
        let connection = try await connect()
        do {
            let outcome = try await run(on: connection, progress)
            await connection.close()
            return outcome
        } catch {
            await connection.close()
            throw error
        }
    }

    private func run(
        on connection: PostgresConnection,
        _ progress: @escaping @Sendable (RebuildProgress) -> Void
    ) async throws -> RebuildOutcome {
        let model = ShadowModel(files, purpose: .rebuild, recorder: schema)
        let installed = try await ProjectionInstaller(schema: schema).installed(on: connection)
            .filter { $0.name == files.name }
        // The version itself, if it is there; else the one that is read now.
        let liveVersion = installed.first { $0.version == files.version } ?? installed.first(where: \.isActive)
        let live = try liveVersion.map { try all.version($0.version, of: files.name) }
        let isActive = installed.first { $0.version == files.version }?.isActive ?? true

        let shadow = ShadowPreparation(model: model, live: live ?? files)
        let prepared = try await shadow.run(on: connection)
        let meter = RebuildMeter(prepared.checkpoints, progress)
        let build = try build(of: model, meter: meter)
        var comparison: ModelComparison?
        let isLive = try await !connection.query(LiveCheckpoints.Select(projection: live ?? files)).isEmpty
        if prepared.checkpoints.allSatisfy({ $0.differences == nil }), isLive, let live {
            let follower = LiveFollower(build: build, live: live, limit: options.differenceLimit)
            comparison = try await follower.compare(on: connection) { meter.enter(.comparing) }
        }
        let differences = comparison?.differenceCount ?? Int(prepared.checkpoints.first?.differences ?? 0)
        guard differences == 0 || options.acceptDifferences else {
            // Compared anew by the next run: somebody may have mended what differs.
            throw ProjectorError(
                .modelsDiffer,
                "\(files.title) built anew differs from the live model in \(differences) row\(differences == 1 ? "" : "s"); "
                    + "nothing was swapped. Run it again with --accept-differences if the new one is right, or cancel it",
                comparison: comparison
            )
        }
        // From here on the shadow goes its own way: a run after this one does not compare again.
        try await connection.execute(ShadowCheckpoint.SetDifferences(model: model, differences: differences))
        let swap = ShadowSwap(
            build: build,
            projection: files,
            all: all,
            isActive: isActive,
            configuration: configuration,
            schema: schema,
            lockTimeout: options.lockTimeout
        )
        let duration = try await swap.run(on: connection) { meter.enter($0) }
        return RebuildOutcome(
            comparison: comparison,
            events: meter.readHere,
            isResumed: prepared.isResumed,
            swap: duration
        )
    }

    /// Stops caring: removes the shadow and what is known of it. A rebuild under way fails at its next batch.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    package func cancel() async throws -> Bool {
        let connection = try await connect()
        do {
            let existed = try await ShadowModel(files, purpose: .rebuild, recorder: schema).discard(on: connection)
            await connection.close()
            return existed
        } catch {
            await connection.close()
            throw error
        }
    }

    private func connect() async throws -> PostgresConnection {
        var configuration = configuration
        configuration.schema = schema
        configuration.settings["client_min_messages"] = "warning"
        return try await PostgresConnection.connect(configuration, logger: logger)
    }

    private func build(of model: ShadowModel, meter: RebuildMeter) throws -> ShadowBuild {
        ShadowBuild(
            model: model,
            plan: BatchPlan([try Projection(files)]),
            configuration: configuration,
            parallelism: max(1, options.parallelism),
            batchSize: max(1, options.batchSize),
            decoder: EventDecoder(keys: options.keys),
            progress: { meter.add($0) }
        )
    }
}

extension [ProjectionFiles] {
    /// A version of a projection.
    ///
    /// - Parameter version: `nil` for the newest.
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if there is none.
    func version(_ version: Int?, of name: String) throws -> ProjectionFiles {
        let versions = filter { $0.name == name }
        guard let newest = versions.last else {
            let names = Set(map(\.name)).sorted().joined(separator: ", ")
            throw ProjectorError(.invalidProjection, "there is no projection \(name), but \(names)")
        }
        guard let version else { return newest }
        guard let found = versions.first(where: { $0.version == version }) else {
            throw ProjectorError(
                .invalidProjection,
                "there is no version \(version) of \(name), but "
                    + versions.map { "\($0.version)" }.joined(separator: ", ")
            )
        }
        return found
    }
}

/// Counts what was read and tells it.
final class RebuildMeter: Sendable {
    private struct State {
        var phase = RebuildProgress.Phase.folding
        var read = 0
    }

    private let before: Int
    private let total: Int
    private let start = ContinuousClock.now
    private let state = Mutex(State())
    private let progress: @Sendable (RebuildProgress) -> Void

    init(_ checkpoints: [ShadowCheckpoint], _ progress: @escaping @Sendable (RebuildProgress) -> Void) {
        before = checkpoints.reduce(0) { $0 + Int($1.read) }
        total = Int(checkpoints.first?.total ?? 0)
        self.progress = progress
    }

    /// Events read by this process.
    var readHere: Int { state.withLock { $0.read } }

    /// Takes down that so many events more were read.
    func add(_ events: Int) { tell { $0.read += events } }

    /// Takes down that the next phase has begun.
    func enter(_ phase: RebuildProgress.Phase) { tell { $0.phase = phase } }

    private func tell(_ change: (inout State) -> Void) {
        let state = state.withLock { state in
            change(&state)
            return state
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        let done = before + state.read
        progress(
            RebuildProgress(
                phase: state.phase,
                done: done,
                total: max(total, done),
                rate: seconds > 0 ? Double(state.read) / seconds : 0
            )
        )
    }
}
