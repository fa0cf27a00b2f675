internal import Postgres
internal import Schema

/// Brings a group's shadows to their ends: together while several have far to go, then one after another.
struct RebuildCourse {
    /// How each ended, by the projection's name; for the failures see ``RebuildResult``.
    typealias Outcomes = [String: Result<RebuildOutcome, any Error>]

    /// The rebuilds that have not ended.
    private var waiting: [ShadowRebuild]
    private var outcomes: Outcomes = [:]
    private var lastTogether: ContinuousClock.Instant?
    /// Builds several shadows in one reading of the log.
    private let build: ([ShadowModel]) -> ShadowBuild

    /// How long shadows wait while others finish before they catch up together again.
    private static let patience = Duration.seconds(1)

    init(of rebuilds: [ShadowRebuild], _ build: @escaping ([ShadowModel]) -> ShadowBuild) {
        waiting = rebuilds
        self.build = build
    }

    /// Runs the course.
    ///
    /// - Throws: `CancellationError`.
    mutating func run(on connection: PostgresConnection, _ meter: RebuildMeter) async throws -> Outcomes {
        while !waiting.isEmpty {
            if isTogetherDue {
                try await goTogether(on: connection)
            } else {
                try await finishFirst(on: connection, meter)
            }
        }
        return outcomes
    }

    /// Whether several should catch up together: at the beginning, and when finishing some took so long that the others
    /// fell behind.
    private var isTogetherDue: Bool {
        waiting.count > 1 && lastTogether.map { $0.duration(to: .now) > Self.patience } ?? true
    }

    private mutating func goTogether(on connection: PostgresConnection) async throws {
        do {
            let together = SharedCatchUp(rebuilds: waiting, build: build(waiting.map(\.shadow.model)))
            try await together.run(on: connection)
            lastTogether = .now
        } catch {
            try Task.checkCancellation()
            // If one projection is at fault, the others go on; any other error ends them all.
            let culprit = (error as? ProjectorError)?.projection?.name
            for rebuild in waiting where culprit == nil || rebuild.name == culprit {
                outcomes[rebuild.name] = .failure(error)
            }
            waiting.removeAll { outcomes[$0.name] != nil }
        }
    }

    private mutating func finishFirst(on connection: PostgresConnection, _ meter: RebuildMeter) async throws {
        let rebuild = waiting.removeFirst()
        do {
            outcomes[rebuild.name] = .success(try await rebuild.run(on: connection, meter))
        } catch {
            try Task.checkCancellation()
            outcomes[rebuild.name] = .failure(error)
        }
    }
}
