internal import Postgres
internal import Schema

/// The way of a group's shadows to their ends: together while several have far to go, and one after another.
struct RebuildCourse {
    /// How each ended, by the projection's name; a failure is told as by ``RebuildResult``.
    typealias Outcomes = [String: Result<RebuildOutcome, any Error>]

    /// Those that have not ended.
    private var waiting: [ShadowRebuild]
    private var outcomes: Outcomes = [:]
    private var lastTogether: ContinuousClock.Instant?
    /// Builds several shadows in one reading of the log.
    private let build: ([ShadowModel]) -> ShadowBuild

    /// How long shadows wait for one of them before they go on together.
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

    /// Whether there is a way that several have in common: at the beginning, and when one took long about its end,
    /// while the others fell behind.
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
            // One that cannot go on leaves the others to go on; what is no projection's fault is everybody's.
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
