internal import Schema
internal import Synchronization

/// Counts the events that were read, and reports the progress.
final class RebuildMeter: Sendable {
    private struct State {
        var phase = RebuildProgress.Phase.folding
        var projection: String?
        var read: [String: Int] = [:]
    }

    private let before: Int
    private let total: Int
    private let start = ContinuousClock.now
    private let state = Mutex(State())
    private let progress: @Sendable (RebuildProgress) -> Void

    /// - Parameter checkpoints: The checkpoints of each shadow, by shard.
    init(_ checkpoints: [[ShadowCheckpoint]], _ progress: @escaping @Sendable (RebuildProgress) -> Void) {
        before = checkpoints.joined().reduce(0) { $0 + Int($1.read) }
        total = checkpoints.reduce(0) { $0 + Int($1.first?.total ?? 0) }
        self.progress = progress
    }

    /// Events that this process read for a projection.
    func readHere(for projection: String) -> Int { state.withLock { $0.read[projection] ?? 0 } }

    /// Records how many more events were read for each of some shadows.
    func add(_ events: [Int], for models: [ShadowModel]) {
        tell { state in
            for (model, count) in zip(models, events) { state.read[model.files.name, default: 0] += count }
        }
    }

    /// Records that the next phase has begun.
    func enter(_ phase: RebuildProgress.Phase, of projection: String? = nil) {
        tell { ($0.phase, $0.projection) = (phase, projection) }
    }

    private func tell(_ change: (inout State) -> Void) {
        let state = state.withLock { state in
            change(&state)
            return state
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        let read = state.read.values.reduce(0, +)
        progress(
            RebuildProgress(
                phase: state.phase,
                projection: state.projection,
                done: before + read,
                total: max(total, before + read),
                rate: seconds > 0 ? Double(read) / seconds : 0
            )
        )
    }
}
